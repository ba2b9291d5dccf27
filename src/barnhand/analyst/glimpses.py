"""How good a view of a horse is, and what it shows of it: what the gallery is told beside the vector."""

import numpy as np

from barnhand.core.frame import Image
from barnhand.core.geometry import Floats, area, intersection
from barnhand.core.pose import Pose

SMALL = 64.0
"""Shorter side in px from which a horse is large enough to be told by its looks."""
EDGE = 2.0
"""A box that comes this near to the border (px) is cut off by it."""
GREY = 6.0
"""Mean spread of the colours (0..255) below which a picture has none: infra-red at night."""


def qualities(boxes: Floats, scores: Floats, width: int, height: int) -> Floats:
    """How well each horse shows, ``(n, 4)`` and ``(n,)`` → ``(n,)`` in 0..1.

    The product of the detector's score, the share not covered by other boxes, the size, and 0.6 for one cut by the border.
    """
    if not len(boxes):
        return np.zeros(0, np.float32)
    shared = intersection(boxes, boxes) / np.maximum(area(boxes), 1e-6)[:, None]
    np.fill_diagonal(shared, 0.0)
    free = 1.0 - np.clip(shared.max(axis=1), 0.0, 1.0)
    side = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    cut = (boxes[:, :2] <= EDGE).any(axis=1) | (boxes[:, 2] >= width - EDGE) | (boxes[:, 3] >= height - EDGE)
    quality = scores * free * np.clip(side / SMALL, 0.0, 1.0) * np.where(cut, 0.6, 1.0)
    return np.asarray(quality, np.float32)


def is_grey(image: Image) -> bool:
    """Whether a picture has no colour, as from a camera in infra-red."""
    few = image[::16, ::16].astype(np.int16)
    return float((few.max(axis=2) - few.min(axis=2)).mean()) < GREY


def kind_of(pose: Pose | None, box: Floats, *, grey: bool, least: float = 0.3) -> str:
    """What a look shows: ``left`` or ``right`` (the way the horse faces), ``end`` (front or back), ``night`` added in grey."""
    side = "any"
    if pose is not None:
        head = pose.point("nose", least) or _ears(pose, least)
        tail = pose.point("tail_base", least) if pose.skeleton == "horse-20" else pose.point("tail_root", least)
        if head is not None and tail is not None:
            across = (head[0] - tail[0]) / max(float(box[2] - box[0]), 1.0)
            side = "end" if abs(across) < 0.3 else "right" if across > 0 else "left"
    return f"{side}-night" if grey else side


def _ears(pose: Pose, least: float) -> tuple[float, float] | None:
    return pose.point("left_eye", least) or pose.point("right_eye", least)
