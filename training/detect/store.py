"""How the exported file keeps its weights: as bytes where they are multiplied as bytes, else small."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from torch import Tensor

Array = npt.NDArray[Any]

#: Weights of at least this many numbers are stored in half precision, and of at least this many in bytes; biases and constants
#: stay as they are. Smaller weights in bytes cost average precision.
STORED_HALF, STORED_BYTES = 64, 30_000
#: Prefix of the network's weights in the exported graph.
PREFIX = "network."
#: Metadata that keeps the ranges of the bytes, by the network's names.
RANGES = "barnhand.ranges"


def keep_bytes(path: Path, steps: Mapping[str, Tensor]) -> None:
    """Give convolutions between bytes int8 weights and an int32 bias, as onnxruntime's int8 kernels want.

    `steps` is what `integers.settle` returned, which has rounded weights and biases already, so that nothing changes.
    """
    model = onnx.load(str(path))
    known = {tensor.name: tensor for tensor in model.graph.initializer}
    constants = {node.output[0]: node.attribute[0].t for node in model.graph.node if node.op_type == "Constant"}
    makers = {output: node for node in model.graph.node for output in node.output}
    made: list[onnx.NodeProto] = []

    def read(name: str, whole: Array, step: Array) -> str:
        for suffix, array in (("whole", whole), ("step", step), ("zero", np.zeros(len(whole), whole.dtype))):
            model.graph.initializer.append(numpy_helper.from_array(array, f"{name}.{suffix}"))
        made.append(helper.make_node("DequantizeLinear", [f"{name}.{s}" for s in ("whole", "step", "zero")], [name], axis=0))
        model.graph.initializer.remove(known[name])
        return name

    for node in model.graph.node:
        name = node.input[1].removeprefix(PREFIX).removesuffix(".conv.weight") if node.op_type == "Conv" else ""
        if name not in steps:
            continue
        weight, bias = (numpy_helper.to_array(known[name]) for name in node.input[1:])
        step = steps[name].numpy()
        whole = np.rint(weight / step[:, None, None, None])
        given = float(numpy_helper.to_array(constants[makers[node.input[0]].input[1]]))
        read(node.input[1], whole.astype(np.int8), step)
        read(node.input[2], np.rint(bias / (step * given)).astype(np.int32), (step * given).astype(np.float32))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*made, *rest])
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def shorten(path: Path) -> None:
    """Number what the nodes hand on, and leave nodes without names, which are a quarter of a file of so many."""
    model = onnx.load(str(path))
    graph = model.graph
    kept = {value.name for value in (*graph.input, *graph.output)} | {tensor.name for tensor in graph.initializer}
    produced = [output for node in graph.node for output in node.output]
    # what is read from a stored weight keeps its name: `recover` finds the weights by it
    short = {name: f"t{n}" for n, name in enumerate(produced) if name not in kept and not name.startswith(PREFIX)}
    for node in graph.node:
        node.name = ""
        node.input[:] = [short.get(name, name) for name in node.input]
        node.output[:] = [short.get(name, name) for name in node.output]
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def shrink(path: Path) -> None:
    """Store what convolutions in floats are given small; onnxruntime makes it floats once, when it loads the file.

    The largest, deep in the network, as int8 with a scale an output channel, the others in half precision.
    """
    model = onnx.load(str(path))
    weights = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    widened: list[onnx.NodeProto] = []
    for tensor in list(model.graph.initializer):
        wide = numpy_helper.to_array(tensor)
        name = tensor.name
        if name not in weights or wide.size < STORED_HALF:
            continue
        if wide.size < STORED_BYTES:
            tensor.CopyFrom(numpy_helper.from_array(wide.astype(np.float16), f"{name}.half"))
            widened.append(helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
            continue
        scale = (np.abs(wide).max(axis=(1, 2, 3), keepdims=True).clip(1e-12) / 127).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(np.rint(wide / scale).astype(np.int8), f"{name}.byte"))
        model.graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
        widened.append(helper.make_node("Cast", [f"{name}.byte"], [f"{name}.whole"], to=onnx.TensorProto.FLOAT))
        widened.append(helper.make_node("Mul", [f"{name}.whole", f"{name}.scale"], [name]))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*widened, *rest])
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
