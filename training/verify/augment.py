"""A stored crop as a box of the detector would show it: moved a little, mirrored, or turned as who lies looks from above.

Nothing else is changed. The blocks below the head know grey, dark and distant pictures already; taught with more of them, or
with the stronger views the appearance network learns from, the head told horses from dogs worse.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from training.identity.crops import HEIGHT, WIDTH, Picture
from training.identity.store import TALL, WIDE

JITTER = 0.12
"""How far each edge of a box may be off, in sides of the box."""


def view(stored: Picture, rng: np.random.Generator, turned: bool = False) -> Picture:
    """One crop (HEIGHT, WIDTH, 3) BGR of a stored one (TALL, WIDE, 3), `turned` by any angle first.

    Everything is turned, horses and others, so that being turned says nothing. Without it a pony that lies flat is called none.
    """
    if turned:
        matrix = cv2.getRotationMatrix2D((WIDE / 2, TALL / 2), float(rng.uniform(30, 330)), 1.0)
        stored = np.asarray(cv2.warpAffine(stored, matrix, (WIDE, TALL), borderMode=cv2.BORDER_REFLECT_101), np.uint8)
    size = np.array([WIDE, TALL, WIDE, TALL])
    half = np.array([-WIDTH, -HEIGHT, WIDTH, HEIGHT]) / 2
    edges = size / 2 + half + rng.uniform(-JITTER, JITTER, 4) * np.abs(half) * 2
    left, top, right, bottom = np.clip(np.rint(edges), 0, size).astype(int).tolist()
    part: npt.NDArray[np.uint8] = stored[top:bottom, left:right]
    out = cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return np.asarray(out[:, ::-1] if rng.random() < 0.5 else out, np.uint8)
