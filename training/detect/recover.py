"""The torch weights of an exported `horse-detector.onnx`, so that training can go on where no checkpoint was kept.

Weights are stored in half precision, which comes back to within a 2048th of what it was, the largest in bytes, which come
back to within a 254th of the channel's largest. What is multiplied as bytes comes back as it was rounded.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper

from training.detect.integers import become, set_ranges
from training.detect.network import BLOCK, CLASSES, HORSE, RIVALS, Nano, load_coco, space_to_depth
from training.detect.store import PREFIX, RANGES

Array = npt.NDArray[np.float32]

#: The first convolution, which takes the picture's pixels in another layout in the graph: see `network.fold_focus`.
FIRST = "stem.conv.weight"


def weights_in(path: Path) -> dict[str, Array]:
    """Weights and biases of the convolutions by the network's names."""
    graph = onnx.load(str(path)).graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:  # see `store`
        if node.op_type == "DequantizeLinear" and node.input[0] in known and known[node.input[1]].ndim:
            whole, step = (known[name].astype(np.float32) for name in node.input[:2])
            known[node.output[0]] = whole * step.reshape(-1, *[1] * (whole.ndim - 1))
        if node.op_type == "Cast" and node.input[0] in known:
            known[node.output[0]] = known[node.input[0]].astype(np.float32)
        if node.op_type == "Mul" and all(name in known for name in node.input):
            known[node.output[0]] = known[node.input[0]] * known[node.input[1]]
    found: dict[str, Array] = {}
    for node in graph.node:
        if node.op_type == "Conv":
            for name in node.input[1:3]:
                if name.startswith(PREFIX):
                    found[name.removeprefix(PREFIX)] = np.asarray(known[name], np.float32)
    return found


def load_deployed(path: Path, coco: Path) -> Nano:
    """The network of an exported file, with its activations and arithmetic; its other classes, which it lacks, are `coco`'s.

    Raises ValueError when the file lacks a convolution or has it in another shape.
    """
    network = load_coco(coco)
    stored = weights_in(path)
    state = network.state_dict()
    rows = torch.tensor((HORSE, *RIVALS))  # files before version 2.1 lack the last
    for name, value in state.items():
        if name not in stored:
            raise ValueError(f"{path.name} has no {name}: it is not an exported detector.")
        given = torch.from_numpy(stored[name].copy())
        if name == FIRST and given.shape[1] == value.shape[1] // len(BLOCK):
            given = space_to_depth(given)
        if value.shape[0] == len(CLASSES) and len(given) in (len(rows) - 1, len(rows)):
            value[rows[: len(given)]] = given
        elif value.shape == given.shape:
            value.copy_(given)
        else:
            raise ValueError(f"{path.name}: {name} has shape {tuple(given.shape)}, not {tuple(value.shape)}.")
    network.load_state_dict(state)
    model = onnx.load(str(path))
    kept = {entry.key: entry.value for entry in model.metadata_props}
    become(network, any(node.op_type == "HardSwish" for node in model.graph.node), RANGES in kept)
    set_ranges(network, json.loads(kept.get(RANGES, "{}")))
    return network
