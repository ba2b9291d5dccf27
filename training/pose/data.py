"""Annotated animals as cached square crops.

Each animal is cut once from its picture, with surroundings, to a fixed size and kept in one memory-mapped file, so that an
epoch reads no JPEG. Points are in crop pixels with a state: 0 unlabelled, 1 there but hidden, 2 visible.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.common.crop import move_points, square_around, square_crop
from training.pose.skeleton import COUNT

CACHE_SIZE = 384
CACHE_SCALE = 1.8
"""The cached square's side over the longest box side: leaves room to turn, shift and shrink."""


@dataclass(frozen=True)
class Animals:
    """A set of animals: `crops` (n, 384, 384, 3) uint8 BGR, `points` (n, 20, 3) float32 (x, y, state) in crop pixels,
    `box` (n, 2) width and height of the box in crop pixels, `species` (n,) names, `source` (n,) set names."""

    crops: npt.NDArray[np.uint8]
    points: npt.NDArray[np.float32]
    box: npt.NDArray[np.float32]
    species: npt.NDArray[np.str_]
    source: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class Entry:
    """One annotated animal: its `picture`, `box` (x, y, w, h) and `points` (20, 3) in picture pixels."""

    picture: Path
    box: tuple[float, float, float, float]
    points: npt.NDArray[np.float32]
    species: str
    source: str


def read_coco(
    path: Path,
    pictures: Path,
    source: str,
    *,
    min_points: int = 5,
    min_side: float = 32.0,
    keep: Callable[[dict[str, Any]], bool] | None = None,
) -> list[Entry]:
    """Animals of a COCO keypoint file that have the skeleton's 20 points in its order.

    Animals with fewer labelled points or a smaller longest side (pixels) are left out, and those whose annotation `keep` turns
    down.
    """
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    names = {image["id"]: image["file_name"] for image in document["images"]}
    species = {category["id"]: category["name"] for category in document["categories"]}
    entries = []
    for item in document["annotations"]:
        points = np.asarray(item.get("keypoints", []), np.float32).reshape(-1, 3)
        if len(points) != COUNT:
            if len(points) == 0:
                continue
            raise ValueError(f"{path}: annotation {item['id']} has {len(points)} points, expected {COUNT}")
        x, y, w, h = (float(value) for value in item["bbox"])
        if (points[:, 2] > 0).sum() < min_points or max(w, h) < min_side or not (keep is None or keep(item)):
            continue
        name = species.get(item["category_id"], "horse")
        entries.append(Entry(pictures / names[item["image_id"]], (x, y, w, h), points, name, source))
    return entries


def build_cache(entries: list[Entry], target: Path) -> None:
    """Cut all crops into `target`.npy with the labels beside it in `target`.npz."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shape = (len(entries), CACHE_SIZE, CACHE_SIZE, 3)
    partial = target.with_suffix(".part.npy")
    crops = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
    points = np.zeros((len(entries), COUNT, 3), np.float32)
    box = np.zeros((len(entries), 2), np.float32)
    last: tuple[Path | None, Any] = (None, None)
    for index, entry in enumerate(entries):
        if entry.picture != last[0]:
            image = cv2.imread(str(entry.picture), cv2.IMREAD_COLOR)
            if image is None:
                raise FileNotFoundError(f"{entry.picture} cannot be read as a picture")
            last = (entry.picture, image)
        crops[index], affine = square_crop(last[1], *square_around(entry.box, CACHE_SCALE), CACHE_SIZE)
        points[index, :, :2] = move_points(affine, entry.points[:, :2])
        points[index, :, 2] = entry.points[:, 2]
        box[index] = np.asarray(entry.box[2:]) * affine[0, 0]
    crops.flush()
    del crops
    np.savez(
        target.with_suffix(".npz"),
        points=points,
        box=box,
        species=np.array([entry.species for entry in entries]),
        source=np.array([entry.source for entry in entries]),
    )
    partial.replace(target.with_suffix(".npy"))


def load_animals(entries: list[Entry], cache: Path, name: str) -> Animals:
    """The crops of these entries, cut on first use; the cache's name changes when the entries do."""
    digest = hashlib.sha256(f"{CACHE_SIZE} {CACHE_SCALE} {len(entries)}".encode())
    for entry in entries:
        digest.update(f"{entry.picture.name} {entry.box} ".encode() + entry.points.tobytes())
    base = cache / f"{name}-{digest.hexdigest()[:12]}"
    if not base.with_suffix(".npy").exists():
        build_cache(entries, base)
    labels = np.load(base.with_suffix(".npz"))
    crops = np.load(base.with_suffix(".npy"), mmap_mode="r")
    return Animals(crops, labels["points"], labels["box"], labels["species"], labels["source"])


def animalpose(data: Path, split: str, *, min_points: int = 1, min_side: float = 1.0) -> list[Entry]:
    """AnimalPose's `train` or `val` animals of all five species."""
    folder = data / "animalpose"
    return read_coco(folder / f"{split}.json", folder / "images", "animalpose", min_points=min_points, min_side=min_side)


def synthetic(folder: Path, *, min_seen: int = 5, keep: Callable[[dict[str, Any]], bool] | None = None) -> list[Entry]:
    """Rendered horses: every `annotations.json` below the folder, with its pictures beside it.

    Horses with fewer than `min_seen` visible points, or with a longest side below 48 pixels, are left out.
    """
    entries: list[Entry] = []
    for path in sorted(folder.rglob("annotations.json")):
        found = read_coco(path, path.parent, "synthetic", min_points=min_seen, min_side=48.0, keep=keep)
        entries += [entry for entry in found if (entry.points[:, 2] == 2).sum() >= min_seen]
    return entries


def in_stride(folders: Sequence[Path]) -> list[Entry]:
    """Rendered horses that walk, trot, canter or gallop, at most half hidden and nearly whole in the picture."""

    def moving(item: dict[str, Any]) -> bool:
        return bool(item.get("gait")) and item["occlusion"] < 0.5 and item["truncation"] < 0.3

    return [entry for folder in folders for entry in synthetic(folder, keep=moving)]


def horses(entries: list[Entry]) -> list[Entry]:
    """Those whose species is horse."""
    return [entry for entry in entries if entry.species == "horse"]
