"""The chapters of the tour, one file each; dnn.tour.CONTENTS is their order."""
