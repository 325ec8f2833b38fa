"""Fashion-MNIST."""

import numpy as np

from dnn import Sequential, datasets, layers, losses, optimizers, plots, schedules
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Fashion-MNIST",
    "60,000 images of clothes for training and 10,000 for testing, 28 × 28 pixels, ten classes. "
    "Each image is flattened to 784 numbers; ten outputs and categorical cross-entropy, as above.",
    needs_images=True,
)


@chapter.example(
    "Training",
    "784 inputs, 128 hidden ReLU neurons, 10 outputs: {parameters:,} parameters. A tenth of the "
    "training images is held out to watch the training. After {epochs} epochs, {accuracy:.2%} of "
    "the test images are classified rightly.",
    curves="Loss and accuracy by epoch.",
)
def training(data_dir):
    (x, y), (x_test, y_test) = datasets.fashion_mnist(data_dir)
    model = Sequential([layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    adam = optimizers.Adam(schedules.OneCycle(3e-3), weight_decay=0.1)
    model.compile(adam, loss, metrics=["accuracy"])
    model.class_names, epochs = datasets.class_names("fashion-mnist"), 10
    history = model.fit(x, y, batch_size=128, epochs=epochs, validation_split=0.1, verbose=0)
    parameters = model.count_params()
    test = model.evaluate(x_test, y_test, return_dict=True)
    curves = plots.learning_curves(history, title="Fashion-MNIST, 784-128-10")
    accuracy = test["accuracy"]
    return {
        "parameters": parameters,
        "test": test,
        "curves": curves,
        "model": model,
        "x_test": x_test,
        "y_test": y_test,
        "epochs": epochs,
        "accuracy": accuracy,
    }


@chapter.example(
    "Which class is taken for which",
    "Recognised best: {best} ({most:.1%}). Recognised worst: {worst} ({least:.1%}), which is most "
    "often taken for {instead}.",
    matrix="Rows are the true classes, columns the predicted ones.",
)
def confusion(model, x_test, y_test):
    predicted, names = model.predict(x_test).argmax(axis=1), np.array(model.class_names)
    matrix = plots.confusion_matrix(y_test, predicted, names, title="Test images")
    shares = np.array([(predicted[y_test == c] == c).mean() for c in range(10)])
    most, least = shares.max(), shares.min()
    best, lowest = " and ".join(names[shares == most]), shares.argmin()
    taken_for = predicted[(y_test == lowest) & (predicted != lowest)]
    worst, instead = names[lowest], names[np.bincount(taken_for).argmax()]
    return {
        "matrix": matrix,
        "best": best,
        "most": most,
        "worst": worst,
        "least": least,
        "instead": instead,
    }


@chapter.example(
    "Where it was surest and wrong",
    "{wrong:,} of 10,000 test images are taken for something else. These are the ten of them on "
    "which the network was surest.",
    mistaken="Each says what it was taken for, how surely, what it is, and its number.",
)
def mistakes(model, x_test, y_test):
    wrong = (model.predict(x_test).argmax(axis=1) != y_test).sum()
    mistaken = plots.mistakes(model, x_test, y_test, count=10)
    return {"wrong": wrong, "mistaken": mistaken}


@chapter.example(
    "What the first layer looks for",
    "Each hidden neuron has a weight for every pixel, so its weights are an image. Of the neurons "
    "with the largest weights, some look for the outline of a top or a dress, some for the gap "
    "between body and sleeves, some for the slope of a shoe. A layer after them would build on "
    "such parts: that is what is meant by hierarchical representations. (Weight decay, in the "
    "optimizer above, has pulled the weights towards 0 that nothing needs.)",
    weights="Bright pixels make a neuron fire, dark ones keep it from firing.",
)
def first_layer(model):
    spread = model.get_weights()[0].std(axis=0)
    strongest = spread.argsort()[::-1][:24].tolist()
    weights = plots.first_layer_weights(model, units=strongest)
    return {"weights": weights}
