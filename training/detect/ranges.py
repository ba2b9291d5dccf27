"""Which range of each activation the 256 levels of int8 cover.

The smallest and largest value seen serve this network badly: SiLU maps everything below about -8 to nothing, yet
pre-activations reach -100, and rare peaks would cost every other value its resolution. So each range is chosen to
make the squared error after the activation smallest, over a few lower and upper ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

Array = npt.NDArray[np.float32]

LOWER = (-3.0, -4.0, -5.0, -6.0, -8.0, -10.0)
UPPER = (99.0, 99.5, 99.9, 99.97, 99.99, 100.0)
#: Values of a tensor looked at, per picture.
SAMPLE = 6000


def silu(x: Array) -> Array:
    return np.asarray(x / (1 + np.exp(-np.clip(x, -60, 60))), np.float32)


def rounded(x: Array, low: float, high: float) -> Array:
    """Through uint8 and back."""
    scale = (high - low) / 255
    zero = round(-low / scale)
    return np.asarray((np.clip(np.round(x / scale) + zero, 0, 255) - zero) * scale, np.float32)


def best_range(values: Array, activated: bool) -> tuple[float, float]:
    """The range that keeps `values` best, or SiLU of them (`activated`)."""
    wanted = silu(values) if activated else values
    floor = float(values.min())
    lows = sorted({max(floor, low) for low in LOWER}) if activated else [floor]
    highs = sorted({float(np.percentile(values, share)) for share in UPPER})
    found = (float("inf"), -1.0, 1.0)
    for low in lows:
        for high in highs:
            ends = min(low, -1e-3), max(high, 1e-3)
            kept = rounded(values, *ends)
            error = float(np.mean(((silu(kept) if activated else kept) - wanted) ** 2))
            found = min(found, (error, *ends))
    return found[1], found[2]


def activation_ranges(path: Path, types: Sequence[str], pictures: Iterable[Array]) -> dict[str, tuple[float, float]]:
    """Ranges for the outputs of all nodes of the given types, from what they give on `pictures` (1, 3, S, S)."""
    model = onnx.load(str(path))
    kinds = {node.output[0]: node.op_type for node in model.graph.node if node.op_type in types}
    activated = {node.input[0] for node in model.graph.node if node.op_type == "Sigmoid"}
    names = list(kinds)
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names if name not in known)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    seen: dict[str, list[Array]] = {name: [] for name in names}
    for picture in pictures:
        for name, value in zip(names, session.run(names, {"images": picture}), strict=True):
            flat = value.ravel()
            seen[name].append(flat[rng.integers(0, flat.size, SAMPLE)].astype(np.float32))
    return {
        name: (0.0, 1.0) if kinds[name] == "Sigmoid" else best_range(np.concatenate(seen[name]), name in activated)
        for name in names
    }
