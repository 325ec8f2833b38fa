"""A second door to the kernels: their compiled PTX runs on the CPU, every access checked."""
