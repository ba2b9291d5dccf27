"""What happens to a picture before the network sees it: placing, light, noise, bars. All with exact boxes.

Every function takes its own `numpy.random.Generator`, so a sample is a function of its number and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.detect.data import Picture
from training.detect.network import HORSE

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator

#: A box of which less than this share is still in view becomes a region to ignore.
VISIBLE = 0.3
#: So does one whose shorter side is below this many pixels of the canvas.
SMALLEST = 5.0


@dataclass
class Scene:
    """A canvas being composed. Boxes x1, y1, x2, y2 in its pixels; `labels` go with `boxes`."""

    pixels: Pixels
    boxes: Array
    labels: npt.NDArray[np.int64]
    ignore: Array

    @staticmethod
    def blank(size: int, colour: tuple[int, int, int] = (114, 114, 114)) -> Scene:
        pixels = np.full((size, size, 3), colour, np.uint8)
        return Scene(pixels, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros((0, 4), np.float32))


def transform(boxes: Array, matrix: Array) -> Array:
    """Axis-aligned boxes through scale, mirror and shift: `matrix` (2, 3) with zero off-diagonals."""
    scale = np.array([matrix[0, 0], matrix[1, 1]], np.float32)
    shift = matrix[:, 2]
    a, b = boxes[:, :2] * scale + shift, boxes[:, 2:] * scale + shift
    return np.concatenate([np.minimum(a, b), np.maximum(a, b)], 1).astype(np.float32)


def clip(boxes: Array, window: tuple[int, int, int, int]) -> tuple[Array, Array]:
    """Boxes cut at the window (x1, y1, x2, y2), and the share of each that is left."""
    x1, y1, x2, y2 = window
    low, high = np.array([x1, y1, x1, y1]), np.array([x2, y2, x2, y2])
    cut = np.clip(boxes, low, high).astype(np.float32)
    before = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    after = np.prod(cut[:, 2:] - cut[:, :2], axis=1)
    return cut, (after / np.maximum(before, 1e-6)).astype(np.float32)


def warp(pixels: Pixels, matrix: Array, shape: tuple[int, int], onto: Pixels) -> Pixels:
    """Draw `pixels` through `matrix` over `onto` (H, W, 3); shrinking averages instead of skipping pixels."""
    smaller = max(abs(float(matrix[0, 0])), abs(float(matrix[1, 1])))
    if smaller < 0.7:
        height, width = pixels.shape[:2]
        reduced = (max(1, round(width * smaller)), max(1, round(height * smaller)))
        pixels = np.asarray(cv2.resize(pixels, reduced, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix.copy()
        matrix[:, 0] *= width / reduced[0]
        matrix[:, 1] *= height / reduced[1]
    # warpAffine maps pixel centres, boxes are in pixel edges: shift by half a pixel on both sides.
    centred = matrix.copy()
    centred[0, 2] += 0.5 * matrix[0, 0] - 0.5
    centred[1, 2] += 0.5 * matrix[1, 1] - 0.5
    drawn = cv2.warpAffine(
        pixels, centred, (shape[1], shape[0]), dst=onto.copy(), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    return np.asarray(drawn, np.uint8)


def placement(picture: Picture, pixels: Pixels, width: int, height: int, zoom: float, rng: Rng) -> Array:
    """A matrix that puts the picture into a width×height window, `zoom` times the size that just fits.

    Aspect varies a little, half are mirrored, and a zoomed-in window usually looks at an animal.
    """
    h, w = pixels.shape[:2]
    aspect = float(np.exp(rng.uniform(-0.15, 0.15)))
    scale = min(width / w, height / h) * zoom
    sx, sy = scale * aspect**0.5, scale / aspect**0.5
    free_x, free_y = width - w * sx, height - h * sy
    tx = rng.uniform(min(0.0, free_x), max(0.0, free_x))
    ty = rng.uniform(min(0.0, free_y), max(0.0, free_y))
    if len(picture.boxes) and (free_x < 0 or free_y < 0) and rng.random() < 0.75:
        box = picture.boxes[rng.integers(len(picture.boxes))]
        cx, cy = rng.uniform(box[0], box[2]) * sx, rng.uniform(box[1], box[3]) * sy
        tx = float(np.clip(rng.uniform(0.2, 0.8) * width - cx, min(0.0, free_x), max(0.0, free_x)))
        ty = float(np.clip(rng.uniform(0.2, 0.8) * height - cy, min(0.0, free_y), max(0.0, free_y)))
    matrix = np.array([[sx, 0, tx], [0, sy, ty]], np.float32)
    if rng.random() < 0.5:
        matrix[0] = [-sx, 0, tx + w * sx]
    return matrix


def closeness(picture: Picture, size: int, rng: Rng) -> Array:
    """A matrix that shows a part of one of the picture's horses: the longer side of its box is 1 to 1.7 times the canvas."""
    horses = picture.boxes[picture.labels == HORSE]
    box = horses[rng.integers(len(horses))]
    scale = float(size / max(1.0, (box[2:] - box[:2]).max()) * np.exp(rng.uniform(0, np.log(1.7))))
    matrix = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
    for axis in range(2):
        low, high = box[axis] * scale, box[axis + 2] * scale
        # The canvas stays on the horse where that is the larger, and the horse on the canvas where it is the smaller.
        matrix[axis, 2] = -rng.uniform(*sorted((low, high - size)))
    if rng.random() < 0.5:
        matrix[0] = [-scale, 0, size - matrix[0, 2]]
    return matrix


