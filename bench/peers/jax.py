"""JAX: each op a jitted function of jax.numpy, which XLA fuses.

JAX has no events: on a GPU it is timed by the host's clock, until the results are there. What
others change in place it returns.
"""

import functools
import os

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # there are others on the card

import jax
import jax.numpy as jnp
import numpy as np

from . import numpy as plain

DEVICES = ("cpu", "gpu")
FUNCTIONAL = True
PRECISIONS = {"float32": "float32", "tf32": "tensorfloat32"}


def why_not(device):
    if device == "cpu" or jax.default_backend() == "gpu":
        return ""
    return f"jax: {jax.__version__} sees no GPU"


def versions():
    return {"jax": jax.__version__}


def threads(count):
    return {}  # XLA has as many as the process has CPUs


def array(a, device):
    return jax.device_put(a, jax.devices(device)[0])


def numpy(a):
    return np.asarray(a)


def synchronize():
    """Every call waits for its results."""


def gpu_name():
    return jax.devices("gpu")[0].device_kind


def ready(function, arguments, keywords):
    """Jitted for these arguments, of which the arrays alone are traced."""
    traced = [i for i, a in enumerate(arguments) if isinstance(a, jax.Array)]

    @jax.jit
    def compute(*arrays):
        everything = list(arguments)
        for i, a in zip(traced, arrays, strict=True):
            everything[i] = a
        return function(*everything, **keywords)

    arrays = [arguments[i] for i in traced]
    return lambda *_: jax.block_until_ready(compute(*arrays))


FORWARD = {None: lambda z: z, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}
BACKWARD = plain.BACKWARD | {"relu": lambda dy, y: jnp.where(y > 0, dy, 0)}


def activation(z, activation):
    return FORWARD[activation](z)


def activation_backward(dy, s, activation):
    return BACKWARD[activation](dy, s)


def dot(a, b, precision):
    if precision in ("bfloat16", "float16"):
        a, b = a.astype(precision), b.astype(precision)
        return jnp.matmul(a, b, preferred_element_type=jnp.float32)
    return jnp.matmul(a, b, precision=PRECISIONS[precision])


def linear(x, w, b, activation=None, *, precision="float32"):
    return FORWARD[activation](dot(x, w, precision) + b)


def linear_backward(dz, x, w, *, x_activation=None, need_dx=True, precision="float32"):
    dx = None
    if need_dx:
        dx = dot(dz, w.T, precision)
        if x_activation is not None:
            dx = BACKWARD[x_activation](dx, x)
    return dx, dot(x.T, dz, precision), dz.sum(0)


def softmax_cross_entropy(z, labels, *, scale=1.0):
    logs = jax.nn.log_softmax(z)
    hit = jnp.arange(z.shape[1]) == labels[:, None]
    return -jnp.take_along_axis(logs, labels[:, None], 1)[:, 0], (jnp.exp(logs) - hit) * scale


def adam(p, g, m, v, step, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return p - lr / (1 - beta1**step) * m / (jnp.sqrt(v / (1 - beta2**step)) + eps), m, v


def linear_backward_adam(dz, x, w, m, v, step, *, need_dx, precision="float32"):
    return adam(w, dot(x.T, dz, precision), m, v, step)


def sgd(p, g, u, lr=1e-2, momentum=0.0):
    u = momentum * u - lr * g
    return p + u, u


def trainer(net, device, data, weights):
    """An epoch is one jitted function: a scan over its batches, and a step over what is left."""
    layers = [
        tuple(array(a, device) for a in pair)
        for pair in zip(weights[::2], weights[1::2], strict=True)
    ]
    zeros = [jax.tree.map(jnp.zeros_like, layers) for _ in range(2)]
    # Typed and put in its place as what comes out: else the second epoch is compiled anew.
    state = jax.device_put((layers, *zeros, np.int32(0)), jax.devices(device)[0])
    x, y = array(data.images_float32, device), array(data.labels.astype(np.int32), device)
    batch, key = min(net.batch, len(x)), jax.random.key(0)
    full = len(x) // batch * batch

    def loss_of(layers, rows):
        z = x[rows]
        for i, (w, b) in enumerate(layers):
            z = linear(z, w, b, "relu" if i + 1 < len(layers) else None)
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[rows][:, None], 1).mean()

    def step(state, rows):
        layers, m, v, number = state
        loss, gradients = jax.value_and_grad(loss_of)(layers, rows)
        done = jax.tree.map(functools.partial(adam, step=number + 1), layers, gradients, m, v)
        layers, m, v = jax.tree.transpose(
            jax.tree.structure(layers), jax.tree.structure((0, 0, 0)), done
        )
        return (layers, m, v, number + 1), loss * len(rows)

    @jax.jit
    def one_epoch(state, key):
        shuffled = jax.random.permutation(key, len(x))
        state, losses = jax.lax.scan(step, state, shuffled[:full].reshape(-1, batch))
        total = losses.sum()
        if full < len(x):
            state, loss = step(state, shuffled[full:])
            total += loss
        return state, total / len(x)

    def epoch():
        nonlocal state, key
        key, now = jax.random.split(key)
        state, loss = one_epoch(state, now)
        return float(loss)

    return epoch


def predictor(net, device, weights):
    layers = [
        tuple(array(a, device) for a in pair)
        for pair in zip(weights[::2], weights[1::2], strict=True)
    ]

    @jax.jit
    def outputs(x):
        for i, (w, b) in enumerate(layers):
            x = linear(x, w, b, "relu" if i + 1 < len(layers) else None)
        return x

    return lambda x: np.asarray(outputs(x))
