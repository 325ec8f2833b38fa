"""Record what a real GPU does with single instructions (silicon.py), for test_silicon.py.

    python -m tests.kernels.emulated.record_silicon      # on a machine with a card

Writes silicon/<card>.npz: the bits in and out of every instruction that the card has, and in its
"about" which card, driver and compilers they are from.
"""

import json
import re

import numpy as np

from kernels.device import require_gpu, toolchain
from tests.kernels.emulated.silicon import FOLDER, PROBES, linked


def has(probe, capability):
    """Whether a card of compute capability "90" has the instruction; sm_90a is of 9.0 alone."""
    needed = re.fullmatch(r"sm_(\d+)(a?)", probe.arch)
    if needed[2]:
        return capability == needed[1]
    return int(capability) >= int(needed[1])


def launched(cupy, probe, arch):
    """(inputs, d) of one launch."""
    module = cupy.cuda.function.Module()
    module.load(linked(probe.arch, arch, "cubin"))
    inputs = probe.inputs()
    d = cupy.zeros(probe.words, np.uint32)
    arguments = [*map(cupy.asarray, inputs), d]
    function = module.get_function(probe.entry)
    function((probe.threads // probe.block,), (probe.block,), arguments)
    return inputs, cupy.asnumpy(d)


def main():
    cupy = require_gpu()
    device = cupy.cuda.Device()
    name = cupy.cuda.runtime.getDeviceProperties(device.id)["name"].decode()
    capability = device.compute_capability
    recorded, refused = {}, []
    for probe in PROBES:
        if not has(probe, capability):
            refused.append(probe.name)
            continue
        arch = probe.arch if probe.arch.endswith("a") else f"sm_{capability}"
        inputs, d = launched(cupy, probe, arch)
        for key, array in zip("abcd", (*inputs, d), strict=True):
            recorded[f"{probe.name}/{key}"] = array
    about = {
        "card": name,
        "compute_capability": capability,
        "driver": cupy.cuda.runtime.driverGetVersion(),
        "compilers": toolchain.versions(),
        "not there": refused,
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{re.sub(r'[^a-z0-9]+', '_', name.lower())}.npz"
    np.savez_compressed(path, about=json.dumps(about), **recorded)
    print(f"{path}: {len(recorded) // 4} instructions; not on this card: {', '.join(refused)}")


if __name__ == "__main__":
    main()
