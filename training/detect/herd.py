"""Herds: rows of cut-out horses that gallop, walk or stand in front of one another, and the box of what is seen of each.

In photographs of several horses the far ones show a head, a back or a quarter, and networks draw one box around two of them.
A few hundred pictures hold few herds, so these are put together from photographed side views with masks.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from training.detect.augment import Array, Pixels, Rng, Scene
from training.detect.data import Picture, mask_of
from training.detect.network import HORSE

#: A horse of which less than this share is seen, or whose shorter side is below that many pixels, becomes a region to ignore.
SEEN, SMALLEST = 0.2, 8
#: How far from the middle of one horse to that of the next, in widths of a horse.
APART = (0.2, 1.1)
#: Horses in a herd.
FEWEST, MOST = 1, 9
#: Share of herds of one coat, so that no horse stands out from the one behind it.
ALIKE = 0.4


def cutout(picture: Picture) -> tuple[Pixels, Pixels]:
    """A horse (h, w, 3) and its mask (h, w), cut to the mask."""
    pixels, mask = picture.read(), mask_of(picture)
    rows, columns = np.flatnonzero((mask > 127).any(1)), np.flatnonzero((mask > 127).any(0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return np.asarray(pixels[window], np.uint8), np.asarray(mask[window], np.uint8)


def ground(size: int, rng: Rng) -> Pixels:
    """Something plain to stand on (size, size, 3): two shades that meet at a soft horizon, and coarse and fine grain."""
    far, near = rng.uniform(40, 230, 3), rng.uniform(30, 210, 3)
    far, near = (c.mean() + (c - c.mean()) * rng.uniform(0.1, 0.6) for c in (far, near))
    height = (np.arange(size, dtype=np.float32) / size - rng.uniform(-0.2, 0.6)) * rng.uniform(2, 30)
    share = (1 / (1 + np.exp(-height)))[:, None, None]
    drawn = np.repeat(far * (1 - share) + near * share, size, axis=1)
    for wide, tall, most in ((size // 8, size // 3, 25), (size // 2, size // 2, 14)):
        grain = rng.standard_normal((max(2, tall), max(2, wide))).astype(np.float32) * rng.uniform(0, most)
        drawn = drawn + cv2.resize(grain, (size, size))[..., None]
    return np.asarray(np.clip(drawn, 0, 255), np.uint8)


def blurred(mask: Pixels, blur: float) -> tuple[Array, int]:
    """A mask as shares 0…1, blurred, with a margin of so many pixels to fade in."""
    margin = int(np.ceil(2.5 * blur))
    around = cv2.copyMakeBorder(mask, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.GaussianBlur(around.astype(np.float32) / 255, (0, 0), blur), np.float32), margin


class Herd:
    """A scene in which one horse after the other is drawn, from far to near; `owner` (S, S) says whose each pixel is."""

    def __init__(self, back: Pixels) -> None:
        self.pixels = back.astype(np.float32)
        self.owner: npt.NDArray[np.int32] = np.full(back.shape[:2], -1, np.int32)
        self.sizes: list[int] = []

    def _over(self, alpha: Array, colour: Array, corner: tuple[int, int]) -> tuple[npt.NDArray[np.bool_], tuple[slice, slice]]:
        """Blend `colour` (h, w, 3) in by `alpha` (h, w); what was covered by more than a half, and where on the canvas."""
        (x, y), (h, w), (down, across) = corner, alpha.shape, self.owner.shape
        x1, y1, x2, y2 = max(0, x), max(0, y), min(across, x + w), min(down, y + h)
        window = slice(y1, max(y1, y2)), slice(x1, max(x1, x2))
        part = slice(y1 - y, max(y1, y2) - y), slice(x1 - x, max(x1, x2) - x)
        share = alpha[part][..., None]
        self.pixels[window] = self.pixels[window] * (1 - share) + colour[part] * share
        return alpha[part] > 0.5, window

    def reflect(self, horse: Pixels, mask: Pixels, corner: tuple[int, int], strength: float) -> None:
        """What wet ground shows of a horse: upside down below it, blurred and fainter."""
        blur = max(1.0, mask.shape[0] / 25)
        alpha, margin = blurred(mask[::-1], blur)
        around = cv2.copyMakeBorder(horse[::-1], margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        colour = cv2.GaussianBlur(around, (0, 0), blur).astype(np.float32) * 0.7
        self._over(alpha * strength, colour, (corner[0] - margin, corner[1] + mask.shape[0] - margin))

    def shade(self, mask: Pixels, corner: tuple[int, int], strength: float, slant: float) -> None:
        """The shadow of a horse: flat on the ground around its hooves, and to one side."""
        flat = cv2.resize(mask, (mask.shape[1], max(3, mask.shape[0] // 5)))
        alpha, margin = blurred(np.asarray(flat, np.uint8), max(1.0, flat.shape[0] / 8))
        left = corner[0] + round(slant * mask.shape[1]) - margin
        top = corner[1] + round(mask.shape[0] - 0.6 * flat.shape[0]) - margin
        self._over(alpha * strength, np.full((*alpha.shape, 3), 20, np.float32), (left, top))

    def draw(self, horse: Pixels, mask: Pixels, corner: tuple[int, int]) -> None:
        """A horse in front of all that are there."""
        alpha = np.asarray(cv2.GaussianBlur(mask, (3, 3), 0), np.float32) / np.float32(255)
        covered, window = self._over(alpha, horse.astype(np.float32), corner)
        self.owner[window][covered] = len(self.sizes)
        self.sizes.append(int((mask > 127).sum()))

    def scene(self) -> Scene:
        """The picture, the boxes of what is seen of each horse, and regions to ignore."""
        boxes: list[tuple[int, int, int, int]] = []
        ignore: list[tuple[int, int, int, int]] = []
        for number, size in enumerate(self.sizes):
            own = self.owner == number
            rows, columns = np.flatnonzero(own.any(1)), np.flatnonzero(own.any(0))
            if not len(rows):
                continue
            box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
            plain = own.sum() >= SEEN * size and min(len(rows), len(columns)) >= SMALLEST
            (boxes if plain else ignore).append(box)
        found, vague = (np.array(some, np.float32).reshape(-1, 4) for some in (boxes, ignore))
        return Scene(np.clip(self.pixels, 0, 255).astype(np.uint8), found, np.full(len(found), HORSE, np.int64), vague)


def herd(back: Pixels, horses: Sequence[Picture], rng: Rng) -> Scene:
    """A herd (S, S) on a background of that size: most horses go the same way, near ones stand lower in the picture."""
    size = back.shape[0]
    made = Herd(back)
    height = size * float(np.exp(rng.uniform(np.log(0.12), np.log(0.55))))
    base = rng.uniform(max(0.3, height / size), 0.95) * size
    count, leftward = int(rng.integers(FEWEST, MOST + 1)), rng.random() < 0.5
    spread, x = rng.uniform(0.02, 0.25) * height, float(rng.uniform(-0.6 * height, 0.4 * size))
    reflected = rng.uniform(0.15, 0.6) if rng.random() < 0.3 else 0.0
    shaded, slant = (rng.uniform(0.2, 0.7) if rng.random() < 0.6 else 0.0), rng.uniform(-0.5, 0.5)
    apart = np.sort(rng.uniform(*APART, 2))
    coat = rng.uniform(25, 190) * np.array([rng.uniform(0.5, 1), rng.uniform(0.7, 1), 1]) if rng.random() < ALIKE else None
    places = []
    for _ in range(count):
        places.append((x, base + rng.normal() * spread))
        x += 1.4 * height * rng.uniform(*apart)
        if x > size + 0.3 * height:
            break
    for middle, foot in sorted(places, key=lambda place: place[1]):
        horse, mask = cutout(horses[int(rng.integers(len(horses)))])
        tall = height * rng.uniform(0.55 if rng.random() < 0.12 else 0.85, 1.15) * (1 + (foot - base) / size)
        shape = max(9, round(mask.shape[1] * tall / mask.shape[0] * rng.uniform(0.88, 1.12))), max(9, round(tall))
        horse = np.asarray(cv2.resize(horse, shape, interpolation=cv2.INTER_AREA), np.uint8)
        mask = np.asarray(cv2.resize(mask, shape), np.uint8)
        if (rng.random() < 0.9) == leftward:
            horse, mask = np.ascontiguousarray(horse[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
        own = horse[mask > 127].mean(0)
        tint = rng.uniform(0.45, 1.5, 1) if coat is None else np.clip(coat / own, 0.25, 3) * rng.uniform(0.8, 1.25)
        horse = np.clip(horse * tint * rng.uniform(0.9, 1.1, 3), 0, 255).astype(np.uint8)
        corner = round(middle - shape[0] / 2), round(foot - shape[1])
        if reflected:
            made.reflect(horse, mask, corner, reflected)
        if shaded:
            made.shade(mask, corner, shaded, slant)
        made.draw(horse, mask, corner)
    return made.scene()
