"""A second look at the part of a picture where the first one saw something: nearer, and from the original pixels.

The first look sees the whole picture. What it takes for a horse lies in some window of it; the second look sees that window,
mirrored, as large as its own share of pixels allows. Horses that are small in the picture are seen larger, a herd in a narrow
band most of all, and a picture in which nothing was seen costs one look. The candidates of both looks go into one
suppression. A candidate that only one look sees is often none, so each score is multiplied by the best of the other look's
candidates around it, to a power.
"""

from dataclasses import dataclass

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.geometry import Window, area, iou

EDGE = 3.0
"""How near a window's edge, in px of the picture, a box counts as cut by it."""
BEST = 400
"""Candidates of a look that take part, best first."""


@dataclass(frozen=True)
class Closer:
    """How the second look is taken.

    A window around all boxes that score at least ``least``, widened by ``margin`` of their mean side, becomes an input of at
    most ``area`` px at a scale at most ``zoom`` times the first look's. Scores are multiplied by the best score of the other
    look at an overlap of at least ``overlap``, at least ``unseen``, to the power ``agree``.
    """

    area: int
    least: float = 0.1
    margin: float = 0.25
    zoom: float = 2.0
    agree: float = 0.35
    unseen: float = 0.01
    overlap: float = 0.45

    def __post_init__(self) -> None:
        shares = 0 < self.least < 1 and 0 < self.unseen <= 1 and 0 < self.overlap <= 1
        if self.area < 1 or not shares or min(self.margin, self.agree) < 0 or self.zoom <= 0:
            raise ValueError(
                f"a second look wants area >= 1, least, unseen and overlap in 0..1, margin and agree >= 0, zoom > 0, got {self}"
            )


def best(found: Detections) -> Detections:
    """The candidates that take part."""
    return found if len(found) <= BEST else found[np.argsort(-found.scores, kind="stable")[:BEST]]


def window(found: Detections, how: Closer, width: int, height: int) -> Window | None:
    """Where to look again in a picture of ``width`` × ``height`` px, ``None`` where nothing was seen."""
    boxes = found.boxes[found.scores >= how.least]
    if not len(boxes):
        return None
    margin = how.margin * float(np.sqrt(area(boxes)).mean())
    left, top = np.floor(boxes[:, :2].min(axis=0) - margin).astype(int).tolist()
    right, bottom = np.ceil(boxes[:, 2:].max(axis=0) + margin).astype(int).tolist()
    return Window(max(left, 0), max(top, 0), min(right, width), min(bottom, height))


def agreed(first: Detections, second: Detections, where: Window | None, size: tuple[int, int], how: Closer) -> Detections:
    """The candidates of both looks with their scores after what the other look says.

    ``size``: width and height of the picture. What the edge of the window cuts does not count as seen by the second look.
    """
    if where is None:
        return Detections(first.boxes, first.scores * np.float32(how.unseen**how.agree))
    second = second[~where.cuts(second.boxes, size, EDGE, EDGE)]
    overlap = iou(first.boxes, second.boxes) >= how.overlap
    centre = (first.boxes[:, :2] + first.boxes[:, 2:]) / 2
    low, high = np.array(where[:2]), np.array(where[2:])
    inside = np.all((centre >= low) & (centre <= high), axis=1)
    seen = np.where(overlap & inside[:, None], second.scores[None, :], 0).max(axis=1, initial=how.unseen)
    said = np.where(overlap, first.scores[:, None], 0).max(axis=0, initial=how.unseen)
    scores = np.concatenate([first.scores * seen**how.agree, second.scores * said**how.agree])
    return Detections(np.concatenate([first.boxes, second.boxes]), scores.astype(np.float32))
