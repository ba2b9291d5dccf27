"""From pictures to network inputs: letterboxes, square crops, planes. OpenCV does the work on bytes, one float copy at the end.

Boxes are continuous (a picture's left edge is 0, its right edge its width). Points are pixel centres (the first pixel's
centre is 0), so scaling by ``s`` takes a point ``x`` to ``(x + 0.5) * s - 0.5``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from barnhand.core.frame import Image
from barnhand.core.geometry import Floats, Letterbox

GREY = 114
"""Border of letterboxes and crops, as the YOLO families and BarnHand's own networks were trained with."""
COARSEST = 32
"""Coarsest stride of the YOLO families: sides of their inputs are multiples of it."""


@dataclass(frozen=True)
class Placement:
    """How a picture of ``width`` × ``height`` px lies in a network's input."""

    letterbox: Letterbox
    width: int
    height: int

    @property
    def size(self) -> Floats:
        """``(width, height, width, height)``: what fractions of a box are multiplied with."""
        return np.array([self.width, self.height] * 2, np.float32)


def letterbox(image: Image, width: int, height: int | None = None, *, centred: bool = False) -> tuple[Image, Placement]:
    """The picture scaled into ``(height, width, 3)`` on grey, a square where no ``height`` is given, and how."""
    height = width if height is None else height
    own_height, own_width = image.shape[:2]
    fit = Letterbox.fit(own_width, own_height, width, height, centred=centred)
    w, h = min(width, max(1, round(own_width * fit.scale))), min(height, max(1, round(own_height * fit.scale)))
    resized = image if (w, h) == (own_width, own_height) else cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR)
    if (w, h) == (width, height):
        return np.asarray(resized, np.uint8), Placement(Letterbox(fit.scale), own_width, own_height)
    left, top = (round((width - w) / 2 - 0.1), round((height - h) / 2 - 0.1)) if centred else (0, 0)
    canvas = np.full((height, width, 3), GREY, np.uint8)
    canvas[top : top + h, left : left + w] = resized
    return canvas, Placement(Letterbox(fit.scale, float(left), float(top)), own_width, own_height)


@lru_cache(maxsize=256)
def rectangle(width: int, height: int, pixels: int) -> tuple[int, int]:
    """Width and height of the input, multiples of 32, of at most ``pixels``, that shows a picture at the largest scale.

    Among those that show it as large it is the smallest. ``pixels`` is at least 32².
    """
    scale = 0.0
    for across in range(COARSEST, pixels // COARSEST + 1, COARSEST):
        down = pixels // across // COARSEST * COARSEST
        scale = max(scale, min(across / width, down / height))
    across, down = (COARSEST * math.ceil(round(side * scale / COARSEST, 6)) for side in (width, height))
    return across, down


@dataclass(frozen=True, eq=False)
class Crops:
    """Square crops of one picture.

    ``pixels`` is ``(n, size, size, 3)`` uint8 BGR; ``corner`` ``(n, 2)`` and ``edge`` ``(n,)`` are where they were cut, in
    px of the picture (whole numbers kept as floats).
    """

    pixels: Image
    corner: Floats
    edge: Floats

    def points_to_picture(self, points: Floats) -> Floats:
        """``(n, k, 2)`` pixel-centre points of the crops → of the picture."""
        scale = (self.edge / self.pixels.shape[1])[:, None, None]
        return np.asarray((points + 0.5) * scale - 0.5 + self.corner[:, None], np.float32)


def square_crops(image: Image, boxes: Floats, scale: float, size: int, border: int = GREY) -> Crops:
    """Squares around ``(n, 4)`` boxes with side ``scale`` × the longest box side, rounded to whole pixels.

    Shrinking averages areas, so that a large horse does not alias; enlarging is bilinear.
    """
    n = len(boxes)
    pixels = np.empty((n, size, size, 3), np.uint8)
    corner = np.empty((n, 2), np.float32)
    edge = np.empty(n, np.float32)
    for i, (x0, y0, x1, y1) in enumerate(boxes.astype(np.float64).tolist()):
        side = scale * max(x1 - x0, y1 - y0, 0.0)
        left, top = round((x0 + x1) / 2 - side / 2), round((y0 + y1) / 2 - side / 2)
        whole = max(2, round(side))
        patch = cut(image, left, top, left + whole, top + whole, border)
        mode = cv2.INTER_AREA if whole > size else cv2.INTER_LINEAR
        cv2.resize(patch, (size, size), dst=pixels[i], interpolation=mode)
        corner[i], edge[i] = (left, top), whole
    return Crops(pixels, corner, edge)


def stretched(image: Image, boxes: Floats, width: int, height: int) -> list[Image]:
    """Boxes rounded to whole pixels, at least one, and resized without keeping their shape."""
    crops = []
    for x0, y0, x1, y1 in np.rint(boxes).astype(int).tolist():
        patch = cut(image, x0, y0, max(x1, x0 + 1), max(y1, y0 + 1))
        shrinks = patch.shape[0] > height or patch.shape[1] > width
        mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        crops.append(np.asarray(cv2.resize(patch, (width, height), interpolation=mode), np.uint8))
    return crops


def cut(image: Image, left: int, top: int, right: int, bottom: int, border: int = GREY) -> Image:
    """The pixels of a window, ``border`` where it leaves the picture; a view where it does not."""
    height, width = image.shape[:2]
    xa, ya, xb, yb = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if (xa, ya, xb, yb) == (left, top, right, bottom):
        return image[ya:yb, xa:xb]
    patch = np.full((bottom - top, right - left, 3), border, np.uint8)
    if xa < xb and ya < yb:
        patch[ya - top : yb - top, xa - left : xb - left] = image[ya:yb, xa:xb]
    return patch


def planes(
    pictures: "Sequence[Image] | Image",
    *,
    rgb: bool,
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
    std: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Floats:
    """BGR pictures of one size → ``(n, 3, height, width)`` float32 ``(value - mean) / std``.

    ``mean`` and ``std`` are in units of 0..255 and in the order of the output's channels.
    """
    batch = list(pictures)
    if not batch:
        raise ValueError("planes of no picture have no size")
    height, width = batch[0].shape[:2]
    out = np.empty((len(batch), 3, height, width), np.float32)
    for target, picture in zip(out, batch, strict=True):
        target[:] = (picture[..., ::-1] if rgb else picture).transpose(2, 0, 1)
    if any(mean) or any(value != 1 for value in std):
        out -= np.array(mean, np.float32)[:, None, None]
        out *= (1 / np.array(std, np.float32))[:, None, None]
    return out
