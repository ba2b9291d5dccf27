"""Crops the verifier learns from: labelled animals, and what the detector takes for horses in the training pictures.

The detector has seen these pictures and is wrong about few of them, so every labelled animal is there as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm  # type: ignore[import-untyped]

from training.detect.data import Picture, load
from training.detect.detector import Exported
from training.detect.network import CLASSES, HORSE
from training.detect.suppress import overlap
from training.identity.crops import Crop
from training.identity.store import write_part

#: What a crop shows. Other animals of COCO's come as `nothing`.
KINDS = ("horse", "cow", "sheep", "dog", "cat", "person", "nothing")
#: A box shows a horse from this overlap with one, and none below that; between them it is left out.
IS, IS_NOT = 0.5, 0.3
#: A box shows another animal from this overlap with it.
OTHER = 0.4
#: Least score, and most boxes a picture, of what the detector saw; least side of a box in px.
LEAST, MOST, SMALL = 0.03, 8, 14.0
#: Least score in pictures with people: it takes few for horses, and a verifier that has seen few takes them for horses too.
LEAST_PEOPLE = 0.004
#: Drawers of the library with people in their pictures.
PEOPLE = ("human", "empty")


def most(box: np.ndarray, boxes: np.ndarray) -> float:
    """The largest overlap of a box (4,) with boxes (N, 4)."""
    return float(overlap(box, boxes).max()) if len(boxes) else 0.0


def kind_of(box: np.ndarray, picture: Picture, nothing: str) -> str | None:
    """What a detector's box shows, by the labels; None where they do not say."""
    horses = picture.boxes[picture.labels == HORSE]
    if most(box, horses) >= IS:
        return "horse"
    if most(box, horses) >= IS_NOT or most(box, picture.ignore) > 0.2:
        return None
    shared = overlap(box, picture.boxes) if len(picture.boxes) else np.zeros(1)
    if shared.max() >= OTHER:
        name = CLASSES[int(picture.labels[int(shared.argmax())])]
        return name if name in KINDS else "nothing"
    return nothing


def crops(pictures: list[Picture], detector: Exported, drawer: str) -> Iterator[Crop]:
    """All crops of a drawer's pictures; `group` is the kind."""
    nothing, least = ("person", LEAST_PEOPLE) if drawer in PEOPLE else ("nothing", LEAST)
    for picture in tqdm(pictures, desc=drawer):
        pixels = picture.read()
        boxes, scores = detector(pixels)
        seen = [(box, kind_of(box, picture, nothing)) for box in boxes[scores >= least][:MOST]]
        named = [(box, CLASSES[int(label)]) for box, label in zip(picture.boxes, picture.labels, strict=True)]
        for box, kind in seen + named:
            x, y, w, h = (float(v) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1]))
            if kind in KINDS and min(w, h) >= SMALL:
                yield Crop(pixels, (x, y, w, h), picture.path.stem, None, "", str(kind))


def collect(data: Path, mined: Path, synthetic: list[Path], detector: Path, out: Path) -> dict[str, int]:
    """Write a part a drawer into the folder `out`; what was held out of training goes to `out`/held. Returns their rows."""
    look = Exported(detector)
    rows = {}
    for folder, held in ((out, False), (out / "held", True)):
        library = load(data, mined, () if held else synthetic, held=held).pictures
        for drawer, pictures in library.items():
            if drawer != "hard":
                rows[f"{folder.name}/{drawer}"] = write_part(folder, drawer, crops(list(pictures), look, drawer))
    return rows
