"""What every op must do with its arguments, whichever of its variants runs.

class TestArguments(ArgumentChecks):
    inputs = staticmethod(lambda: {"x": ..., "w": ...})     # NumPy arrays that it accepts
    call = staticmethod(lambda x, w, **options: kernels.linear(x, w, **options))
"""

import types

import numpy as np
import pytest

import kernels
from tests import harness


class ArgumentChecks:
    in_place = ()  # inputs that the op writes to: never copied, so their layout is checked
    free = ()  # (input, axis): sizes that nothing else must agree with
    wrong_dtypes = ("float64", "float16", "int32")
    wrong_dtypes_of = types.MappingProxyType({})  # of inputs that are not float32

    def run(self, variant, given):
        """The arrays that the call returned or wrote to."""
        result = self.call(**given, **variant.options)
        written = [given[name] for name in self.in_place]
        results = result if isinstance(result, tuple) else (result,)
        return [a for a in (*results, *written) if a is not None]

    def on_device(self, variant):
        return {name: variant.put(a) for name, a in self.inputs().items()}

    def expect_same(self, variant, given):
        for got, want in zip(
            self.run(variant, given), self.run(variant, self.on_device(variant)), strict=True
        ):
            harness.same_bits(got, want)

    def test_the_same_call_gives_the_same_bits(self, variant):
        self.expect_same(variant, self.on_device(variant))

    def test_inputs_stay_as_they_were(self, variant):
        given = self.on_device(variant)
        self.run(variant, given)
        for name, before in self.inputs().items():
            if name not in self.in_place:
                harness.same_bits(given[name], before)

    @pytest.mark.parametrize("layout", harness.LAYOUTS)
    def test_layout(self, variant, layout):
        """The values count, not how they lie. What is written to must lie in one piece."""
        for name, a in self.inputs().items():
            moved = harness.LAYOUTS[layout](a, variant.put)
            given = self.on_device(variant) | {name: moved}
            if name in self.in_place and not moved.flags.c_contiguous:
                with pytest.raises(ValueError, match=f"^{name}: is not C-contiguous"):
                    self.run(variant, given)
            else:
                self.expect_same(variant, given)

    def test_a_byte_off_alignment(self, cpu_variant):
        for name, a in self.inputs().items():
            given = self.on_device(cpu_variant) | {name: harness.off_by_a_byte(a)}
            if name in self.in_place and a.itemsize > 1:
                with pytest.raises(ValueError, match=f"^{name}: is not C-contiguous, aligned"):
                    self.run(cpu_variant, given)
            else:
                self.expect_same(cpu_variant, given)

    @harness.needs_dlpack_flags
    def test_arrays_of_other_libraries(self, native_variant):
        variant = native_variant

        def foreign(given, names):
            return given | {name: harness.Foreign(given[name]) for name in names}

        given, inputs = self.on_device(variant), self.inputs()
        self.expect_same(variant, foreign(given, inputs.keys() - set(self.in_place)))
        self.call(**foreign(given, inputs), **variant.options)
        for name in self.in_place:  # written to its own memory, not to a copy
            assert (harness.get(given[name]) != inputs[name]).any()

    def test_wrong_dtype(self, variant):
        for name, a in self.inputs().items():
            for dtype in self.wrong_dtypes_of.get(name, self.wrong_dtypes):
                given = self.on_device(variant) | {name: variant.put(a.astype(dtype))}
                with pytest.raises(TypeError, match=f"^{name}: got dtype {dtype}; expected"):
                    self.call(**given, **variant.options)

    def test_wrong_shape(self, variant):
        for name, a in self.inputs().items():
            resized = [
                np.append(a, a.take([0], axis), axis)
                for axis in range(a.ndim)
                if (name, axis) not in self.free
            ]
            for wrong in (a[..., None], a[None], *resized):
                given = self.on_device(variant) | {name: variant.put(wrong)}
                with pytest.raises(ValueError, match=r": got .*; expected"):
                    self.call(**given, **variant.options)

    def test_no_array(self, variant):
        for name, a in self.inputs().items():
            given = self.on_device(variant) | {name: a.tolist()}
            with pytest.raises(TypeError, match=rf"^{name}: got list; .*np\.asarray\({name}"):
                self.call(**given, **variant.options)

    def test_unknown_device(self, variant):
        for name, a in self.inputs().items():
            given = self.on_device(variant) | {name: harness.Foreign(a, device_type=8)}
            with pytest.raises(TypeError, match=f"^{name}: lives on DLPack device type 8"):
                self.call(**given, **variant.options)

    def test_unknown_variant(self, variant):
        file = variant.file
        with pytest.raises(ValueError, match=f"^variant: got .*Did you mean '{file}'"):
            self.call(**self.on_device(variant), variant=file[:3] + "_" + file[3:])

    def test_variants_are_listed(self, variant):
        x = next(iter(self.on_device(variant).values()))
        assert variant.file in kernels.variants(variant.op)
        assert set(kernels.variants(variant.op, x)) <= set(kernels.variants(variant.op))


class LossChecks(ArgumentChecks):
    """Of a loss of rows: it writes loss (B,), dz of z's shape, and hit (B,)."""

    def test_wrong_outputs(self, variant):
        wrong = variant.put(np.zeros(8, np.float32))
        for options, name in (
            ({"out": (wrong, None)}, r"out\[0\] \(loss\)"),
            ({"out": (None, wrong)}, r"out\[1\] \(dz\)"),
            ({"hit": variant.put(np.zeros(8, np.uint8))}, "hit"),
        ):
            with pytest.raises(ValueError, match=f"^{name}: got shape"):
                self.call(**self.on_device(variant), **options, **variant.options)
