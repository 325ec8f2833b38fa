"""Where PyTorch runs: its devices, arrays, arithmetic of products, and the events of a GPU."""

import numpy as np
import torch

HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
DEVICES = ("cpu", "gpu")
ON = {"cpu": "cpu", "gpu": "cuda"}


def why_not(device):
    if device == "cpu" or torch.cuda.is_available():
        return ""
    built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
    return f"torch: {torch.__version__} ({built}) sees no GPU"


def versions():
    return {"torch": torch.__version__}


def threads(count):
    torch.set_num_threads(count)
    return {"torch": torch.get_num_threads()}


def array(a, device):
    a = a.astype(np.int64) if a.dtype == np.int32 else a.copy()
    return torch.from_numpy(a).to(ON[device])


def numpy(a):
    return a.cpu().numpy()


def use(precision):
    """The arithmetic of products of float32 tensors."""
    if not torch.compiler.is_compiling():
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")


def gpu_name():
    return torch.cuda.get_device_name()


def l2_bytes():
    return torch.cuda.get_device_properties().L2_cache_size


def scratch(size_bytes):
    return torch.empty(size_bytes, dtype=torch.int8, device="cuda")


def clear(scratch):
    scratch.zero_()


def hold(us):
    torch.cuda._sleep(int(us * 2000))  # cycles, at about 2 GHz


def product(n, precision, device="gpu"):
    """A product of n³, to be timed."""
    dtype = HALVES.get(precision, torch.float32)
    a = torch.randn((n, n), device=ON[device]).to(dtype)  # ones would draw less power
    out = torch.empty_like(a)

    def run():
        use(precision)
        torch.mm(a, a, out=out)

    return run


def record():
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def elapsed_us(start, stop):
    return start.elapsed_time(stop) * 1e3


def synchronize():
    torch.cuda.synchronize()
