"""Overlapping tiles, so that a distant horse is large enough for the network's input.

A picture is looked at whole and as ``n`` × ``n`` windows that overlap; the candidates of all are merged by one suppression.
A window's edge cuts horses: a candidate that touches an edge which is not the picture's own is left to the neighbour, or
to the whole picture.
"""

import math
from collections.abc import Sequence

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.geometry import Window, area, intersection

MARGIN = 0.01
"""How near a window's edge, in window sides, a candidate counts as cut."""
INSIDE = 0.7
"""Share of a window's candidate inside a large horse from which it is a piece of it."""


def windows(width: int, height: int, n: int, overlap: float) -> list[Window]:
    """``n`` × ``n`` windows of one size that cover the picture and share ``overlap`` of their side with a neighbour."""
    if n <= 1:
        return []
    spans = []
    for length in (width, height):
        side = min(length, math.ceil(length / (n - (n - 1) * overlap)))
        starts = np.linspace(0, length - side, n).round().astype(int).tolist()
        spans.append([(start, start + side) for start in starts])
    return [Window(x0, y0, x1, y1) for y0, y1 in spans[1] for x0, x1 in spans[0]]


def to_picture(found: Detections, window: Window, width: int, height: int) -> Detections:
    """A window's candidates in px of the picture, without those its edges cut."""
    boxes = window.to_picture(found.boxes)
    across, down = MARGIN * (window.right - window.left), MARGIN * (window.bottom - window.top)
    whole = ~window.cuts(boxes, (width, height), across, down)
    return Detections(boxes[whole], found.scores[whole])


def merged(whole: Detections, parts: Sequence[Detections], sure: float) -> Detections:
    """The candidates of the whole picture and of its windows in one record.

    A window that shows half a large horse may call the half a horse. So a window's candidate goes when ``INSIDE`` of it
    lies in a box at least twice its size that the whole picture gave a score of ``sure``.
    """
    boxes = np.concatenate([part.boxes for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    large = whole.boxes[whole.scores >= sure]
    size = area(boxes)
    inside = intersection(boxes, large) > INSIDE * size[:, None]
    piece = (inside & (area(large)[None, :] >= 2 * size[:, None])).any(axis=1)
    return Detections(np.concatenate([whole.boxes, boxes[~piece]]), np.concatenate([whole.scores, scores[~piece]]))
