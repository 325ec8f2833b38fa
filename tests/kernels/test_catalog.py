"""Members of a family are what their files state."""

import sys
import types

import pytest

from kernels import activations
from kernels.catalog import Catalog


@pytest.fixture
def member(monkeypatch):
    """member(name=value, …): the activation of a file with these at its top."""

    def made(**stated):
        module = types.ModuleType("kernels.activations.made_here")
        vars(module).update(stated)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        kinds = "activation", "kernels.activations", activations.Activation, activations._made
        return Catalog(*kinds, ("made_here",)).named("Made Here")

    return made


def test_an_activation_of_whole_rows_says_so(member):
    assert type(member(forward=abs)) is activations.Activation
    f = member(forward=None)
    assert type(f) is activations.RowwiseActivation and f.after is f


def test_a_forward_that_is_left_out_is_no_softmax(member):
    with pytest.raises(TypeError, match=r"missing .*'forward'"):
        member(foward=abs)
