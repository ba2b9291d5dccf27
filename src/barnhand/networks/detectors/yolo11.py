"""YOLO11 and YOLOv8 as Ultralytics exports them to ONNX (the two share one format, and so do YOLOv5u and YOLO26).

Input float (N, 3, S, S), RGB 0..1, letterboxed centred on grey 114; S may be free, then the metadata ``imgsz`` says it.
Output either (N, 4 + classes, M): centre x, centre y, width, height in input px and class probabilities, no objectness;
or, exported end to end, (N, K, 6): corners, score, class, already suppressed.
https://docs.ultralytics.com/modes/export/ and https://docs.ultralytics.com/guides/end2end-detection/
"""

import ast
from collections.abc import Sequence

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.errors import ModelError
from barnhand.core.frame import Image
from barnhand.networks.adapter import BoxNetwork, Suppression, horse_class
from barnhand.networks.detectors.reading import cells, corners, one_picture_input, select, square_side
from barnhand.networks.pictures import Placement, letterbox, planes
from barnhand.networks.session import Array, Session, Signature


class Yolo11(BoxNetwork):
    """A detector exported by the ``ultralytics`` package."""

    family = "yolo11"
    suppression = Suppression(iou=0.65)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        task = session.signature.metadata.get("task", "detect")
        if task != "detect":
            raise ModelError(f"{session.name} was exported for the task {task!r}; BarnHand needs one for detect")
        self.side = square_side(session, _imgsz(session.signature))
        output = session.signature.outputs[0]
        self._end_to_end = _end_to_end(session.signature)
        count = 80 if self._end_to_end else (output.size(1) or 84) - 4
        self._horse = horse_class(session, count)

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """One output of attributes × cells, or of detections × 6; free sizes count when the metadata are Ultralytics'."""
        if not one_picture_input(signature) or len(signature.outputs) != 1:
            return False
        output, side = signature.outputs[0], signature.inputs[0].size(2)
        if output.rank != 3:
            return False
        if _end_to_end(signature):
            return True
        attributes, places = output.size(1) or 0, output.size(2)
        if side is not None and places is not None:
            return attributes > 4 and places == cells(side)
        return attributes > 4 and "names" in signature.metadata

    def preprocess(self, images: Sequence[Image]) -> tuple[Array, list[Placement]]:
        """Letterboxed RGB planes, 0..1."""
        squares, fits = zip(*(letterbox(image, self.side, centred=True) for image in images), strict=True)
        return planes(squares, rgb=True, std=(255.0, 255.0, 255.0)), list(fits)

    def postprocess(self, outputs: Sequence[Array], fits: Sequence[Placement], floor: float) -> list[Detections]:
        """Read either output format."""
        read = self._finished if self._end_to_end else self._cells
        return [read(rows, fit, floor) for rows, fit in zip(outputs[0], fits, strict=True)]

    def _cells(self, rows: Array, fit: Placement, floor: float) -> Detections:
        scores = rows[4 + self._horse]
        keep = np.flatnonzero(scores >= floor)
        return select(corners(rows[:4, keep].T.astype(np.float32)), scores[keep], fit, floor)

    def _finished(self, rows: Array, fit: Placement, floor: float) -> Detections:
        horses = rows[np.rint(rows[:, 5]) == self._horse]
        return select(horses[:, :4], horses[:, 4], fit, floor)


def _end_to_end(signature: Signature) -> bool:
    """Rows of six that are no cells; one class of YOLOX or YOLOv5 has rows of six too, one or three a cell."""
    output, side = signature.outputs[0], signature.inputs[0].size(2)
    rows = output.size(1)
    if output.rank != 3 or output.size(2) != 6:
        return False
    if side is None or rows is None:
        return "task" in signature.metadata
    return rows not in {cells(side), 3 * cells(side)}


def _imgsz(signature: Signature) -> int:
    try:
        value = ast.literal_eval(signature.metadata.get("imgsz", "640"))
    except (ValueError, SyntaxError):
        return 640
    sizes = [int(v) for v in (value if isinstance(value, list | tuple) else [value])]
    return max(sizes, default=640)
