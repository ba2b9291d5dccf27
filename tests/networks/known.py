"""ONNX files with the signature of each family whose right answer is known: they find coloured blobs in the picture.

A blob is ``BLUE`` or ``RED`` on anything that is neither. The graphs look for it in the channels the family documents, so a
wrong channel order, scale or offset in an adapter moves or loses the answer.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

BLUE = (250, 10, 10)
RED = (10, 10, 250)
"""In BGR."""

Shape = Sequence[int | str]


class Graph:
    """Builds a graph node by node; every method returns the name of its output."""

    def __init__(self, name: str, shape: Shape, dtype: int = TensorProto.FLOAT) -> None:
        self.input = name
        self._info = helper.make_tensor_value_info(name, dtype, shape)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(self, op: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def const(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def floats(self, value: str) -> str:
        return self.add("Cast", value, to=TensorProto.FLOAT)

    def channel(self, picture: str, index: int, axis: int = 1) -> str:
        return self.add("Gather", picture, self.const(index, np.int64), axis=axis)

    def mask(self, strong: str, weak: str, high: float, low: float) -> str:
        """1 where ``strong`` > high and ``weak`` < low, ``(N, H, W)``."""
        both = self.add("And", self.add("Greater", strong, self.const(high)), self.add("Less", weak, self.const(low)))
        return self.floats(both)

    def edges(self, mask: str) -> tuple[str, str, str, str]:
        """x0, y0, x1, y1 of a mask, ``(N, 1)`` each, in px; the whole input where the mask is empty."""
        columns = self.add("ReduceMax", mask, axes=[1], keepdims=0)
        rows = self.add("ReduceMax", mask, axes=[2], keepdims=0)
        first = [self.floats(self.add("ArgMax", side, axis=1, keepdims=1)) for side in (columns, rows)]
        last = [
            self.add("Add", self.floats(self.add("ArgMax", side, axis=1, keepdims=1, select_last_index=1)), self.const([[1.0]]))
            for side in (columns, rows)
        ]
        return first[0], first[1], last[0], last[1]

    def join(self, values: Sequence[str], axis: int = 1) -> str:
        return self.add("Concat", *values, axis=axis)

    def like(self, value: str, number: float) -> str:
        """``number`` in the shape of ``value``."""
        return self.add("Add", self.add("Mul", value, self.const(0.0)), self.const(number))

    def save(
        self,
        path: Path,
        outputs: Mapping[str, tuple[str, Shape]],
        metadata: Mapping[str, str] | None = None,
        output_type: int = TensorProto.FLOAT,
    ) -> Path:
        nodes = list(self._nodes)
        infos = []
        for name, (value, shape) in outputs.items():
            nodes.append(helper.make_node("Identity", [value], [name]))
            infos.append(helper.make_tensor_value_info(name, output_type, shape))
        model = helper.make_model(
            helper.make_graph(nodes, "known", [self._info], infos, self._constants),
            opset_imports=[helper.make_opsetid("", 17)],
            ir_version=9,
        )
        helper.set_model_props(model, dict(metadata or {}))
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
        return path


def picture(
    width: int, height: int, blobs: Sequence[tuple[tuple[int, int, int, int], tuple[int, int, int]]] = ()
) -> np.ndarray:
    """A dull picture with filled boxes ``((x0, y0, x1, y1), colour)``."""
    image = np.full((height, width, 3), (90, 120, 100), np.uint8)
    for (x0, y0, x1, y1), colour in blobs:
        image[y0:y1, x0:x1] = colour
    return image


def disc(image: np.ndarray, centre: tuple[float, float], radius: float, colour: tuple[int, int, int]) -> None:
    """A filled circle, drawn in place."""
    at = round(centre[0] * 16), round(centre[1] * 16)
    cv2.circle(image, at, round(radius * 16), colour, -1, cv2.LINE_AA, 4)


def _blue_box(graph: Graph, bgr: bool, unit: float) -> tuple[str, str, str, str]:
    """Edges of the blue blob in a planar input whose white is ``unit``."""
    blue, red = (0, 2) if bgr else (2, 0)
    strong, weak = (graph.floats(graph.channel(graph.input, index)) for index in (blue, red))
    return graph.edges(graph.mask(strong, weak, 0.7 * unit, 0.3 * unit))


def _centre_size(graph: Graph, edges: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
    x0, y0, x1, y1 = edges
    half = graph.const(0.5)
    return (
        graph.add("Mul", graph.add("Add", x0, x1), half),
        graph.add("Mul", graph.add("Add", y0, y1), half),
        graph.add("Sub", x1, x0),
        graph.add("Sub", y1, y0),
    )


def _padded(graph: Graph, rows: str, count: int, axis: int) -> str:
    """``(N, 1, K)`` or ``(N, K, 1)`` with zeros after it up to ``count`` along ``axis``."""
    ends = [0] * 6
    ends[3 + axis] = count - 1
    return graph.add("Pad", rows, graph.const(ends, np.int64))


def _row(graph: Graph, values: Sequence[str], axis: int = 1) -> str:
    return graph.add("Unsqueeze", graph.join(values), graph.const([axis], np.int64))


def barnhand_detector(path: Path, *, side: int = 64, batch: Shape = ("n",), metadata: Mapping[str, str] | None = None) -> Path:
    """The blue blob scores 0.9; a box 2 px larger on all sides scores 0.8; a fixed one in the corner 0.2.

    Without a blob, or with nothing else, all score 0. ``side`` 0 leaves the sides free.
    """
    graph = Graph("images", [*batch, 3, side, side] if side else [*batch, 3, "h", "w"])
    edges = _blue_box(graph, bgr=True, unit=255)
    area = graph.add("Mul", graph.add("Sub", edges[2], edges[0]), graph.add("Sub", edges[3], edges[1]))
    size = graph.floats(graph.add("Shape", graph.input))
    whole = graph.add("Mul", graph.channel(size, 2, axis=0), graph.channel(size, 3, axis=0))
    seen = graph.floats(graph.add("Less", area, graph.add("Sub", whole, graph.const(0.5))))
    grown = [graph.add("Add", edge, graph.const(step)) for edge, step in zip(edges, (-2.0, -2.0, 2.0, 2.0), strict=True)]
    fixed = [graph.like(edges[0], value) for value in (0.0, 0.0, 9.0, 9.0)]
    boxes = graph.join([_row(graph, row) for row in (edges, grown, fixed)])
    scores = graph.join([graph.add("Mul", seen, graph.const(value)) for value in (0.9, 0.8, 0.2)])
    stated = {"barnhand.family": "barnhand-detector", "barnhand.version": "1", "licence": "MIT"} | dict(metadata or {})
    return graph.save(path, {"boxes": (boxes, [*batch, 3, 4]), "scores": (scores, [*batch, 3])}, stated)


def yolox(path: Path, *, side: int = 64, batch: int = 1, classes: int = 80) -> Path:
    """The blue blob in cell 0 with objectness 0.9 × horse 0.8; a better cow in the same place."""
    graph = Graph("images", [batch, 3, side, side])
    cx, cy, w, h = _centre_size(graph, _blue_box(graph, bgr=True, unit=255))
    eighth = graph.const(1 / 8)
    place = [graph.add("Mul", value, eighth) for value in (cx, cy)]
    size = [graph.add("Log", graph.add("Mul", value, eighth)) for value in (w, h)]
    kinds = [graph.like(cx, {17: 0.8, 19: 0.95}.get(index, 0.01) if classes > 1 else 0.8) for index in range(classes)]
    rows = _padded(graph, _row(graph, [*place, *size, graph.like(cx, 0.9), *kinds]), 84, axis=1)
    return graph.save(path, {"output": (rows, [batch, 84, 5 + classes])})


def yolo11(
    path: Path, *, side: int = 96, free: bool = False, classes: int = 80, metadata: Mapping[str, str] | None = None
) -> Path:
    """The blue blob scores 0.8 as a horse and 0.9 as a cow; with ``free`` all sizes are free, as in the published file.

    96 px, because at 64 there are as many cells as attributes and the file could as well be a YOLOX.
    """
    shape: Shape = ["batch", 3, "height", "width"] if free else [1, 3, side, side]
    graph = Graph("images", shape)
    values = _centre_size(graph, _blue_box(graph, bgr=False, unit=1))
    kinds = [graph.like(values[0], {17: 0.8, 19: 0.9}.get(index, 0.01) if classes > 1 else 0.8) for index in range(classes)]
    column = _row(graph, [*values, *kinds], axis=2)
    output = _padded(graph, column, 189, axis=2)
    return graph.save(path, {"output0": (output, [shape[0], 4 + classes, "anchors" if free else 189])}, metadata)


def yolo11_end_to_end(path: Path, *, side: int = 64) -> Path:
    """Two rows for the blue blob, a horse at 0.8 and a cow at 0.9; 298 empty ones."""
    graph = Graph("images", [1, 3, side, side])
    edges = _blue_box(graph, bgr=False, unit=1)
    kinds = [
        _row(graph, [*edges, graph.like(edges[0], score), graph.like(edges[0], kind)]) for score, kind in ((0.9, 19), (0.8, 17))
    ]
    ends = [0, 0, 0, 0, 298, 0]
    rows = graph.add("Pad", graph.join(kinds), graph.const(ends, np.int64))
    return graph.save(
        path, {"output0": (rows, [1, 300, 6])}, {"names": "{16: 'dog', 17: 'horse', 19: 'cow'}", "task": "detect"}
    )


def yolov5(path: Path, *, side: int = 64, classes: int = 80) -> Path:
    """The blue blob with objectness 0.9 × horse 0.8, in half precision, as the published file is."""
    graph = Graph("images", [1, 3, side, side], TensorProto.FLOAT16)
    values = _centre_size(graph, _blue_box(graph, bgr=False, unit=1))
    kinds = [graph.like(values[0], 0.8 if index == 17 or classes == 1 else 0.01) for index in range(classes)]
    rows = _padded(graph, _row(graph, [*values, graph.like(values[0], 0.9), *kinds]), 252, axis=1)
    half = graph.add("Cast", rows, to=TensorProto.FLOAT16)
    return graph.save(path, {"output0": (half, [1, 252, 5 + classes])}, {"stride": "32"}, TensorProto.FLOAT16)


def ssdlite(path: Path) -> Path:
    """The blue blob as fractions y0, x0, y1, x1, scored 0.8 in column 18 and 0.9 in the sheep's column 20."""
    graph = Graph("image_tensor:0", ["n", "h", "w", 3], TensorProto.UINT8)
    strong, weak = (graph.floats(graph.channel(graph.input, index, axis=3)) for index in (2, 0))
    x0, y0, x1, y1 = graph.edges(graph.mask(strong, weak, 180, 80))
    size = graph.floats(graph.add("Shape", graph.input))
    height, width = (graph.channel(size, index, axis=0) for index in (1, 2))
    corner = [graph.add("Div", edge, side) for edge, side in ((y0, height), (x0, width), (y1, height), (x1, width))]
    boxes = graph.add("Unsqueeze", _row(graph, corner), graph.const([1], np.int64))
    scores = _row(graph, [graph.like(x0, {18: 0.8, 20: 0.9}.get(index, 0.01)) for index in range(91)])
    return graph.save(path, {"scores": (scores, ["n", 1, 91]), "boxes": (boxes, ["n", 1, 1, 4])})


