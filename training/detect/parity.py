"""What the torch network answers to a few drawn pictures, kept beside the exported file.

Runtime tests compare the int8 file with it without torch. The archive holds `pictures` (K, 104, 104, 3) uint8 BGR, to be
enlarged fourfold by repeating pixels; `scores` (K, M) of all cells; `cells` (K, 64), the best ones; and `boxes`
(K, 64, 4) of those, x1 y1 x2 y2 in pixels of the 416-pixel input.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from training.detect.export import Deployed

Pixels = npt.NDArray[np.uint8]

ENLARGE = 4
BEST = 64


def drawn_horse(canvas: Pixels, x: int, y: int, size: int, coat: int) -> None:
    """A side view made of ellipses and lines, head to the left, its back at (x, y), in place."""
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


def pictures() -> Pixels:
    """Three drawings (3, 104, 104, 3): one horse on grass, two that overlap, and none."""
    scenes = np.zeros((3, 104, 104, 3), np.uint8)
    for scene in scenes:
        scene[:48] = (225, 190, 160)
        scene[48:] = (70, 130, 90)
    drawn_horse(scenes[0], 56, 46, 60, 40)
    drawn_horse(scenes[1], 62, 40, 44, 200)
    drawn_horse(scenes[1], 44, 52, 44, 50)
    cv2.rectangle(scenes[2], (30, 30), (74, 70), (60, 60, 150), -1)
    return scenes


def enlarged(small: Pixels) -> npt.NDArray[np.float32]:
    """(K, h, w, 3) uint8 to the network's input (K, 3, 4h, 4w) float32."""
    large = small.repeat(ENLARGE, axis=1).repeat(ENLARGE, axis=2)
    return np.ascontiguousarray(large.transpose(0, 3, 1, 2)).astype(np.float32)


def write_parity(deployed: Deployed, path: Path) -> None:
    """Write the archive for the network as it is about to be exported."""
    small = pictures()
    with torch.no_grad():
        boxes, scores = deployed.eval()(torch.from_numpy(enlarged(small)))
    cells = scores.topk(BEST, dim=1).indices
    chosen = boxes.gather(1, cells[..., None].expand(-1, -1, 4))
    np.savez_compressed(path, pictures=small, scores=scores.numpy(), cells=cells.numpy(), boxes=chosen.numpy())
