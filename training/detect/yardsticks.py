"""The two public COCO detectors the horse detector is measured against, and mined with.

Both give, for a BGR picture, the boxes of one class after non-maximum suppression, in pixels of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from barnhand.networks.pictures import letterbox
from training.detect.suppress import suppress

Array = npt.NDArray[np.float32]


class Detector(Protocol):
    """Anything that finds boxes in a picture."""

    def __call__(self, picture: npt.NDArray[np.uint8]) -> tuple[Array, Array]:
        """BGR (H, W, 3) to boxes (N, 4) x1 y1 x2 y2 in its pixels and scores (N,), best first."""
        ...


def session(path: Path) -> ort.InferenceSession:
    """A session on one thread, which is how BarnHand runs its networks."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class YoloxNano:
    """YOLOX-nano's COCO file; `row` is the class (horse = 17)."""

    name = "yolox_nano_coco"

    def __init__(self, path: Path, row: int = 17, floor: float = 0.01, iou: float = 0.65) -> None:
        self.session, self.row, self.floor, self.iou = session(path), row, floor, iou
        corners, strides = [], []
        for stride in (8, 16, 32):
            n = 416 // stride
            y, x = np.mgrid[:n, :n]
            corners.append(np.stack([x, y], 2).reshape(-1, 2))
            strides.append(np.full((n * n, 1), stride))
        self.corners = np.concatenate(corners).astype(np.float32)
        self.strides = np.concatenate(strides).astype(np.float32)

    def raw(self, picture: npt.NDArray[np.uint8]) -> tuple[Array, Array, Array]:
        """All cells: boxes (M, 4) in pixels of the picture, objectness (M,), classes (M, 80)."""
        canvas, placed = letterbox(picture, 416)
        out = self.session.run(None, {"images": canvas.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
        centre = (out[:, :2] + self.corners) * self.strides
        half = np.exp(out[:, 2:4]) * self.strides / 2
        boxes = np.concatenate([centre - half, centre + half], 1) / placed.letterbox.scale
        return boxes.astype(np.float32), out[:, 4], out[:, 5:]

    def __call__(self, picture: npt.NDArray[np.uint8]) -> tuple[Array, Array]:
        boxes, objectness, classes = self.raw(picture)
        return suppress(inside(boxes, picture), objectness * classes[:, self.row], self.iou, self.floor)


class Ssdlite:
    """SSDLite MobileNet v2's COCO file; `column` of its scores is the class (horse = 18)."""

    name = "ssdlite_mobilenet_v2_coco"

    def __init__(self, path: Path, column: int = 18, floor: float = 0.01, iou: float = 0.6) -> None:
        self.session, self.column, self.floor, self.iou = session(path), column, floor, iou

    def __call__(self, picture: npt.NDArray[np.uint8]) -> tuple[Array, Array]:
        rgb = np.ascontiguousarray(picture[None, ..., ::-1])
        scores, boxes = self.session.run(None, {self.session.get_inputs()[0].name: rgb})
        height, width = picture.shape[:2]
        corners = boxes[0, :, 0][:, [1, 0, 3, 2]] * np.array([width, height, width, height], np.float32)
        return suppress(inside(corners, picture), scores[0, :, self.column], self.iou, self.floor)


def inside(boxes: Array, picture: npt.NDArray[np.uint8]) -> Array:
    """Boxes cut off at the picture's edges."""
    height, width = picture.shape[:2]
    return np.clip(boxes, 0, np.array([width, height, width, height], np.float32)).astype(np.float32)


YARDSTICKS: Mapping[str, Callable[[Path], Detector]] = {
    "yolox_nano_coco": YoloxNano,
    "ssdlite_mobilenet_v2_coco": Ssdlite,
}