def _bell(size: int, sigma: float) -> np.ndarray:
    steps = np.arange(size) - size // 2
    values = np.exp(-(steps**2) / (2 * sigma**2))
    return values / values.sum()


def barnhand_pose(path: Path, *, side: int = 64, metadata: Mapping[str, str] | None = None) -> Path:
    """Points named left_… where it is blue, all others where it is red; the heat is a blurred share."""
    from barnhand.core.skeleton import load_skeleton

    skeleton = load_skeleton("horse-20")
    graph = Graph("crops", ["n", 3, side, side])
    red, blue = (graph.channel(graph.input, index) for index in (0, 2))
    bell = _bell(25, 5.0)
    maps = {}
    for name, strong, weak in (("blue", blue, red), ("red", red, blue)):
        mask = graph.add("Unsqueeze", graph.mask(strong, weak, 180, 80), graph.const([1], np.int64))
        soft = graph.add("Conv", mask, graph.const(np.outer(bell, bell)[None, None]), pads=[12] * 4)
        maps[name] = graph.add("AveragePool", soft, kernel_shape=[4, 4], strides=[4, 4])
    heat = graph.join([maps["blue" if name.startswith("left_") else "red"] for name in skeleton.points])
    stated = {"barnhand.family": "barnhand-pose", "barnhand.skeleton": "horse-20", "licence": "MIT"} | dict(metadata or {})
    return graph.save(path, {"heatmaps": (heat, ["n", 20, side // 4, side // 4])}, stated)


def rtmpose(path: Path, *, points: int = 17) -> Path:
    """All points at the blue blob's widest column and row; point k's scores are (k + 1) / ``points`` of the full height."""
    graph = Graph("input", ["batch", 3, 256, 256])
    mean, std = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    red, blue = (
        graph.add("Add", graph.add("Mul", graph.channel(graph.input, i), graph.const(std[i])), graph.const(mean[i]))
        for i in (0, 2)
    )
    mask = graph.mask(blue, red, 180, 80)
    weights = graph.const((np.arange(points)[None, :, None] + 1) / points)
    outputs = {}
    for name, axis in (("simcc_x", 1), ("simcc_y", 2)):
        sums = graph.add("ReduceSum", mask, graph.const([axis], np.int64), keepdims=0)
        wide = graph.add("Unsqueeze", sums, graph.const([1], np.int64))
        # A disc's widest columns are equal; blurred, the one in the middle is the highest.
        smooth = graph.add("Conv", wide, graph.const(_bell(25, 5.0)[None, None]), pads=[12, 12])
        line = graph.add("Squeeze", smooth, graph.const([1], np.int64))
        full = graph.add("Div", line, graph.add("ReduceMax", line, axes=[1], keepdims=1))
        twice = graph.add(
            "Reshape",
            graph.add("Tile", graph.add("Unsqueeze", full, graph.const([2], np.int64)), graph.const([1, 1, 2], np.int64)),
            graph.const([0, 1, -1], np.int64),
        )
        outputs[name] = (graph.add("Mul", twice, weights), ["batch", points, 512])
    return graph.save(path, outputs)


def embedder(path: Path, *, size: int = 256, side: int = 32, metadata: Mapping[str, str] | None = None) -> Path:
    """The first three numbers are the means of the input's channels, the rest are zero."""
    graph = Graph("crops", ["n", 3, side, side])
    means = graph.add("ReduceMean", graph.input, axes=[2, 3], keepdims=0)
    vector = graph.add("Pad", means, graph.const([0, 0, 0, size - 3], np.int64))
    return graph.save(path, {"embedding": (vector, ["n", size])}, metadata)


def barnhand_embedder(path: Path, metadata: Mapping[str, str] | None = None) -> Path:
    """``embedder`` with BarnHand's metadata."""
    return embedder(path, metadata={"barnhand.family": "barnhand-embedder", "licence": "MIT"} | dict(metadata or {}))


def barnhand_verifier(path: Path, *, logit: float = 3.0, metadata: Mapping[str, str] | None = None) -> Path:
    """``logit`` for a crop that is blue in its middle, ``-logit`` for any other; 64 px wide, 32 high."""
    graph = Graph("crops", ["n", 3, 32, 64])
    middle = graph.add(
        "Slice", "crops", graph.const([12, 24], np.int64), graph.const([20, 40], np.int64), graph.const([2, 3], np.int64)
    )
    mean = graph.add("ReduceMean", middle, axes=[2, 3], keepdims=0)
    blue = graph.add("Greater", graph.channel(mean, 2), graph.const(180.0))
    red = graph.add("Less", graph.channel(mean, 0), graph.const(80.0))
    sign = graph.add("Sub", graph.add("Mul", graph.floats(graph.add("And", blue, red)), graph.const(2.0)), graph.const(1.0))
    stated = {"barnhand.family": "barnhand-verifier", "licence": "MIT"} | dict(metadata or {})
    return graph.save(path, {"horse": (graph.add("Mul", sign, graph.const(logit)), ["n"])}, stated)


def stranger(path: Path) -> Path:
    """A network of no family: a vector in, a vector out."""
    graph = Graph("x", ["n", 10])
    return graph.save(path, {"y": (graph.add("Mul", "x", graph.const(2.0)), ["n", 10])})
