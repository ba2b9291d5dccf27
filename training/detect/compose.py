"""Training samples: pictures chosen, put together and turned into batches.

Half of what the network sees holds no horse. Sample number i is a function of (seed, i), so a run that was
stopped goes on with exactly the samples it would have had.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from training.detect.augment import (
    Pixels,
    Rng,
    Scene,
    bars,
    closeness,
    light,
    paste,
    place,
    placement,
    turned,
)
from training.detect.cover import cover
from training.detect.data import Library, Picture, mask_of
from training.detect.herd import ground, herd
from training.detect.network import HORSE

#: How pictures with horses, and those without, are drawn: weight by kind. Kinds with no picture are left out.
POSITIVE: dict[str, float] = {
    "horse": 0.64,
    "arena": 0.12,
    "silhouette": 0.06,
    "generated": 0.04,
    "synthetic": 0.07,
    "recumbent": 0.07,
}
NEGATIVE: dict[str, float] = {"livestock": 0.36, "pet": 0.22, "hard": 0.22, "human": 0.05, "empty": 0.15}
#: Sizes of the squares, one a batch: both looks of the network at run time see pictures at these.
SIZES = (224, 256, 288, 320, 352, 384, 416)


@dataclass(frozen=True)
class Mix:
    """Shares of the kinds of samples."""

    negative: float = 0.5
    """Share of pictures drawn from those without a horse."""
    plain: float = 0.45
    """Share of samples that are one picture letterboxed as at run time."""
    mosaic: float = 0.15
    """Share of samples made of two or four pictures."""
    pasted: float = 0.1
    """Share of samples that get cut-out horses."""
    herd: float = 0.0
    """Share of samples that are a herd of cut-out horses."""
    close: float = 0.08
    """Share of single pictures of a horse that show a part of it from close by."""
    covered: float = 0.08
    """Share of samples in which a door or a wall hides a part of an animal."""
    barred: float = 0.05
    """Share of samples seen through bars or rails."""
    darkened: float = 0.1
    """Share of side views, and of cut-out horses, that stand against the light: darkened to a twentieth up to a fifth."""
    turned: float = 0.2
    """Share of cut-out horses turned by any angle, as one that lies flat looks to a camera above it."""
    sizes: tuple[int, ...] = field(default=SIZES)
    """Input sizes, one a batch."""


#: The end of a run: mostly whole pictures, as the network will see them.
CALM = Mix(plain=0.65, mosaic=0.06, pasted=0.08, close=0.06, covered=0.06, barred=0.04)


@dataclass(frozen=True)
class Batch:
    """B samples of one size S, padded to the same number of boxes.

    `pixels` (B, 3, S, S) uint8 BGR; `boxes` (B, G, 4), `labels` (B, G), `known` (B, G) true where there is a box;
    `ignore` (B, K, 4), `ignored` (B, K) likewise.
    """

    pixels: Tensor
    boxes: Tensor
    labels: Tensor
    known: Tensor
    ignore: Tensor
    ignored: Tensor


class Composer:
    """Makes samples out of a library."""

    def __init__(self, library: Library, mix: Mix, seed: int) -> None:
        self.library, self.mix, self.seed = library, mix, seed
        self.positive = self._weights(POSITIVE)
        self.negative = self._weights(NEGATIVE)

    def _weights(self, wanted: dict[str, float]) -> tuple[list[str], npt.NDArray[np.float64]]:
        kinds = [kind for kind in wanted if self.library.pictures.get(kind)]
        weights = np.array([wanted[kind] for kind in kinds])
        return kinds, weights / weights.sum()

    def pick(self, rng: Rng) -> Picture:
        kinds, weights = self.negative if rng.random() < self.mix.negative else self.positive
        drawer = self.library.pictures[kinds[int(rng.choice(len(kinds), p=weights))]]
        return drawer[int(rng.integers(len(drawer)))]

    def sample(self, number: int, size: int) -> Scene:
        rng = np.random.default_rng((self.seed, number))
        draw = rng.random()
        if self.mix.herd and rng.random() < self.mix.herd:
            scene = self._herd(size, rng)
        elif draw < self.mix.plain:
            scene = self._plain(size, rng)
        elif draw < 1 - self.mix.mosaic:
            scene = self._single(size, rng)
        else:
            scene = self._mosaic(size, rng)
        if self.library.pictures.get("silhouette") and rng.random() < self.mix.pasted:
            for _ in range(int(rng.choice([1, 1, 2, 3]))):
                self._paste(scene, rng)
        if rng.random() < self.mix.covered:
            cover(scene, rng)
        if rng.random() < self.mix.barred:
            bars(scene.pixels, rng)
        scene.pixels = light(scene.pixels, rng)
        return scene

    def _plain(self, size: int, rng: Rng) -> Scene:
        picture = self.pick(rng)
        pixels = self._read(picture, rng)
        scale = min(size / pixels.shape[0], size / pixels.shape[1])
        matrix = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
        if rng.random() < 0.5:
            matrix[0] = [-scale, 0, scale * pixels.shape[1]]
        scene = Scene.blank(size)
        place(scene, picture, pixels, matrix, (0, 0, size, size))
        return scene

    def _single(self, size: int, rng: Rng) -> Scene:
        picture = self.pick(rng)
        pixels = self._read(picture, rng)
        if picture.kind == "arena":
            zoom = np.exp(rng.uniform(np.log(0.8), np.log(2.2)))
        elif rng.random() < 0.6:
            zoom = np.exp(rng.uniform(np.log(0.85), np.log(1.7)))
        else:
            zoom = np.exp(rng.uniform(np.log(0.25), np.log(0.85)))
        scene = Scene.blank(size) if rng.random() < 0.7 else Scene.blank(size, tuple(rng.integers(0, 256, 3).tolist()))
        if (picture.labels == HORSE).any() and rng.random() < self.mix.close:
            place(scene, picture, pixels, closeness(picture, size, rng), (0, 0, size, size))
            return scene
        drawer = self.library.pictures.get("human") or self.library.pictures.get("pet", ())
        if zoom < 0.6 and drawer and rng.random() < 0.5:
            behind = drawer[int(rng.integers(len(drawer)))]
            back = behind.read()
            fill = np.array([[size / back.shape[1], 0, 0], [0, size / back.shape[0], 0]], np.float32)
            place(scene, behind, back, fill, (0, 0, size, size))
            scene.boxes, scene.labels = scene.boxes[:0], scene.labels[:0]
        place(scene, picture, pixels, placement(picture, pixels, size, size, float(zoom), rng), (0, 0, size, size))
        return scene

    def _mosaic(self, size: int, rng: Rng) -> Scene:
        scene = Scene.blank(size)
        cx, cy = (int(v) for v in rng.uniform(0.3, 0.7, 2) * size)
        if rng.random() < 0.4:
            windows = [(0, 0, cx, size), (cx, 0, size, size)] if rng.random() < 0.5 else [(0, 0, size, cy), (0, cy, size, size)]
        else:
            windows = [(0, 0, cx, cy), (cx, 0, size, cy), (0, cy, cx, size), (cx, cy, size, size)]
        for window in windows:
            picture = self.pick(rng)
            pixels = self._read(picture, rng)
            zoom = float(np.exp(rng.uniform(np.log(0.8), np.log(2.0 if picture.kind == "arena" else 1.5))))
            width, height = window[2] - window[0], window[3] - window[1]
            place(scene, picture, pixels, placement(picture, pixels, width, height, zoom, rng), window)
        return scene

    def _herd(self, size: int, rng: Rng) -> Scene:
        """A herd, half the time on plain ground, else in a picture without animals."""
        drawers = [drawer for kind in ("human", "empty") if (drawer := self.library.pictures.get(kind))]
        if not drawers or rng.random() < 0.5:
            return herd(ground(size, rng), self.library.pictures["silhouette"], rng)
        drawer = drawers[int(rng.integers(len(drawers)))]
        back = drawer[int(rng.integers(len(drawer)))].read()
        filled = np.asarray(cv2.resize(back, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
        return herd(filled, self.library.pictures["silhouette"], rng)

    def _paste(self, scene: Scene, rng: Rng) -> None:
        """A cut-out horse, half the time in front of an animal that is already there."""
        drawer = self.library.pictures["silhouette"]
        picture = drawer[int(rng.integers(len(drawer)))]
        pixels, mask = picture.read(), mask_of(picture)
        x1, y1, x2, y2 = (int(v) for v in picture.boxes[0])
        x1, y1 = max(0, x1 - 3), max(0, y1 - 3)
        pixels, mask = pixels[y1 : y2 + 3, x1 : x2 + 3], mask[y1 : y2 + 3, x1 : x2 + 3]
        if rng.random() < self.mix.turned:
            pixels, mask = turned(pixels, mask, float(rng.uniform(30, 330)))
        size = scene.pixels.shape[0]
        beside = len(scene.boxes) > 0 and rng.random() < 0.5
        box = scene.boxes[int(rng.integers(len(scene.boxes)))] if beside else None
        height = size * np.exp(rng.uniform(np.log(0.08), np.log(0.7)))
        if box is not None:
            height = (box[3] - box[1]) * rng.uniform(0.7, 1.15)
        scale = min(float(height) / mask.shape[0], 0.95 * size / mask.shape[1])
        shape = (max(9, round(mask.shape[1] * scale)), max(9, round(mask.shape[0] * scale)))
        pixels = np.asarray(cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA), np.uint8)
        mask = np.asarray(cv2.resize(mask, shape), np.uint8)
        if rng.random() < 0.5:
            pixels, mask = np.ascontiguousarray(pixels[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
        dark = rng.random() < self.mix.darkened
        tint = (rng.uniform(0.05, 0.2) if dark else rng.uniform(0.6, 1.6)) * rng.uniform(0.88, 1.12, 3)
        pixels = np.clip(pixels * tint, 0, 255).astype(np.uint8)
        h, w = mask.shape
        if box is not None:
            corner = (int(rng.uniform(box[0], box[2]) - w / 2), int(box[3] - h + rng.uniform(-0.1, 0.1) * h))
        else:
            corner = (int(rng.uniform(-0.2 * w, size - 0.8 * w)), int(rng.uniform(-0.1 * h, size - 0.9 * h)))
        paste(scene, pixels, mask, corner)

    def _read(self, picture: Picture, rng: Rng) -> Pixels:
        """The picture's pixels, some side views against the light."""
        pixels = picture.read()
        if picture.mask is None or rng.random() >= self.mix.darkened:
            return pixels
        dark = (mask_of(picture) > 127)[..., None]
        return np.asarray(np.where(dark, pixels * rng.uniform(0.05, 0.2), pixels), np.uint8)


