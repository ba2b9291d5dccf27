"""What the torch network answers to a few pictures, kept beside the exported file.

Runtime tests compare the int8 file with it without torch. The archive holds `images` (K, 3, 416, 416) uint8, the
network's input, and torch's `boxes` (K, M, 4) and `scores` (K, M), half precision: 0.25 px up to 512 px.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from barnhand.networks.pictures import letterbox
from training.detect.export import Deployed

Pixels = npt.NDArray[np.uint8]

#: Pictures are stored in half the input's resolution, each pixel twice in both directions, so that they pack well.
ENLARGE = 2


def drawn_horse(canvas: Pixels, x: int, y: int, size: int, coat: int) -> None:
    """A side view made of ellipses and lines, head to the left, the middle of its trunk at (x, y), in place."""
    colour = (coat, coat, coat + 10)

    def at(dx: float, dy: float) -> tuple[int, int]:
        return round(x + dx * size), round(y + dy * size)

    thick = max(1, round(0.09 * size))
    cv2.ellipse(canvas, at(0, 0), (round(0.45 * size), round(0.19 * size)), 0, 0, 360, colour, -1)
    cv2.line(canvas, at(-0.36, -0.05), at(-0.58, -0.36), colour, round(0.17 * size))
    cv2.line(canvas, at(-0.58, -0.38), at(-0.8, -0.22), colour, round(0.12 * size))
    cv2.line(canvas, at(-0.56, -0.42), at(-0.55, -0.5), colour, thick)
    for dx, knee in ((-0.34, -0.36), (-0.25, -0.24), (0.28, 0.33), (0.37, 0.4)):
        cv2.line(canvas, at(dx, 0.08), at(knee, 0.36), colour, thick)
        cv2.line(canvas, at(knee, 0.36), at(knee, 0.62), colour, thick)
    cv2.line(canvas, at(0.43, -0.06), at(0.56, 0.3), (20, 20, 20), thick)


def drawing(size: int) -> Pixels:
    """Two drawn horses that overlap, a dark one in front of a light one, on grass: (size, size, 3)."""
    scene = np.zeros((size, size, 3), np.uint8)
    scene[: size // 2] = (225, 190, 160)
    scene[size // 2 :] = (70, 130, 90)
    drawn_horse(scene, round(0.6 * size), round(0.4 * size), round(0.42 * size), 200)
    drawn_horse(scene, round(0.42 * size), round(0.5 * size), round(0.42 * size), 50)
    return scene


def write_parity(deployed: Deployed, path: Path, rendered: Sequence[Pixels], size: int = 416) -> None:
    """Write the archive for the network as it is about to be exported; `rendered`: pictures to add to the drawing."""
    # With a camera's noise: in a flat region all values may lie at the border of two bytes, and fall to either side together.
    noise = np.random.default_rng(4).integers(-8, 9, (size // ENLARGE, size // ENLARGE, 3))
    drawn = np.clip(drawing(size // ENLARGE) + noise, 0, 255).astype(np.uint8)
    small = [drawn, *(letterbox(picture, size // ENLARGE)[0] for picture in rendered)]
    images = np.stack(small).repeat(ENLARGE, axis=1).repeat(ENLARGE, axis=2).transpose(0, 3, 1, 2)
    with torch.no_grad():
        boxes, scores = deployed.eval()(torch.from_numpy(np.ascontiguousarray(images)).float())
    half = {"boxes": boxes.numpy().astype(np.float16), "scores": scores.numpy().astype(np.float16)}
    np.savez_compressed(path, images=images, **half)
