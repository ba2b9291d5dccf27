"""The labelled pictures the detector learns from, and what is known about each of them.

A picture has boxes with a class of `network.CLASSES`, and regions to ignore: things a yardstick takes for a horse and
no label explains (see `mine.py`). Pictures are read from disk when they are asked for.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.detect.network import CLASSES, HORSE

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

#: One training picture in this many, by source, is kept out of training for calibration and for figures of its own.
HELD_OUT = {"silhouette": 7, "animalpose": 20, "human": 20}
#: An unexplained horse box scoring at least this is ignored in training: too likely a real horse to be a negative.
DOUBTFUL = 0.2
#: A mined box is explained by a label it overlaps by this much (intersection over union) …
EXPLAINED_IOU = 0.3
#: … or that covers this share of it (a yardstick's box around a head only).
EXPLAINED_COVER = 0.8


#: Rendered horses hidden by more than this share are ignored, and animals of fewer pixels than this.
HIDDEN, TINY = 0.8, 60.0
#: A picture without a horse in which a network saw one with at least this score is a hard one.
MISTAKEN = 0.1
#: What rendered horses do on the ground, or on the way to it and back.
DOWN = frozenset({"lying", "lying_flat", "lying_down", "rolling", "rising"})


@dataclass(frozen=True)
class Picture:
    """One training picture. `boxes` (N, 4) and `ignore` (K, 4): x1, y1, x2, y2 in its pixels; `labels` (N,)."""

    path: Path
    kind: str
    boxes: Array
    labels: npt.NDArray[np.int64]
    ignore: Array
    mask: Path | None = None

    def read(self) -> Pixels:
        pixels = cv2.imread(str(self.path))
        if pixels is None:
            raise ValueError(f"{self.path} is not a readable picture.")
        return np.asarray(pixels, np.uint8)


def mask_of(picture: Picture) -> Pixels:
    """The mask (H, W) of a silhouette picture, 0 or 255."""
    assert picture.mask is not None
    mask = cv2.imread(str(picture.mask), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise ValueError(f"{picture.mask} is not a readable mask.")
    height, width = picture.read().shape[:2]
    return np.asarray((cv2.resize(mask, (width, height)) > mask.max() // 2) * 255, np.uint8)


@dataclass(frozen=True)
class Library:
    """All training pictures by kind.

    With horses: horse, arena, silhouette, generated, synthetic, recumbent; without: livestock, pet, hard, human, empty.
    """

    pictures: Mapping[str, Sequence[Picture]]

    def counts(self) -> dict[str, int]:
        return {kind: len(found) for kind, found in self.pictures.items()}


def held_out(key: str, source: str) -> bool:
    """Whether the picture `<set>/<file_name>` is kept out of training: a fixed draw by its name."""
    every = HELD_OUT.get(source)
    return every is not None and zlib.crc32(key.encode()) % every == 0


def corners(box: Sequence[float]) -> list[float]:
    """COCO's x, y, width, height as corners."""
    x, y, w, h = box
    return [x, y, x + w, y + h]


