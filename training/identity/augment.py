"""One animal, many appearances: box jitter, mirror, light, infra-red, things in front, distance, blur, JPEG.

Everything works on bytes with OpenCV: a view costs well under a millisecond, a tenth of the training step it feeds.
"""

from __future__ import annotations

import cv2
import numpy as np

from training.identity.crops import HEIGHT, WIDTH, Picture
from training.identity.store import TALL, WIDE

LEVELS = np.arange(256, dtype=np.float32)[:, None] / 255
DOWN, ACROSS = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)


def view(stored: Picture, rng: np.random.Generator, strong: bool, night: bool = False) -> Picture:
    """One augmented crop (HEIGHT, WIDTH, 3) BGR of a stored one (TALL, WIDE, 3).

    ``strong`` for photographs, which are there once each; mild for rendered horses, which vary by themselves. ``night``: as
    an infra-red camera sees it.
    """
    out = _cut(stored, rng, strong)
    chance = rng.random(7)
    if night or chance[0] < 0.28:
        out = _grey(out, rng)
        if night or chance[0] < 0.14:
            out = _lamplit(out, rng)
    elif chance[0] < 0.36:
        out = _faded(out, float(rng.uniform(0.2, 0.9)))
    out = np.asarray(cv2.LUT(out, _curves(rng, strong)), np.uint8)
    # Rendered pictures already have covers, distance, blur and noise of their own.
    often = 1.0 if strong else 0.5
    if chance[1] < 0.3 * often:
        out = _covered(out, rng)
    if chance[2] < 0.3 * often:
        far = float(np.exp(rng.uniform(np.log(0.22 if strong else 0.4), 0)))
        small = cv2.resize(out, None, fx=far, fy=far, interpolation=cv2.INTER_AREA)
        out = np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)
    elif chance[2] < 0.45 * often:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.8)), np.uint8)
    if chance[3] < 0.3 * often:
        # One draw of noise serves all rows, shifted: cheaper by far than a draw a pixel.
        noise = (rng.standard_normal(4096) * rng.uniform(1, 12)).astype(np.float32)
        starts = rng.integers(0, 4096 - WIDTH * 3, HEIGHT)
        rows = np.lib.stride_tricks.sliding_window_view(noise, WIDTH * 3)[starts]
        out = np.clip(out + rows.reshape(HEIGHT, WIDTH, 3), 0, 255).astype(np.uint8)
    if chance[4] < 0.2 * often:
        _, packed = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])
        out = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(out, np.uint8)


def _cut(stored: Picture, rng: np.random.Generator, strong: bool) -> Picture:
    """The box, jittered, turned a little and mirrored every other time; now and then only a part of it."""
    reach = 0.07 if strong else 0.045
    x0, y0, x1, y1 = np.clip(rng.normal(0, reach, 4), -0.12, 0.2)
    if rng.random() < (0.3 if strong else 0.15):
        side, cut = int(rng.integers(4)), float(rng.uniform(0.12, 0.42))
        x0, y0, x1, y1 = (v + cut * (side == k) for k, v in enumerate((x0, y0, x1, y1)))
    edge_x, edge_y = (WIDE - WIDTH) / 2, (TALL - HEIGHT) / 2
    left, right = edge_x + x0 * WIDTH, edge_x + WIDTH - x1 * WIDTH
    top, bottom = edge_y + y0 * HEIGHT, edge_y + HEIGHT - y1 * HEIGHT
    corners = np.array([[left, top], [right, top], [left, bottom]], np.float32)
    angle = float(rng.normal(0, 6 if strong else 3)) * np.pi / 180
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = ((corners - middle) @ turn + middle).astype(np.float32)
    mirrored = rng.random() < 0.5
    targets = np.array([[WIDTH, 0], [0, 0], [WIDTH, HEIGHT]] if mirrored else [[0, 0], [WIDTH, 0], [0, HEIGHT]], np.float32)
    matrix = cv2.getAffineTransform(corners, targets)
    return np.asarray(cv2.warpAffine(stored, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _curves(rng: np.random.Generator, strong: bool) -> Picture:
    """Exposure, gamma, white balance and contrast as one table (256, 1, 3) of bytes."""
    spread = 1.0 if strong else 0.6
    gamma = float(np.exp(rng.normal(0, 0.25 * spread)))
    gains = float(np.exp(rng.normal(0, 0.2 * spread))) * np.exp(rng.normal(0, 0.05 * spread, 3))
    contrast, middle = float(rng.uniform(1 - 0.3 * spread, 1 + 0.25 * spread)), float(rng.uniform(0.3, 0.5))
    table = (np.power(LEVELS, gamma) * gains - middle) * contrast + middle
    return np.asarray(np.clip(table, 0, 1)[:, None, :] * 255, np.uint8)


def _grey(picture: Picture, rng: np.random.Generator) -> Picture:
    """Grey as a night camera sees it: reds brighter than by day, dark coats lifted."""
    mix = np.maximum(np.array([0.15, 0.35, 0.5]) + rng.normal(0, 0.08, 3), 0.02)
    grey = cv2.transform(picture, (mix / mix.sum()).astype(np.float32)[None])
    lifted = np.asarray(255 * np.power(LEVELS[:, 0], rng.uniform(0.5, 1.0)) * rng.uniform(0.6, 1.0), np.uint8)
    return np.asarray(cv2.cvtColor(cv2.LUT(grey, lifted), cv2.COLOR_GRAY2BGR), np.uint8)


def _lamplit(picture: Picture, rng: np.random.Generator) -> Picture:
    """Bright where the camera's lamp points, dark around it."""
    x, y = rng.uniform(0.2, 0.8) * WIDTH, rng.uniform(0.1, 0.7) * HEIGHT
    reach = float(rng.uniform(0.6, 1.5)) * WIDTH
    light = np.exp(-((ACROSS - x) ** 2 + (DOWN - y) ** 2) / reach**2) * rng.uniform(1.0, 1.5)
    return np.asarray(np.clip(picture * light[:, :, None], 0, 255), np.uint8)


def _faded(picture: Picture, keep: float) -> Picture:
    matrix = np.full((3, 3), (1 - keep) / 3, np.float32) + np.eye(3, dtype=np.float32) * keep
    return np.asarray(cv2.transform(picture, matrix), np.uint8)


def _covered(picture: Picture, rng: np.random.Generator) -> Picture:
    """Bars, a rail or a patch in front."""
    out = picture.copy()
    colour = np.clip(rng.uniform(0, 230) + rng.normal(0, 12, 3), 0, 255)
    draw = rng.random()
    if draw < 0.3:
        gap, wide = int(rng.integers(12, 34)), int(rng.integers(1, 5))
        for x in range(int(rng.integers(gap)), WIDTH, gap):
            out[:, x : x + wide] = colour
    elif draw < 0.55:
        y, thick = int(rng.integers(HEIGHT)), int(rng.integers(3, 14))
        out[y : y + thick] = colour
    else:
        w, h = int(rng.integers(20, 80)), int(rng.integers(20, 64))
        x, y = int(rng.integers(WIDTH - w)), int(rng.integers(HEIGHT - h))
        out[y : y + h, x : x + w] = colour
    return out
