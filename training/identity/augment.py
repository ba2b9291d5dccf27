"""One animal, many appearances: box jitter, mirror, light, infra-red, things in front, another background, blur, JPEG."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from training.identity.crops import HEIGHT, WIDTH, Crop, Picture, stretch

Floats32 = npt.NDArray[np.float32]


def view(crop: Crop, rng: np.random.Generator, backgrounds: list[Picture], strong: bool) -> Picture:
    """One augmented crop (HEIGHT, WIDTH, 3) BGR.

    ``strong`` for photographs, mild for rendered horses, which vary by themselves.
    """
    picture = crop.picture
    if crop.mask is not None and backgrounds and rng.random() < 0.7:
        picture = _on_background(crop, backgrounds[int(rng.integers(len(backgrounds)))])
    x, y, w, h = crop.box
    reach = 0.10 if strong else 0.05
    x0, y0, x1, y1 = (float(v) for v in rng.normal(0, reach / 2, 4))
    if strong and rng.random() < 0.35:
        # A part of the animal: cut by the picture's edge or hidden by a door.
        side = int(rng.integers(4))
        cut = float(rng.uniform(0.15, 0.4))
        x0, y0, x1, y1 = (x0 + cut * (side == 0), y0 + cut * (side == 1), x1 - cut * (side == 2), y1 - cut * (side == 3))
    out = stretch(picture, (x + x0 * w, y + y0 * h, w * (1 - x0 + x1), h * (1 - y0 + y1)))
    if rng.random() < 0.5:
        out = np.asarray(out[:, ::-1], np.uint8)
    if strong and rng.random() < 0.7:
        out = _warped(out, rng)
    pixels = out.astype(np.float32) / 255
    pixels = _lit(pixels, rng, strong)
    if rng.random() < (0.4 if strong else 0.25):
        pixels = _infrared(pixels, rng) if rng.random() < 0.7 else _faded(pixels, rng)
    if rng.random() < 0.3:
        pixels = _covered(pixels, rng)
    if rng.random() < 0.3:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.5, 1.8))
    if rng.random() < 0.5:
        pixels = pixels + rng.normal(0, rng.uniform(0.005, 0.05), pixels.shape).astype(np.float32)
    final = np.asarray(np.clip(pixels, 0, 1) * 255, np.uint8)
    if rng.random() < 0.4:
        _, packed = cv2.imencode(".jpg", final, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])
        final = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return final


def _on_background(crop: Crop, background: Picture) -> Picture:
    assert crop.mask is not None
    height, width = crop.mask.shape
    behind = cv2.resize(background, (width, height))
    soft = cv2.GaussianBlur(crop.mask.astype(np.float32), (0, 0), 1.0)[:, :, None]
    return np.asarray(crop.picture * soft + behind * (1 - soft), np.uint8)


def _warped(picture: Picture, rng: np.random.Generator) -> Picture:
    corners = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    moved = corners + rng.normal(0, 0.06, (4, 2)).astype(np.float32) * [WIDTH, HEIGHT]
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), float(rng.normal(0, 7)), 1)
    moved = moved @ turn[:, :2].T + turn[:, 2]
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return np.asarray(cv2.warpPerspective(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _lit(pixels: Floats32, rng: np.random.Generator, strong: bool) -> Floats32:
    """Exposure, gamma, white balance, and a gradient of light across the picture."""
    spread = 1.0 if strong else 0.5
    pixels = np.power(np.maximum(pixels, 0), float(np.exp(rng.normal(0, 0.28 * spread))))
    pixels = pixels * np.exp(rng.normal(0, 0.22 * spread)) * np.exp(rng.normal(0, 0.05 * spread, 3))
    if rng.random() < 0.4 * spread:
        across = np.linspace(*rng.uniform(0.55, 1.3, 2), WIDTH)[None, :, None]
        pixels = pixels * across
    mean = pixels.mean()
    return np.asarray((pixels - mean) * rng.uniform(1 - 0.3 * spread, 1 + 0.25 * spread) + mean, np.float32)


def _infrared(pixels: Floats32, rng: np.random.Generator) -> Floats32:
    """Grey as a night camera sees it: reds brighter than they look by day, dark coats lifted, a lamp in the middle."""
    mix = np.maximum(np.array([0.15, 0.35, 0.5]) + rng.normal(0, 0.08, 3), 0.02)
    grey = np.clip(pixels, 0, 1) @ (mix / mix.sum())
    grey = np.power(grey, rng.uniform(0.5, 1.0)) * rng.uniform(0.5, 1.0)
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    grey = grey * (1 - rng.uniform(0, 0.5) * (x**2 + y**2) / 2) + rng.normal(0, rng.uniform(0, 0.05), grey.shape)
    return np.asarray(np.repeat(grey[:, :, None], 3, axis=2), np.float32)


def _faded(pixels: Floats32, rng: np.random.Generator) -> Floats32:
    grey = pixels.mean(2, keepdims=True)
    return np.asarray(grey + (pixels - grey) * rng.uniform(0, 0.7), np.float32)


def _covered(pixels: Floats32, rng: np.random.Generator) -> Floats32:
    """Bars, a rail or a patch in front."""
    out = pixels.copy()
    colour = rng.uniform(0, 0.9) * np.ones(3) + rng.normal(0, 0.05, 3)
    draw = rng.random()
    if draw < 0.4:
        gap, wide = int(rng.integers(12, 34)), int(rng.integers(1, 5))
        for x in range(int(rng.integers(gap)), WIDTH, gap):
            out[:, x : x + wide] = colour
    elif draw < 0.7:
        y, thick = int(rng.integers(HEIGHT)), int(rng.integers(3, 14))
        out[y : y + thick] = colour
    else:
        w, h = int(rng.integers(20, 70)), int(rng.integers(20, 60))
        x, y = int(rng.integers(WIDTH - w)), int(rng.integers(HEIGHT - h))
        out[y : y + h, x : x + w] = colour
    return out
