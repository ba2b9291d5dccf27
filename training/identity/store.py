"""Crops on disk, memory-mapped: each box with a margin, so that training can jitter it without opening pictures again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.identity.crops import HEIGHT, WIDTH, Crop, Picture, stretch

MARGIN = 0.125
"""Share of the box added on each side."""
TALL, WIDE = HEIGHT * 5 // 4, WIDTH * 5 // 4
"""Size of a stored crop: its box is HEIGHT x WIDTH in the middle."""


def widened(crop: Crop) -> Picture:
    """The box and its margin, (TALL, WIDE, 3) BGR."""
    x, y, w, h = crop.box
    grown = (x - MARGIN * w, y - MARGIN * h, w * (1 + 2 * MARGIN), h * (1 + 2 * MARGIN))
    return stretch(crop.picture, grown, (WIDE, TALL))


def write_part(folder: Path, name: str, found: Iterable[Crop]) -> int:
    """Keep ``found`` as NAME.npy and NAME.json (identity, group and light of each row); a part that is there is left as it is.

    Returns how many rows it has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / f"{name}.json"
    if listing.is_file():
        return len(json.loads(listing.read_text()))
    pictures, rows = [], []
    for crop in found:
        pictures.append(widened(crop))
        rows.append([crop.identity, crop.group, crop.light])
    np.save(folder / f"{name}.npy", np.stack(pictures))
    draft = listing.with_suffix(".part")
    draft.write_text(json.dumps(rows))
    draft.replace(listing)
    return len(rows)


@dataclass(frozen=True)
class Store:
    """All parts of a folder, joined: ``identities``, ``groups`` and ``lights`` (n,)."""

    parts: tuple[npt.NDArray[np.uint8], ...]
    identities: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]
    lights: npt.NDArray[np.str_]

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Every finished part under ``folder``.

        Raises:
            FileNotFoundError: none there.
        """
        listings = sorted(folder.glob("*.json"))
        if not listings:
            raise FileNotFoundError(f"no stored crops in {folder}: run the `store` command first")
        rows = np.array([row for path in listings for row in json.loads(path.read_text())])
        parts = tuple(np.load(path.with_suffix(".npy"), mmap_mode="r") for path in listings)
        return cls(parts, rows[:, 0], rows[:, 1], rows[:, 2])

    def __len__(self) -> int:
        return len(self.identities)

    def picture(self, row: int) -> Picture:
        """The stored crop of a row, (TALL, WIDE, 3) BGR, read-only."""
        for part in self.parts:
            if row < len(part):
                return np.asarray(part[row])
            row -= len(part)
        raise IndexError(row)
