"""Doors, walls and hedges: things that hide a part of an animal, and the box of what can still be seen of it."""

from __future__ import annotations

import cv2
import numpy as np

from training.detect.augment import Array, Pixels, Rng, Scene

#: How much of a box a cover hides, along one side.
HIDDEN = (0.2, 0.55)
#: An animal of which a cover that does not reach across it hides more than this becomes a region to ignore.
MOST = 0.5


def surface(width: int, height: int, rng: Rng) -> Pixels:
    """Something flat (height, width, 3): one colour with shade and grain, half the time boards."""
    colour = rng.uniform(10, 245, 3) if rng.random() < 0.4 else rng.uniform(20, 230) * rng.uniform(0.85, 1.15, 3)
    shade = np.linspace(rng.uniform(0.7, 1.1), rng.uniform(0.7, 1.1), height, dtype=np.float32)[:, None, None]
    board = np.full((height, width, 3), colour, np.float32) * shade
    if rng.random() < 0.5:
        gap, upright = int(rng.integers(8, 40)), rng.random() < 0.5
        for at in range(0, width if upright else height, gap):
            strip = board[:, at : at + gap] if upright else board[at : at + gap]
            strip *= rng.uniform(0.8, 1.15)
            (strip[:, :1] if upright else strip[:1])[:] *= 0.4
    coarse = rng.standard_normal((max(2, height // 3), max(2, width // 3), 1)).astype(np.float32)
    grain = cv2.resize(coarse, (width, height)).reshape(height, width, 1) * rng.uniform(0, 14)
    return np.asarray(np.clip(board + grain, 0, 255), np.uint8)


def cover(scene: Scene, rng: Rng) -> None:
    """Hide the lower part of one animal, or one end of it; its box becomes that of the rest."""
    if not len(scene.boxes):
        return
    x1, y1, x2, y2 = (float(v) for v in scene.boxes[int(rng.integers(len(scene.boxes)))])
    wide, tall, share = x2 - x1, y2 - y1, rng.uniform(*HIDDEN)
    over = rng.uniform(0.03, 0.6, 2)
    side = rng.choice(["below", "left", "right"], p=[0.6, 0.2, 0.2])
    if side == "below":
        hiding = (x1 - over[0] * wide, y2 - share * tall, x2 + over[1] * wide, y2 + rng.uniform(0.02, 0.4) * tall)
    else:
        inner, outer = share * wide, rng.uniform(0.02, 0.6) * wide
        span = (x1 - outer, x1 + inner) if side == "left" else (x2 - inner, x2 + outer)
        hiding = (span[0], y1 - over[0] * tall, span[1], y2 + over[1] * tall)
    size_y, size_x = scene.pixels.shape[:2]
    left, top, right, bottom = (round(float(np.clip(v, 0, top))) for v, top in zip(hiding, (size_x, size_y) * 2, strict=True))
    if right - left < 3 or bottom - top < 3:
        return
    scene.pixels[top:bottom, left:right] = surface(right - left, bottom - top, rng)
    rests = [rest(box, (left, top, right, bottom)) for box in scene.boxes]
    seen = np.array([r is not None for r in rests])
    scene.ignore = np.concatenate([scene.ignore, scene.boxes[~seen]])
    scene.boxes = np.array([r for r in rests if r is not None], np.float32).reshape(-1, 4)
    scene.labels = scene.labels[seen]


def rest(box: Array, hiding: tuple[int, int, int, int]) -> Array | None:
    """What is left of a box behind a cover that reaches across it; the whole box where it does not; None if too little."""
    x1, y1, x2, y2 = (float(v) for v in box)
    left, top, right, bottom = hiding
    shared = max(0.0, min(x2, right) - max(x1, left)) * max(0.0, min(y2, bottom) - max(y1, top))
    if shared == 0:
        return box
    if left <= x1 and right >= x2:
        if bottom >= y2 and top > y1:
            y2 = top
        elif top <= y1 and bottom < y2:
            y1 = bottom
    elif top <= y1 and bottom >= y2:
        if right >= x2 and left > x1:
            x2 = left
        elif left <= x1 and right < x2:
            x1 = right
    left_over = (x2 - x1) * (y2 - y1) / max(1e-6, float(np.prod(box[2:] - box[:2])))
    if left_over == 1.0:  # the cover does not reach across
        return box if shared <= MOST * (x2 - x1) * (y2 - y1) else None
    return np.array([x1, y1, x2, y2], np.float32) if left_over >= 1 - HIDDEN[1] - 0.01 else None
