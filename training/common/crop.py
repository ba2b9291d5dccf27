"""Square crops, letterboxes and the affine maps that take points along.

Pixel convention: coordinate 0 is the centre of the first pixel, so resizing by s maps x to (x + 0.5) * s - 0.5.
An affine map is a (2, 3) float64 matrix from source to target pixels, as OpenCV takes it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

GREY = 114
"""Border value of crops and letterboxes, the same at training and at run time."""

Affine = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]


def square_around(box: tuple[float, float, float, float], scale: float) -> tuple[float, float, float]:
    """(x0, y0, side) of the square centred on box (x, y, w, h) with side = scale * longest box side."""
    x, y, w, h = box
    side = scale * max(w, h)
    return x + w / 2 - side / 2, y + h / 2 - side / 2, side


def square_crop(image: Image, x0: float, y0: float, side: float, size: int) -> tuple[Image, Affine]:
    """Cut a square, rounded to whole pixels, grey outside the picture, resized to (size, size, 3); and its map.

    Shrinking averages areas, so that a large horse does not alias; enlarging is bilinear.
    """
    left, top, edge = round(x0), round(y0), max(2, round(side))
    height, width = image.shape[:2]
    xa, ya, xb, yb = max(left, 0), max(top, 0), min(left + edge, width), min(top + edge, height)
    patch = np.full((edge, edge, 3), GREY, np.uint8)
    if xa < xb and ya < yb:
        patch[ya - top : yb - top, xa - left : xb - left] = image[ya:yb, xa:xb]
    mode = cv2.INTER_AREA if edge > size else cv2.INTER_LINEAR
    resized = cv2.resize(patch, (size, size), interpolation=mode)
    s = size / edge
    move = (0.5 * s - 0.5) - s * np.array([left, top], np.float64)
    return np.asarray(resized, np.uint8), np.array([[s, 0.0, move[0]], [0.0, s, move[1]]])


def letterbox(image: Image, size: int) -> tuple[Image, Affine]:
    """Fit the picture into (size, size, 3), centred on grey, and the map from picture to letterbox."""
    height, width = image.shape[:2]
    s = size / max(height, width)
    w, h = max(1, round(width * s)), max(1, round(height * s))
    mode = cv2.INTER_AREA if s < 1 else cv2.INTER_LINEAR
    left, top = (size - w) // 2, (size - h) // 2
    canvas = np.full((size, size, 3), GREY, np.uint8)
    canvas[top : top + h, left : left + w] = cv2.resize(image, (w, h), interpolation=mode)
    sx, sy = w / width, h / height
    return canvas, np.array([[sx, 0.0, 0.5 * sx - 0.5 + left], [0.0, sy, 0.5 * sy - 0.5 + top]])


def about_centre(
    size_from: int, size_to: int, *, degrees: float, zoom: tuple[float, float], shift: tuple[float, float]
) -> Affine:
    """Rotate, stretch and move about the centre: a map from a (size_from) square to a (size_to) square.

    `zoom` (x, y) is in target pixels a source pixel and acts before the rotation; `shift` is in target pixels.
    """
    turn = np.deg2rad(degrees)
    linear = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) @ np.diag(zoom)
    centre_from, centre_to = (size_from - 1) / 2, (size_to - 1) / 2
    move = np.array([centre_to, centre_to]) + np.asarray(shift) - linear @ np.array([centre_from, centre_from])
    return np.hstack([linear, move[:, None]])


def invert(affine: Affine) -> Affine:
    """The map back."""
    linear = np.linalg.inv(affine[:, :2])
    return np.hstack([linear, -(linear @ affine[:, 2])[:, None]])


def compose(first: Affine, second: Affine) -> Affine:
    """The map that does `first`, then `second`."""
    linear = second[:, :2] @ first[:, :2]
    return np.hstack([linear, (second[:, :2] @ first[:, 2] + second[:, 2])[:, None]])


def move_points(affine: Affine, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """(n, 2) points through the map."""
    return np.asarray(points, np.float64) @ affine[:, :2].T + affine[:, 2]