def explained(box: Array, labels: Array) -> bool:
    """Whether a mined box is one of the labelled animals."""
    if not len(labels):
        return False
    low = np.maximum(box[:2], labels[:, :2])
    high = np.minimum(box[2:], labels[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    own = float(np.prod(box[2:] - box[:2]))
    union = own + np.prod(labels[:, 2:] - labels[:, :2], axis=1) - shared
    return bool((shared / union > EXPLAINED_IOU).any() or (shared / max(own, 1e-6) > EXPLAINED_COVER).any())


def doubtful(mined: Sequence[Sequence[float]], boxes: Array, floor: float = DOUBTFUL) -> Array:
    """The mined boxes (score, x1, y1, x2, y2) that stay unexplained, as regions to ignore (K, 4)."""
    found = [np.array(m[1:], np.float32) for m in mined if m[0] >= floor]
    return np.array([b for b in found if not explained(b, boxes)], np.float32).reshape(-1, 4)


def kind_of(source: str, labels: npt.NDArray[np.int64], activities: frozenset[str] = frozenset()) -> str:
    """Which drawer of the library a picture goes into; `activities` of its rendered horses."""
    names = {CLASSES[i] for i in labels}
    if source == "synthetic":
        if activities & DOWN:
            return "recumbent"
        return "synthetic" if names else "empty"
    if source != "animalpose":
        return source
    if "horse" in names:
        return "horse"
    return "livestock" if names & {"cow", "sheep"} else "pet"


def vague(annotation: Mapping[str, Any]) -> bool:
    """Whether too little of the animal is left to call it a horse or not: a crowd, or nearly all behind something."""
    return bool(annotation.get("iscrowd")) or annotation.get("occlusion", 0.0) > HIDDEN or annotation["area"] < TINY


def read_coco(
    file: Path,
    images: Path,
    source: str,
    mined: Mapping[str, Any],
    horse_free: frozenset[str] = frozenset(),
    held: bool = False,
) -> list[Picture]:
    """A COCO-style file as pictures, without those held out, or (`held`) only those.

    Categories are matched by name; unknown ones are regions to ignore.
    """
    content = json.loads(file.read_text())
    names = {c["id"]: c["name"] for c in content["categories"]}
    by_image: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in content["annotations"]:
        by_image[annotation["image_id"]].append(annotation)
    found = []
    for image in content["images"]:
        key = f"{source if source != 'silhouette' else 'silhouettes'}/{image['file_name']}"
        if held_out(key, source) != held:
            continue
        counted = [names[a["category_id"]] in CLASSES and not vague(a) for a in by_image[image["id"]]]
        known = [a for a, counts in zip(by_image[image["id"]], counted, strict=True) if counts]
        other = [a for a, counts in zip(by_image[image["id"]], counted, strict=True) if not counts]
        boxes = np.array([corners(a["bbox"]) for a in known], np.float32).reshape(-1, 4)
        labels = np.array([CLASSES.index(names[a["category_id"]]) for a in known], np.int64)
        ignore = np.array([corners(a["bbox"]) for a in other], np.float32).reshape(-1, 4)
        if key not in horse_free:
            ignore = np.concatenate([ignore, doubtful(mined.get(key, []), boxes)])
        kind = kind_of(source, labels, frozenset(a["activity"] for a in known if "activity" in a))
        mask = file.parent / known[0]["mask"] if source == "silhouette" else None
        found.append(Picture(images / image["file_name"], kind, boxes, labels, ignore.astype(np.float32), mask))
    return found


def load(
    data: Path,
    mined: Path | None,
    synthetic: Sequence[Path] = (),
    checked: Path | None = None,
    hard: Path | None = None,
    held: bool = False,
) -> Library:
    """Read the index of all training sets under `data` (the folder described in `training/README.md`).

    Pictures held out are left away, or (`held`) alone are read.
    `mined`: the file `mine` wrote. `synthetic`: folders of rendered scenes, `annotations.json` in each of their parts.
    `checked`: a JSON list of picture keys a person found to hold no horse, whatever a yardstick says. `hard`: the file
    `python -m training.detect hard` wrote; its pictures are in a drawer of their own as well.
    """
    boxes: dict[str, Any] = json.loads(mined.read_text()) if mined else {}
    mistaken: dict[str, float] = json.loads(hard.read_text()) if hard else {}
    free = frozenset(json.loads(checked.read_text())["horse_free"]) if checked else frozenset()
    pictures: dict[str, list[Picture]] = defaultdict(list)
    sources = [
        (data / "animalpose/train.json", data / "animalpose/images", "animalpose"),
        (data / "arena/train.json", data / "arena/images", "arena"),
        (data / "silhouettes/all.json", data / "silhouettes/images", "silhouette"),
    ]
    for folder in synthetic:
        sources += [(file, file.parent, "synthetic") for file in sorted(folder.glob("**/annotations.json"))]
    for file, folder, source in sources:
        if not file.exists():
            raise FileNotFoundError(f"{file} is missing: point --data at the folder with the training sets.")
        for picture in read_coco(file, folder, source, boxes, free, held):
            pictures[picture.kind].append(picture)
            if mistaken.get(f"{source}/{picture.path.name}", 0.0) >= MISTAKEN:
                pictures["hard"].append(picture)
    empty = np.zeros((0, 4), np.float32)
    for path in sorted((data / "cgi/humans").glob("*")):
        if held_out(f"cgi/humans/{path.name}", "human") != held:
            continue
        pictures["human"].append(Picture(path, "human", empty, np.zeros(0, np.int64), empty))
    for path in sorted((data / "cgi/horses").glob("*")) if not held else ():
        if found := boxes.get(f"cgi/horses/{path.name}"):
            box = np.array([found[0][1:]], np.float32)
            pictures["generated"].append(Picture(path, "generated", box, np.full(1, HORSE, np.int64), empty))
    return Library(dict(pictures))
