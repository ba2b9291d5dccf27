"""YOLOv5 as its repository's ``export.py`` writes it to ONNX.

Input float (N, 3, S, S), half or single precision, RGB 0..1, letterboxed centred on grey 114. Output (N, M, 5 + classes):
centre x, centre y, width, height in input px, objectness, class probabilities; three anchors a cell of strides 8, 16, 32.
Score = objectness × class. https://docs.ultralytics.com/yolov5/tutorials/model_export/
"""

from collections.abc import Sequence

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.frame import Image
from barnhand.networks.adapter import BoxNetwork, Suppression, horse_class
from barnhand.networks.detectors.reading import cells, corners, one_picture_input, select, square_side
from barnhand.networks.pictures import Placement, letterbox, planes
from barnhand.networks.session import Array, Session, Signature

ANCHORS = 3
"""Boxes a cell predicts."""


class Yolov5(BoxNetwork):
    """YOLOv5 of any size."""

    family = "yolov5"
    suppression = Suppression(iou=0.65)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.side = square_side(session, 640)
        attributes = session.signature.outputs[0].size(2)
        self._horse = 5 + horse_class(session, (attributes or 85) - 5)

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """The first output's rows are three anchors for each cell; free sizes count when the metadata are YOLOv5's."""
        if not one_picture_input(signature) or not signature.outputs:
            return False
        output, side = signature.outputs[0], signature.inputs[0].size(2)
        attributes = output.size(2) if output.rank == 3 else None
        if attributes is None or attributes < 6:
            return False
        if side is not None and output.size(1) is not None:
            return output.size(1) == ANCHORS * cells(side)
        return output.size(1) is None and "stride" in signature.metadata and "task" not in signature.metadata

    def preprocess(self, images: Sequence[Image]) -> tuple[Array, list[Placement]]:
        """Letterboxed RGB planes, 0..1."""
        squares, fits = zip(*(letterbox(image, self.side, centred=True) for image in images), strict=True)
        return planes(squares, rgb=True, std=(255.0, 255.0, 255.0)), list(fits)

    def postprocess(self, outputs: Sequence[Array], fits: Sequence[Placement], floor: float) -> list[Detections]:
        """Multiply the two probabilities; the boxes are decoded in the graph."""
        found = []
        for rows, fit in zip(outputs[0], fits, strict=True):
            scores = rows[:, 4].astype(np.float32) * rows[:, self._horse]
            keep = np.flatnonzero(scores >= floor)
            found.append(select(corners(rows[keep, :4].astype(np.float32)), scores[keep], fit, floor))
        return found