def place(scene: Scene, picture: Picture, pixels: Pixels, matrix: Array, window: tuple[int, int, int, int]) -> None:
    """Draw a picture into a window of the scene and add its boxes."""
    x1, y1, x2, y2 = window
    part = scene.pixels[y1:y2, x1:x2]
    scene.pixels[y1:y2, x1:x2] = warp(pixels, matrix, (y2 - y1, x2 - x1), part)
    moved = matrix.copy()
    moved[:, 2] += (x1, y1)
    cut, share = clip(transform(picture.boxes, moved), window)
    side = np.minimum(cut[:, 2] - cut[:, 0], cut[:, 3] - cut[:, 1])
    keep = (share > VISIBLE) & (side > SMALLEST)
    ignored, left = clip(transform(picture.ignore, moved), window)
    scene.boxes = np.concatenate([scene.boxes, cut[keep]])
    scene.labels = np.concatenate([scene.labels, picture.labels[keep]])
    scene.ignore = np.concatenate([scene.ignore, cut[~keep & (share > 0)], ignored[left > 0]])


def paste(scene: Scene, cutout: Pixels, mask: Pixels, corner: tuple[int, int], label: int = HORSE) -> bool:
    """Put a cut-out (h, w, 3) with mask (h, w, 0 or 255) into the scene, its top left at `corner`.

    What it covers by more than 65 % is no longer a label, by 50–65 % is ignored; boxes of the others stay whole, as
    people draw them. Returns False, and changes nothing, when too little of it would be in view.
    """
    size_y, size_x = scene.pixels.shape[:2]
    x, y = corner
    h, w = mask.shape
    x1, y1, x2, y2 = max(0, x), max(0, y), min(size_x, x + w), min(size_y, y + h)
    if x2 - x1 < 9 or y2 - y1 < 9:
        return False
    seen = mask[y1 - y : y2 - y, x1 - x : x2 - x]
    columns, rows = np.flatnonzero((seen > 127).any(0)), np.flatnonzero((seen > 127).any(1))
    if len(columns) < 7 or len(rows) < 7 or (seen > 127).sum() < VISIBLE * (mask > 127).sum():
        return False
    alpha = (cv2.GaussianBlur(seen, (3, 3), 0).astype(np.float32) / 255)[..., None]
    under = scene.pixels[y1:y2, x1:x2]
    over = cutout[y1 - y : y2 - y, x1 - x : x2 - x]
    scene.pixels[y1:y2, x1:x2] = (under * (1 - alpha) + over * alpha).astype(np.uint8)
    covered = np.zeros(len(scene.boxes), np.float32)
    for i, box in enumerate(scene.boxes):
        bx1, by1, bx2, by2 = (int(v) for v in box)
        inner = seen[max(by1 - y1, 0) : max(by2 - y1, 0), max(bx1 - x1, 0) : max(bx2 - x1, 0)]
        covered[i] = (inner > 127).sum() / max(1.0, (bx2 - bx1) * (by2 - by1))
    half = (covered >= 0.5) & (covered < 0.65)
    keep = covered < 0.5
    box = np.array([[x1 + columns[0], y1 + rows[0], x1 + columns[-1] + 1, y1 + rows[-1] + 1]], np.float32)
    scene.ignore = np.concatenate([scene.ignore, scene.boxes[half]])
    scene.boxes = np.concatenate([scene.boxes[keep], box])
    scene.labels = np.concatenate([scene.labels[keep], [label]])
    return True


