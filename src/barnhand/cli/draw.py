"""Boxes, skeletons and labels on a picture, sized to the picture and readable on any ground.

Colours are those of the page: boxes sky blue, joints goldenrod, bones forest green with a light edge so that they show on a
dark horse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.core.pose import Pose
from barnhand.core.skeleton import load_skeleton

Colour = tuple[int, int, int]

SKY_BLUE: Colour = (0xEB, 0xCE, 0x87)
GOLDENROD: Colour = (0x20, 0xA5, 0xDA)
FOREST_GREEN: Colour = (0x16, 0x50, 0x2D)
PALE_GREEN: Colour = (0xB8, 0xE0, 0xC4)
INK: Colour = (0x2A, 0x24, 0x1C)
"""Blue, green, red."""

LEAST = 0.3
"""Score from which a point is drawn."""
FINE = 3
"""Bits of a pixel's fraction that drawing keeps."""


@dataclass(frozen=True, eq=False)
class Marked:
    """One horse to be drawn: its ``(4,)`` box in px, what to write on it, its skeleton and the box's colour."""

    box: Floats
    label: str = ""
    pose: Pose | None = None
    colour: Colour = SKY_BLUE


def draw(image: Image, horses: Sequence[Marked], *, least: float = LEAST) -> Image:
    """A copy of the BGR picture with the horses on it."""
    drawn = image.copy()
    unit = max(1.0, min(image.shape[:2]) / 540)
    for horse in horses:
        _box(drawn, horse, unit)
    for horse in horses:
        if horse.pose is not None:
            _skeleton(drawn, horse.pose, unit, least)
    for horse in horses:
        if horse.label:
            _label(drawn, horse, unit)
    return drawn


def _box(image: Image, horse: Marked, unit: float) -> None:
    first, second = _fine(horse.box[:2]), _fine(horse.box[2:])
    line = max(2, round(2 * unit))
    cv2.rectangle(image, first, second, INK, line + max(1, round(unit)), cv2.LINE_AA, FINE)
    cv2.rectangle(image, first, second, horse.colour, line, cv2.LINE_AA, FINE)


def _skeleton(image: Image, pose: Pose, unit: float, least: float) -> None:
    skeleton = load_skeleton(pose.skeleton)
    shown = (pose.scores >= least) & np.isfinite(pose.points).all(axis=1)
    bones = [(skeleton.index(a), skeleton.index(b)) for a, b in skeleton.bones]
    lines = [(_fine(pose.points[a]), _fine(pose.points[b])) for a, b in bones if shown[a] and shown[b]]
    thick = max(2, round(2.2 * unit))
    for start, end in lines:
        cv2.line(image, start, end, PALE_GREEN, thick + max(2, round(1.4 * unit)), cv2.LINE_AA, FINE)
    for start, end in lines:
        cv2.line(image, start, end, FOREST_GREEN, thick, cv2.LINE_AA, FINE)
    radius = round(max(2.5, 3.4 * unit) * (1 << FINE))
    for point in pose.points[shown]:
        cv2.circle(image, _fine(point), radius + (1 << FINE), INK, -1, cv2.LINE_AA, FINE)
        cv2.circle(image, _fine(point), radius, GOLDENROD, -1, cv2.LINE_AA, FINE)


def _label(image: Image, horse: Marked, unit: float) -> None:
    """Dark letters on the box's colour, above the box where there is room, else inside it."""
    font, size = cv2.FontFace("sans"), max(13, round(15 * unit))
    height, width = image.shape[:2]
    _, _, wide, _ = cv2.getTextSize((0, 0), horse.label, (0, 0), font, size, 600)
    pad = max(3, round(size * 0.35))
    tall = size + 2 * pad
    left = int(np.clip(round(float(horse.box[0])), 0, max(0, width - wide - 2 * pad)))
    top = round(float(horse.box[1])) - tall
    top = int(np.clip(top if top >= 0 else round(float(horse.box[1])), 0, max(0, height - tall)))
    cv2.rectangle(image, (left, top), (left + wide + 2 * pad, top + tall), horse.colour, -1)
    cv2.putText(image, horse.label, (left + pad, top + tall - pad - round(size * 0.12)), INK, font, size, 600)


def _fine(point: Floats) -> tuple[int, int]:
    # OpenCV draws with 16 bits of whole px; a point far outside must not wrap round.
    x, y = np.clip(np.nan_to_num(point), -8000, 8000)
    return round(float(x) * (1 << FINE)), round(float(y) * (1 << FINE))
