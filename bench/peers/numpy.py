"""NumPy: plain, vectorised, a line of mathematics a line; products by its BLAS."""

import numpy as np

from . import order

try:
    import threadpoolctl
except ImportError:
    threadpoolctl = None

DEVICES = ("cpu",)


def why_not(device):
    return ""


def versions():
    return {"numpy": np.__version__}


def threads(count):
    if threadpoolctl is None:
        return {"blas": "unknown: threadpoolctl is not installed"}
    threadpoolctl.threadpool_limits(count, user_api="blas")
    pools = threadpoolctl.threadpool_info()
    return {p["prefix"]: p["num_threads"] for p in pools if p["user_api"] == "blas"}


def array(a, device):
    return a.copy()


def numpy(a):
    return a


FORWARD = {
    None: lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
}
BACKWARD = {
    "relu": lambda dy, y: dy * (y > 0),
    "sigmoid": lambda dy, y: dy * y * (1 - y),
    "tanh": lambda dy, y: dy * (1 - y * y),
}


def activation(z, activation):
    return FORWARD[activation](z)


def activation_backward(dy, s, activation):
    return BACKWARD[activation](dy, s)


def linear(x, w, b, activation=None, *, precision="float32"):
    return FORWARD[activation](x @ w + b)


def linear_backward(dz, x, w, *, x_activation=None, need_dx=True, precision="float32"):
    dx = None
    if need_dx:
        dx = dz @ w.T
        if x_activation is not None:
            dx = BACKWARD[x_activation](dx, x)
    return dx, x.T @ dz, dz.sum(axis=0)


def softmax_cross_entropy(z, labels, *, scale=1.0):
    rows = np.arange(len(z), like=z)
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z)
    total = p.sum(axis=1, keepdims=True)
    loss = np.log(total[:, 0]) - z[rows, labels]
    p /= total
    p[rows, labels] -= 1
    p *= scale
    return loss, p


def elementwise_loss(z, targets, loss, *, scale=1.0):
    if loss != "binary_crossentropy":
        raise ValueError(f"loss: got {loss!r}; the suite measures binary_crossentropy")
    e = np.exp(-abs(z))
    values = np.maximum(z, 0) - z * targets + np.log1p(e)
    dz = scale / z.shape[1] * (np.where(z > 0, 1, e) / (1 + e) - targets)
    return values.mean(axis=1), dz


def root_mean_squared_error(z, targets):
    d = z - targets
    loss = np.sqrt((d * d).mean(keepdims=True))
    return loss[0], d / (d.size * loss)


def adam(p, g, m, v, step, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g * g
    p -= lr / (1 - beta1**step) * m / (np.sqrt(v / (1 - beta2**step)) + eps)


def linear_backward_adam(dz, x, w, m, v, step, *, need_dx, precision="float32"):
    adam(w, x.T @ dz, m, v, step)


def sgd(p, g, u, lr=1e-2, momentum=0.0):
    u *= momentum
    u -= lr * g
    p += u


def adagrad(p, g, a, lr=1e-3, eps=1e-7):
    a += g * g
    p -= lr * g / (np.sqrt(a) + eps)


def rmsprop(p, g, v, m=None, u=None, lr=1e-3, rho=0.9, momentum=0.0, eps=1e-8):
    if m is not None:
        raise ValueError("m: got an array; the suite measures the plain form")
    v *= rho
    v += (1 - rho) * g * g
    u *= momentum
    u -= lr * g / (np.sqrt(v) + eps)
    p += u


def adadelta(p, g, a, d, lr=1.0, rho=0.95, eps=1e-6):
    a *= rho
    a += (1 - rho) * g * g
    change = np.sqrt(d + eps) / np.sqrt(a + eps) * g
    d *= rho
    d += (1 - rho) * change * change
    p -= lr * change


def moving_average(average, p, momentum=0.99):
    average += (1 - momentum) * (p - average)


def clip_by_value(g, limit):
    np.clip(g, -limit, limit, out=g)


def clip_by_norm(g, limit):
    g *= np.minimum(1, limit / np.sqrt(np.vdot(g, g)))


RNG = np.random.default_rng(0)


def dropout(x, rate, seed, step):
    return np.where(RNG.random(x.shape, np.float32) >= rate, x * np.float32(1 / (1 - rate)), 0)


def batch_norm(x, gamma, beta, moving_mean, moving_variance, *, momentum, epsilon):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    moving_mean *= momentum
    moving_mean += (1 - momentum) * mean
    moving_variance *= momentum
    moving_variance += (1 - momentum) * variance
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def batch_norm_backward(dy, x, gamma, saved):
    offset, inverse = saved
    normal = (x - x[0] - offset) * inverse
    dbeta, dgamma = dy.sum(axis=0), (dy * normal).sum(axis=0)
    return gamma * inverse * (dy - dbeta / len(x) - normal * dgamma / len(x)), dgamma, dbeta


def gather(x, start, rows, *, key, scale):
    return x[order(len(x), key)[start : start + rows]] * np.float32(scale)


def trainer(net, device, data, weights):
    """The loop that a NumPy user writes, with the functions above, on images of float32."""
    rng = np.random.default_rng(0)
    parameters = [w.copy() for w in weights]
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    last = len(layers) - 1
    x, y = data.images_float32, data.labels
    step = 0

    def epoch():
        nonlocal step
        total = 0.0
        shuffled = rng.permutation(len(x))
        for start in range(0, len(x), net.batch):
            rows = shuffled[start : start + net.batch]
            kept = [x[rows]]
            for i, (w, b) in enumerate(layers):
                kept.append(linear(kept[-1], w, b, "relu" if i < last else None))
            loss, dz = softmax_cross_entropy(kept[-1], y[rows], scale=1 / len(rows))
            total += float(loss.sum())
            gradients = []
            for i in range(last, -1, -1):
                dz, dw, db = linear_backward(
                    dz, kept[i], layers[i][0], x_activation="relu", need_dx=i > 0
                )
                gradients = [dw, db, *gradients]
            step += 1
            for p, g, (m, v) in zip(parameters, gradients, moments, strict=True):
                adam(p, g, m, v, step)
        return total / len(x)

    return epoch


def predictor(net, device, weights):
    layers = list(zip(weights[::2], weights[1::2], strict=True))

    def predict(x):
        for i, (w, b) in enumerate(layers):
            x = linear(x, w, b, "relu" if i + 1 < len(layers) else None)
        return x

    return predict
