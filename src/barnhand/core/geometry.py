"""Boxes, the letterbox and windows.

A box is ``(x0, y0, x1, y1)`` in pixels of the full picture, x right, y down; arrays of boxes are ``(n, 4)`` float32.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from barnhand.core.frame import Image

Floats = npt.NDArray[np.float32]


def area(boxes: Floats) -> Floats:
    """Area in px² of ``(n, 4)`` boxes → ``(n,)``; a box turned inside out has none."""
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(size[:, 0] * size[:, 1], np.float32)


def intersection(a: Floats, b: Floats) -> Floats:
    """Shared area in px² of every pair: ``(n, 4)``, ``(m, 4)`` → ``(n, m)``."""
    return _shared(a, b, 0) * _shared(a, b, 1)


def _shared(a: Floats, b: Floats, axis: int) -> Floats:
    """Shared length in px of every pair along x (0) or y (1); axis by axis numpy takes a tenth of the time."""
    length = np.minimum(a[:, None, axis + 2], b[:, axis + 2])
    length -= np.maximum(a[:, None, axis], b[:, axis])
    return np.maximum(length, 0, out=length)


def iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of every pair: ``(n, 4)``, ``(m, 4)`` → ``(n, m)`` in 0..1."""
    shared = intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - shared
    return np.asarray(shared / np.maximum(union, 1e-6), np.float32)


def xywh(boxes: Floats) -> Floats:
    """Corner boxes → COCO's ``x, y, width, height``, ``(n, 4)`` both."""
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def xyxy(boxes: Floats) -> Floats:
    """COCO's ``x, y, width, height`` → corner boxes, ``(n, 4)`` both."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def clip(boxes: Floats, width: int, height: int) -> Floats:
    """Boxes cut to the picture of ``width`` × ``height`` px."""
    limit = np.array([width, height, width, height], np.float32)
    return np.clip(boxes, 0, limit).astype(np.float32)


@dataclass(frozen=True)
class Letterbox:
    """How a picture was scaled into a network's input: ``input = picture * scale + (dx, dy)``, all in px."""

    scale: float
    dx: float = 0.0
    dy: float = 0.0

    @classmethod
    def fit(cls, width: int, height: int, across: int, down: int | None = None, *, centred: bool = False) -> "Letterbox":
        """The largest scale that fits ``width`` × ``height`` into ``across`` × ``down``, top-left or centred.

        Without ``down`` the input is a square.
        """
        down = across if down is None else down
        if min(width, height, across, down) <= 0:
            raise ValueError(f"a letterbox needs positive sizes, got {width} x {height} into {across} x {down}")
        scale = min(across / width, down / height)
        if not centred:
            return cls(scale)
        return cls(scale, (across - width * scale) / 2, (down - height * scale) / 2)

    def to_input(self, points: Floats) -> Floats:
        """Picture → input for ``(..., 2)`` points or ``(..., 4)`` boxes."""
        shift = np.array([self.dx, self.dy] * (points.shape[-1] // 2), np.float32)
        return np.asarray(points * np.float32(self.scale) + shift, np.float32)

    def to_picture(self, points: Floats) -> Floats:
        """Input → picture for ``(..., 2)`` points or ``(..., 4)`` boxes."""
        shift = np.array([self.dx, self.dy] * (points.shape[-1] // 2), np.float32)
        return np.asarray((points - shift) / np.float32(self.scale), np.float32)


class Window(NamedTuple):
    """A part of a picture, in whole px of it."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, image: Image) -> Image:
        """The pixels, a view."""
        return image[self.top : self.bottom, self.left : self.right]

    def to_picture(self, boxes: Floats) -> Floats:
        """``(n, 4)`` boxes in px of the window → in px of the picture."""
        return np.asarray(boxes + np.array([self.left, self.top] * 2, np.float32), np.float32)

    def cuts(self, boxes: Floats, size: tuple[int, int], across: float, down: float) -> npt.NDArray[np.bool_]:
        """Whether each of ``(n, 4)`` boxes in px of the picture touches an edge of the window that is not the picture's own.

        ``size``: width and height of the picture. ``across`` and ``down``: how near in px an edge counts as touched.
        """
        return np.asarray(
            ((boxes[:, 0] <= self.left + across) & (self.left > 0))
            | ((boxes[:, 1] <= self.top + down) & (self.top > 0))
            | ((boxes[:, 2] >= self.right - across) & (self.right < size[0]))
            | ((boxes[:, 3] >= self.bottom - down) & (self.bottom < size[1])),
            np.bool_,
        )