def turned(pixels: Pixels, mask: Pixels, degrees: float) -> tuple[Pixels, Pixels]:
    """A cut-out (h, w, 3) and its mask (h, w), turned on a canvas that holds all of it and cut to the mask again."""
    h, w = mask.shape
    side = int(np.ceil(np.hypot(h, w))) + 2
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    matrix[:, 2] += (side - w) / 2, (side - h) / 2
    seen = cv2.warpAffine(mask, matrix, (side, side))
    drawn = cv2.warpAffine(pixels, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    rows, columns = np.flatnonzero((seen > 127).any(1)), np.flatnonzero((seen > 127).any(0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return np.ascontiguousarray(drawn[window], np.uint8), np.ascontiguousarray(seen[window], np.uint8)


def bars(pixels: Pixels, rng: Rng) -> None:
    """Stall bars or fence rails in front of everything, drawn in place."""
    size = pixels.shape[0]
    colour = [int(v) for v in rng.integers(0, 256, 3)] if rng.random() < 0.3 else [int(rng.integers(0, 256))] * 3
    width = int(rng.integers(1, max(3, size // 45)))
    if rng.random() < 0.6:
        gap = int(rng.integers(size // 16, size // 5))
        left, right = sorted(rng.integers(0, size, 2))
        top, bottom = (0, size) if rng.random() < 0.5 else tuple(sorted(rng.integers(0, size, 2)))
        for x in range(int(left), int(right), gap):
            cv2.line(pixels, (x, int(top)), (x, int(bottom)), colour, width)
    else:
        for y in rng.integers(0, size, int(rng.integers(1, 4))):
            cv2.line(pixels, (0, int(y)), (size, int(y + rng.integers(-25, 26))), colour, 2 * width)


def infrared(pixels: npt.NDArray[Any], rng: Rng) -> Array:
    """A night camera: one channel, bright coats where leaves and hay reflect, a lamp's vignette."""
    weights = rng.dirichlet([1.0, 1.5, 2.5]).astype(np.float32)
    grey: npt.NDArray[Any] = pixels @ weights
    if rng.random() < 0.3:
        grey = 255 * (grey / 255) ** rng.uniform(0.5, 0.9)
    size_y, size_x = grey.shape
    y, x = np.mgrid[:size_y, :size_x].astype(np.float32)
    cy, cx = rng.uniform(0.3, 0.7) * size_y, rng.uniform(0.3, 0.7) * size_x
    distance = ((y - cy) ** 2 + (x - cx) ** 2) / (rng.uniform(0.45, 1.1) * size_x) ** 2
    grey = grey * (rng.uniform(0.1, 0.4) + np.exp(-distance)) * rng.uniform(0.5, 1.1)
    return np.repeat(grey[..., None], 3, axis=2).astype(np.float32)


def light(pixels: Pixels, rng: Rng) -> Pixels:
    """Exposure, colour, contrast, dusk, infra-red, blur, noise and JPEG; leaves boxes where they are."""
    out: npt.NDArray[Any] = pixels.astype(np.float32)
    out *= rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3).astype(np.float32)
    mean = float(out.mean())
    out = (out - mean) * rng.uniform(0.75, 1.25) + mean + rng.uniform(-15, 15)
    np.clip(out, 0, 255, out)
    kind = rng.random()
    if kind < 0.12:
        out = infrared(out, rng)
    elif kind < 0.18:
        out = np.repeat(out.mean(2, keepdims=True), 3, axis=2)
    elif kind < 0.34:
        grey = out.mean(2, keepdims=True)
        out = grey + (out - grey) * rng.uniform(0.2, 1.7)
    elif kind < 0.42:
        out = 255 * (np.clip(out, 0, 255) / 255) ** rng.uniform(1.3, 2.6) * rng.uniform(0.35, 1.0)
    if rng.random() < 0.12:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.6))
    elif rng.random() < 0.05:
        length = int(rng.integers(3, 9))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        out = cv2.filter2D(out, -1, kernel if rng.random() < 0.7 else kernel.T)
    if rng.random() < 0.15:
        half = rng.standard_normal((out.shape[0] // 2, out.shape[1] // 2, 1 if kind < 0.18 else 3), np.float32)
        noise = cv2.resize(half, (out.shape[1], out.shape[0]))
        out += noise.reshape(*out.shape[:2], -1) * rng.uniform(3, 16)
    result = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.12:
        _, packed = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])
        result = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return result
