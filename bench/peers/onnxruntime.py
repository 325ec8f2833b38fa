"""ONNX Runtime: prediction alone, by its CPU provider, on as many threads as everybody has."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

DEVICES = ("cpu",)
OPSET, IR_VERSION = 17, 8  # which every release of the last years reads
_threads = 1


def why_not(device):
    return ""


def versions():
    return {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}


def threads(count):
    global _threads
    _threads = count
    return {"onnxruntime": count}


def predictor(net, device, weights):
    """A graph of Gemm and Relu."""
    nodes, constants, x = [], [], "x"
    for i, (w, b) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
        constants += [numpy_helper.from_array(w, f"w{i}"), numpy_helper.from_array(b, f"b{i}")]
        nodes.append(helper.make_node("Gemm", [x, f"w{i}", f"b{i}"], [f"z{i}"]))
        nodes.append(helper.make_node("Relu", [f"z{i}"], [f"y{i}"]))
        x = f"y{i}"
    nodes.pop()  # the last layer has no activation
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", units])
        for name, units in (("x", net.widths[0]), (nodes[-1].output[0], net.widths[-1]))
    ]
    graph = helper.make_graph(nodes, net.name, ends[:1], ends[1:], constants)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )

    def predict(x):
        return session.run(None, {"x": np.ascontiguousarray(x)})[0]

    return predict
