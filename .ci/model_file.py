"""Train, save, load and predict on data made here; print the SHA-256 of the model's file.

.ci/run compares it between Pythons and releases of NumPy and Numba: the same seed, the same bytes.
"""

import hashlib
import pathlib
import tempfile

import numpy as np

from dnn import Sequential, layers, load_model, losses, optimizers

labels = np.arange(600, dtype=np.int32) * 7 % 10
images = (np.arange(600 * 784, dtype=np.int64) * 2654435761 >> 7) % 256
images = images.reshape(600, 784).astype(np.uint8)
images[np.arange(600), labels * 40] = 255  # what there is to learn

model = Sequential(
    [
        layers.Dense(32, use_bias=False),
        layers.BatchNormalization(activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(10),
    ],
    seed=0,
    device="cpu",
)
loss = losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizers.Adam(0.01), loss, metrics=["accuracy"])
model.fit(images, labels, batch_size=64, epochs=3, validation_split=0.1, verbose=0)

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "model.safetensors")
    model.save(path)
    restored = load_model(path)
    np.testing.assert_array_equal(restored.predict(images), model.predict(images))
    print(hashlib.sha256(path.read_bytes()).hexdigest())
