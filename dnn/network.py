"""Layers over one flat arena of parameters: built, read and set, copied."""

import copy
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dnn import arena, devices, interrupts, layers
from dnn.attributes import Attributes
from dnn.class_names import class_names
from dnn.keywords import keywords_checked
from dnn.optimizers.base import AVERAGE
from dnn.optimizers.clipping import Clipper
from dnn.training_state import TrainingState, of_training_state

MOST_LAYERS = 1000
ARENAS = ("arena", "state_arena", "gradient_arena")
# What a `fit` under way has taken up, so that setting another would be ignored
HELD = {*ARENAS, "optimizer", "optimizer_state", "loss", "metrics", "layers", "device"}
HELD |= {"precision", "run_eagerly", "steps_per_execution"}
VIEWS = ("parameters", "states", "gradients", "clipper")  # over them: made by _view_arenas


class Network(Attributes):
    """What a Sequential is beside its training.

    arena, gradient_arena: float32, flat, of all parameters; state_arena: of what training changes
    without a gradient. parameters, gradients, states: one {name: view into these} a computing
    layer. optimizer_state: {slot: as arena}. units: of the input and of each computing layer.
    training_state: where the training stands.
    """

    steps_trained = of_training_state("steps_trained")
    epochs_trained = of_training_state("epochs_trained")
    samples_trained = of_training_state("samples_trained")  # of an epoch left in its middle
    schedule_start = of_training_state("schedule_start")
    schedule_steps = of_training_state("schedule_steps")
    averaged = of_training_state("averaged")

    def __init__(
        self, layers: "Iterable[layers.Layer]" = (), *, seed: int = 0, device: str = "auto"
    ):
        integer = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
        if not integer or not 0 <= seed < 2**63:
            raise ValueError(f"seed: got {seed!r}; expected an integer, 0 ≤ seed < 2⁶³")
        self.seed, self.running = int(seed), None
        self.device = devices.resolve(device)
        self.layers = []
        self.input_shape = None
        self.built = False
        self.optimizer = self.loss = self.history = None
        self.metrics, self.precision = (), "float32"
        self.run_eagerly, self.steps_per_execution = False, "auto"
        self.stop_training = self.fitting = False
        self._class_names = None
        self.training_state = TrainingState()
        self.trained_on = None  # "bytes" or "numbers": dnn/scale.py
        self._placed = (None, None, None)
        self.predictions = {}  # dnn/prediction.py
        for layer in layers:
            self.add(layer)

    def __setattr__(self, name, value):
        if name in HELD and self.running is not None:
            self._refuse_in_fit(name, "set it before or after it")
        super().__setattr__(name, value)

    @property
    def class_names(self) -> Any:
        """The names of the classes, a list of str, or None; see dnn/class_names.py."""
        return self._class_names

    @class_names.setter
    def class_names(self, value: Sequence[str] | None) -> Any:
        self._class_names = class_names(value, self.units[-1] if self.built else None)

    def add(self, layer: layers.Layer) -> None:
        """Append a layer. Not after the model is built."""
        if self.built:
            raise RuntimeError("layer: the model is built already; make a new Sequential")
        if len(self.layers) == MOST_LAYERS:
            raise ValueError(f"layers: expected at most {MOST_LAYERS}")
        layer = layers.get(layer)
        if any(layer is other for other in self.layers):
            raise ValueError(f"layer: this {type(layer).__name__} is in the model; make another")
        if isinstance(layer, layers.Input):
            if self.layers:
                raise ValueError("layer: Input comes first or not at all")
            self.input_shape = layer.shape
        self.layers.append(layer)

    @keywords_checked
    @interrupts.whole()
    def build(self, input_shape: int | Sequence[int] | None = None) -> None:
        """Make the parameters, for samples of this shape (without the batch axis).

        `fit`, `evaluate` and `predict` call it with the shape of their first data.
        """
        if self.built:
            self._refuse_in_fit("build", "it would make other parameters than those being trained")
        self._build(input_shape, self._initial)

    def _build(self, input_shape, initial):
        """initial(layout, layers that compute): an arena on the device, filled."""
        shape = self.input_shape if input_shape is None else input_shape
        if shape is None:
            raise ValueError("input_shape: got None; begin with layers.Input(shape) or give it")
        shape = layers.Input(shape).shape
        if self.input_shape is not None and math.prod(shape) != math.prod(self.input_shape):
            raise ValueError(f"input_shape: got {shape}; the model expects {self.input_shape}")
        if not any(layer.computes and not layer.training_only for layer in self.layers):
            raise ValueError("layers: got none that computes; add a Dense")
        shape = self.input_shape or shape
        computing = [layer for layer in self.layers if layer.computes]
        self.units, shapes, state_shapes = [math.prod(shape)], [], []
        for layer in computing:
            layer.placed(shape, behind_parameters=any(shapes))
            shapes.append(layer.parameter_shapes(self.units[-1]))
            state_shapes.append(layer.state_shapes(self.units[-1]))
            self.units.append(layer.output_units(self.units[-1]))
        class_names(self._class_names, self.units[-1])
        self.layout, self.state_layout = arena.Layout(shapes), arena.Layout(state_shapes)
        self.arena = initial(self.layout, computing)
        self.state_arena = initial(self.state_layout, computing)
        self.gradient_arena = devices.zeros(self.device, (self.layout.size,))
        self._view_arenas()
        self.input_shape, self.built = shape, True
        self._reset_optimizer()

    def _view_arenas(self):
        """What lies over the arenas, or beside them as large as they are."""
        self.parameters = self.layout.views(self.arena)
        self.states = self.state_layout.views(self.state_arena)
        self.gradients = self.layout.views(self.gradient_arena)
        self.clipper = Clipper(self.layout, self.device)

    def _initial(self, layout, computing):
        """An arena on the device, filled with its layers' initial values."""
        values = devices.zeros("cpu", (layout.size,))
        stream = 0
        for layer, views in zip(computing, layout.views(values), strict=True):
            for name, view in views.items():
                view[...] = layer.initial(name, view.shape, self.seed, stream)
                stream += 1
        return devices.to_device(values, self.device)

    def _reset_optimizer(self):
        self.training_state.averaged = False
        if self.built and self.optimizer is not None:
            self.optimizer_state = {}
            for slot in self.optimizer.used_slots():
                array = devices.zeros(self.device, (self.layout.size,))
                if value := self.optimizer.initial(slot):  # zeros that nobody wrote take no memory
                    for views in self.layout.views(array):
                        for view in views.values():
                            view[...] = value
                self.optimizer_state[slot] = array
            if self.optimizer.use_ema:
                self.optimizer_state[AVERAGE] = self.arena.copy()
            self.clipper = Clipper(self.layout, self.device)

    @interrupts.whole()
    def use_average(self, wanted: bool) -> None:
        """Put the optimizer's average in the place of the parameters, or take these back.

        Where it is so already, nothing happens. Raises ValueError without an average: the optimizer
        needs use_ema=True."""
        if wanted == self.averaged:
            return
        if not (self.optimizer and self.optimizer.use_ema):
            raise ValueError(
                "the optimizer keeps no average of the weights; expected one with use_ema=True: "
                "model.compile(optimizers.Adam(use_ema=True), …)"
            )
        average, kept = self.optimizer_state[AVERAGE], self.arena.copy()
        self.arena[...] = average
        average[...] = kept
        self.training_state.averaged = wanted

    def get_weights(self) -> list[np.ndarray]:
        """NumPy copies of all parameters, each layer's state after them: [w, b, w, b, …]."""
        self._require_built()
        return [devices.to_host(p).copy() for layer in self.arrays() for p in layer.values()]

    @interrupts.whole()
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all parameters and state from a list shaped like that of get_weights: of NumPy's
        arrays, CuPy's, the emulated device's, or what np.asarray takes. All of them, or none:
        raises ValueError, TypeError before anything is changed."""
        self._require_built()
        targets = [p for layer in self.arrays() for p in layer.values()]
        if len(weights) != len(targets):
            raise ValueError(f"weights: got {len(weights)} arrays; expected {len(targets)}")
        values = []
        for i, (target, weight) in enumerate(zip(targets, weights, strict=True)):
            try:
                value = np.asarray(devices.to_host(weight), np.float32)
            except (TypeError, ValueError) as cause:
                raise TypeError(
                    f"weights[{i}]: got {type(weight).__name__}; expected numbers that NumPy can "
                    f"hold as float32 ({cause})"
                ) from cause
            if value.shape != target.shape:
                raise ValueError(f"weights[{i}]: got shape {value.shape}; expected {target.shape}")
            values.append(value)
        self.use_average(False)  # what is set are the parameters
        for target, value in zip(targets, values, strict=True):
            target[...] = devices.to_device(value, self.device)

    def arrays(self) -> list[dict[str, Any]]:
        """One {name: array} a computing layer: its parameters, then its state."""
        return [p | s for p, s in zip(self.parameters, self.states, strict=True)]

    def count_params(self) -> int:
        """How many trainable numbers the model has."""
        self._require_built()
        return sum(p.size for layer in self.parameters for p in layer.values())

    def _refuse_in_fit(self, what, instead):
        if self.fitting:
            raise RuntimeError(f"{what}: a fit of this model is under way; {instead}")

    def __getstate__(self):
        """For copies and pickle: the arenas on the host, without what lies over them, and without
        what belongs to a `fit` under way."""
        state = vars(self) | {"running": None, "fitting": False, "predictions": {}}
        if self.built:
            for name in VIEWS:
                del state[name]
            state |= {name: devices.to_host(state[name]) for name in ARENAS}
        if "optimizer_state" in state:
            of_slots = self.optimizer_state.items()
            state["optimizer_state"] = {slot: devices.to_host(a) for slot, a in of_slots}
        return state

    def __setstate__(self, state):
        vars(self).update(state)
        if self.built:
            for name in ARENAS:
                setattr(self, name, devices.copied(state[name], self.device))
            self._view_arenas()
        if "optimizer_state" in state:
            of_slots = state["optimizer_state"].items()
            self.optimizer_state = {slot: devices.copied(a, self.device) for slot, a in of_slots}
        if self.history is not None:
            self.history.set_model(self)

    def __copy__(self):
        return copy.deepcopy(self)

    def _require_built(self):
        if not self.built:
            if self.input_shape is None:
                raise RuntimeError(
                    "the model has no parameters yet; begin with layers.Input(shape), call "
                    "model.build(shape), or fit it"
                )
            self.build()
