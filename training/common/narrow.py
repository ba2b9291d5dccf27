"""Int8 weights that every processor multiplies right.

Processors without VNNI multiply pairs of int8 weights with pairs of uint8 activations and keep the sum of both products in
16 bits (`vpmaddubsw`). 255 · 127 · 2 does not fit, and onnxruntime's kernels let it saturate. Where two neighbouring weights
of one output could reach that, all weights of the output lose a bit, at twice the scale. Depthwise convolutions are computed
another way and keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

#: The largest sum of two weights whose products with activations of up to 255 fit into 16 bits.
LIMIT = 32767 // 255
#: Axis of the outputs in the weights of each dense operator.
OUTPUTS = {"Conv": 0, "Gemm": 0, "MatMul": 1}


def saturating(weights: npt.NDArray[np.int8], axis: int) -> npt.NDArray[np.bool_]:
    """Which outputs along `axis` have two neighbours, in the order in which they are summed, that leave 16 bits."""
    rows = np.moveaxis(weights.astype(np.int32), axis, 0)
    if rows.ndim == 4:  # input channels of one place follow one another
        rows = rows.transpose(0, 2, 3, 1)
    rows = rows.reshape(len(rows), -1)
    pairs = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2))).reshape(len(rows), -1, 2)
    # Activations are never negative, so weights of unlike signs do not add up.
    furthest = np.maximum(pairs.clip(min=0).sum(2), -pairs.clip(max=0).sum(2))
    return np.asarray((furthest > LIMIT).any(1))


def narrow(path: Path) -> int:
    """Rewrite the weights of a QDQ file that saturate, in place; how many outputs lost a bit. A second time changes nothing."""
    model = onnx.load(str(path))
    known = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    lost: dict[str, npt.NDArray[np.bool_]] = {}
    for node in model.graph.node:
        sources = list(_stored(node, makers, known))
        rows = next((_rows(known, source, OUTPUTS[node.op_type], lost) for source in sources), None)
        # The bias is summed in units of the weights' scale times the activations', so it changes with them.
        for source in sources:
            if rows is not None and source.input[0] not in lost:
                _lose_a_bit(known, source, rows, OUTPUTS[node.op_type])
                lost[source.input[0]] = rows
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return sum(int(rows.sum()) for name, rows in lost.items() if known[name].data_type == onnx.TensorProto.INT8)


def _stored(
    node: onnx.NodeProto, makers: dict[str, onnx.NodeProto], known: dict[str, onnx.TensorProto]
) -> Iterator[onnx.NodeProto]:
    """The nodes that make a dense operator's weights and bias out of stored integers."""
    groups = next((a.i for a in node.attribute if a.name == "group"), 1)
    if node.op_type in OUTPUTS and groups == 1:
        for name in node.input[1:]:
            source = makers.get(name)
            if source is not None and source.op_type == "DequantizeLinear" and source.input[0] in known:
                yield source


def _rows(
    known: dict[str, onnx.TensorProto], weights: onnx.NodeProto, axis: int, lost: dict[str, npt.NDArray[np.bool_]]
) -> npt.NDArray[np.bool_]:
    """Which outputs of these weights lose a bit, or lost it when another operator with the same weights came by."""
    name, scale = weights.input[:2]
    if name in lost:
        return lost[name]
    rows = saturating(numpy_helper.to_array(known[name]), axis)
    return rows if numpy_helper.to_array(known[scale]).size > 1 else np.full_like(rows, rows.any())


def halved(values: npt.NDArray[np.int_], axis: int) -> npt.NDArray[np.int_]:
    """Half of all values, odd ones rounded up and down in turn along each output, so that its sum keeps."""
    if values.ndim == 1:
        return np.asarray(np.rint(values / 2), values.dtype)
    rows = np.moveaxis(values, axis, 0)
    flat = rows.reshape(len(rows), -1).astype(np.int64)
    odd = flat % 2
    up = odd & (np.cumsum(odd, 1) % 2)
    return np.moveaxis(((flat - odd) // 2 + up).reshape(rows.shape), 0, axis).astype(values.dtype)


def _lose_a_bit(known: dict[str, onnx.TensorProto], source: onnx.NodeProto, rows: npt.NDArray[np.bool_], axis: int) -> None:
    """Halve the values of the given outputs and double their scale; `axis` is that of weights, a bias has but one."""
    values, scale = (numpy_helper.to_array(known[name]) for name in source.input[:2])
    shape = [1] * values.ndim
    shape[axis if values.ndim > 1 else 0] = -1
    kept = np.where(rows.reshape(shape), halved(values, axis), values).astype(values.dtype)
    wider = np.where(rows if scale.size > 1 else rows.any(), scale * 2, scale).astype(scale.dtype)
    for name, new in zip(source.input[:2], (kept, wider), strict=True):
        known[name].CopyFrom(numpy_helper.from_array(new.reshape(known[name].dims), name))
