"""YOLOX as its authors export it to ONNX: one output of raw grid predictions.

Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430. Input float32 (N, 3, S, S), BGR 0..255, letterboxed
top-left on grey 114. Output (N, M, 5 + classes) with one row a cell of strides 8, 16, 32: offsets of the centre in cells,
logarithms of the size in cells, objectness and class probabilities (both after the sigmoid). Score = objectness × class.
An export made with the boxes already decoded has the same signature and is not supported.
"""

from collections.abc import Sequence

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.networks.adapter import BoxNetwork, Suppression, horse_class
from barnhand.networks.detectors.reading import cells, corners, one_picture_input, select, square_side
from barnhand.networks.pictures import Placement, letterbox, planes
from barnhand.networks.session import Array, Session, Signature

STRIDES = (8, 16, 32)


class Yolox(BoxNetwork):
    """YOLOX of any size with a fixed square input."""

    family = "yolox"
    suppression = Suppression(iou=0.65)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.side = square_side(session, 416)
        classes = session.signature.outputs[0].size(2)
        self._horse = 5 + horse_class(session, (classes or 85) - 5)
        self._corner, self._stride = grid(self.side)

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """One output whose rows are the cells of the input's three grids."""
        if not one_picture_input(signature) or len(signature.outputs) != 1:
            return False
        side, output = signature.inputs[0].size(2), signature.outputs[0]
        return side is not None and output.rank == 3 and output.size(1) == cells(side) and (output.size(2) or 0) > 5

    def preprocess(self, images: Sequence[Image]) -> tuple[Array, list[Placement]]:
        """Letterboxed BGR planes, 0..255."""
        squares, fits = zip(*(letterbox(image, self.side) for image in images), strict=True)
        return planes(squares, rgb=False), list(fits)

    def postprocess(self, outputs: Sequence[Array], fits: Sequence[Placement], floor: float) -> list[Detections]:
        """Decode the cells that score."""
        found = []
        for rows, fit in zip(outputs[0], fits, strict=True):
            scores = rows[:, 4] * rows[:, self._horse]
            keep = np.flatnonzero(scores >= floor)
            centre = (rows[keep, :2] + self._corner[keep]) * self._stride[keep]
            size = np.exp(np.minimum(rows[keep, 2:4], 10)) * self._stride[keep]
            found.append(select(corners(np.concatenate([centre, size], axis=1)), scores[keep], fit, floor))
        return found


def grid(side: int) -> tuple[Floats, Floats]:
    """Of every cell its corner in cells ``(m, 2)`` and its stride ``(m, 1)``, row by row, finest stride first."""
    places, strides = [], []
    for stride in STRIDES:
        n = side // stride
        y, x = np.mgrid[:n, :n]
        places.append(np.stack([x, y], axis=2).reshape(-1, 2))
        strides.append(np.full((n * n, 1), stride))
    return np.concatenate(places).astype(np.float32), np.concatenate(strides).astype(np.float32)