def collate(scenes: list[Scene]) -> Batch:
    """Scenes of one size as a batch."""
    count = len(scenes)
    most, most_ignored = (max(1, *(len(getattr(s, name)) for s in scenes)) for name in ("boxes", "ignore"))
    boxes, ignore = np.zeros((count, most, 4), np.float32), np.zeros((count, most_ignored, 4), np.float32)
    labels, known = np.zeros((count, most), np.int64), np.zeros((count, most), bool)
    ignored = np.zeros((count, most_ignored), bool)
    for i, scene in enumerate(scenes):
        n, k = len(scene.boxes), len(scene.ignore)
        boxes[i, :n], labels[i, :n], known[i, :n] = scene.boxes, scene.labels, True
        ignore[i, :k], ignored[i, :k] = scene.ignore, True
    pixels = np.stack([s.pixels for s in scenes]).transpose(0, 3, 1, 2)
    return Batch(*(torch.from_numpy(np.ascontiguousarray(a)) for a in (pixels, boxes, labels, known, ignore, ignored)))


class Batches(Dataset[Batch]):
    """Batch number n of an endless run: from `composer`, from number `change` on from `later`."""

    def __init__(self, composer: Composer, batch: int, later: Composer | None = None, change: int = 0) -> None:
        self.composer, self.batch, self.later, self.change = composer, batch, later, change

    def __getitem__(self, number: int) -> Batch:
        composer = self.later if self.later and number >= self.change else self.composer
        sizes = composer.mix.sizes
        size = sizes[int(np.random.default_rng((composer.seed, 1, number)).integers(len(sizes)))]
        first = number * self.batch
        return collate([composer.sample(first + i, size) for i in range(self.batch)])


class From(Sampler[int]):
    """Batch numbers from `start` up to `end`."""

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.end))

    def __len__(self) -> int:
        return self.end - self.start
