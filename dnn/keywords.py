"""An unknown keyword argument is refused with a list of those there are and the nearest of them.

Python itself offers the nearest from 3.13 on, and never the name that another library has for it.
"""

import functools
import inspect
from collections.abc import Callable
from typing import TypeVar

from kernels.names import nearest

# {what Keras', PyTorch's or scikit-learn's users type: our names for it, where the callee has one}
ELSEWHERE = {
    "lr": ("learning_rate", "max_learning_rate", "initial_learning_rate"),
    "eps": ("epsilon",), "betas": ("beta_1",), "beta1": ("beta_1",), "beta2": ("beta_2",),
    "alpha": ("rho",), "decay": ("weight_decay",), "l2": ("weight_decay",),
    "max_norm": ("clipnorm",), "grad_clip": ("clipnorm",), "clip_norm": ("clipnorm",),
    "out_features": ("units",), "hidden_units": ("units",), "bias": ("use_bias",),
    "p": ("rate",), "prob": ("rate",), "nonlinearity": ("activation",),
    "nb_epoch": ("epochs",), "n_epochs": ("epochs",), "max_epochs": ("epochs",),
    "bs": ("batch_size",), "val_split": ("validation_split",), "val_data": ("validation_data",),
    "test_size": ("validation_split",), "loss_fn": ("loss",), "criterion": ("loss",),
    "opt": ("optimizer",), "random_state": ("seed",), "filepath": ("path",), "filename": ("path",),
    "fname": ("path",), "save_path": ("path",), "top_k": ("k",),
}  # fmt: skip

Function = TypeVar("Function", bound=Callable)


def refuse_unknown(name, given, known):
    """Raise TypeError for the first of the keywords `given` that is not among `known`."""
    for keyword in given:
        if keyword in known:
            continue
        ours = [word for word in ELSEWHERE.get(keyword, ()) if word in known]
        near = ours[0] if ours else nearest(keyword, known)
        hint = f" Did you mean {near!r}?" if near else ""
        listed = ", ".join(known) or "none"
        raise TypeError(
            f"{name}: got an unknown keyword argument {keyword!r}; expected one of {listed}.{hint}"
        )


@functools.lru_cache(1024)
def known_keywords(function) -> tuple[str, ...] | None:
    """The names a function's arguments may be given by, or None where it takes any."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    skipped = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
    return tuple(p.name for p in parameters if p.kind not in skipped and p.name != "self")


class Keywords:
    """A base whose subclasses refuse unknown keywords when they are made."""

    def __new__(cls, *args, **keywords):
        known = known_keywords(cls.__init__) if keywords else None
        if known is not None:
            refuse_unknown(cls.__name__, keywords, known)
        return super().__new__(cls)


def keywords_checked(function: Function) -> Function:
    """Likewise for a function or method."""
    known = known_keywords(function)

    @functools.wraps(function)
    def call(*args, **keywords):
        if not keywords.keys() <= set(known):
            refuse_unknown(function.__name__, keywords, known)
        return function(*args, **keywords)

    return call
