"""What the embedder learns from: rendered horses, annotated photographs, and silhouettes put on other backgrounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from training.identity import crops
from training.identity.crops import Crop, Picture
from training.identity.store import write_part

SPECIES = {"horse": 1200, "cow": 350, "sheep": 150, "dog": 250}
"""How many photographed animals of each kind at most; each is an identity."""


def fill(folder: Path, data: Path, rendered: list[Path]) -> dict[str, int]:
    """Store the crops of all sources under ``folder``; parts that are there are left. Returns the rows of each part.

    ``rendered``: folders with parts of `python -m training.synthetic identities` or `stills`; only finished parts are read.
    """
    counts = {}
    for place in rendered:
        for part in sorted(place.glob("*/annotations.json")):
            name = f"{place.parent.name}-{place.name}-{part.parent.name}"
            counts[name] = write_part(folder, name, crops.rendered_part(part))
    counts["photographs"] = write_part(folder, "photographs", crops.photographed(data, SPECIES))
    counts["silhouettes"] = write_part(folder, "silhouettes", elsewhere(crops.silhouettes(data), backgrounds(data)))
    return counts


def elsewhere(found: Iterator[Crop], behind: list[Picture], times: int = 2, seed: int = 8) -> Iterator[Crop]:
    """Each crop as it is, and ``times`` with its animal cut out and put on another background."""
    rng = np.random.default_rng(seed)
    for crop in found:
        yield crop
        for _ in range(times if behind else 0):
            yield replace(crop, picture=_on(crop, behind[int(rng.integers(len(behind)))]))


def _on(crop: Crop, background: Picture) -> Picture:
    if crop.mask is None:
        raise ValueError(f"{crop.identity} has no mask to be cut out by")
    height, width = crop.mask.shape
    behind = cv2.resize(background, (width, height))
    soft = cv2.GaussianBlur(crop.mask.astype(np.float32), (0, 0), 1.0)[:, :, None]
    return np.asarray(crop.picture * soft + behind * (1 - soft), np.uint8)


def backgrounds(data: Path, count: int = 120) -> list[Picture]:
    """Pictures without a horse."""
    found = sorted(p for p in (data / "cgi").rglob("*.jpg") if "human" in p.as_posix())[::10][:count]
    return [np.asarray(picture, np.uint8) for picture in (cv2.imread(str(path)) for path in found) if picture is not None]
