"""The horses that are known and how each looks: several vectors a horse, found by FAISS.

Rows travel as plain dictionaries, the same for the spool, for other processes and for the cache file:
``horse``: ``{id, name, stranger, created_us}`` · ``look``: ``{horse_id, kind, embedding, taken_us}``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import faiss
import numpy as np

from barnhand.core.geometry import Floats


@dataclass(frozen=True, eq=False)
class Look:
    """One look: a unit vector, what it shows (``left``, ``right``, ``night`` …) and whether a person vouched for it."""

    vector: Floats
    kind: str
    taken_us: int
    track: tuple[str, int] | None = None
    vouched: bool = False


@dataclass
class Horse:
    """A horse of the gallery; ``stranger`` until a person names it."""

    id: str
    name: str
    stranger: bool
    created_us: int
    looks: list[Look] = field(default_factory=list)


class LookBook:
    """All horses and looks of a yard. ``size`` is the embedder's vector length; vectors of another length are passed over."""

    def __init__(self, size: int, looks_a_horse: int) -> None:
        self._size = size
        self._limit = looks_a_horse
        self._horses: dict[str, Horse] = {}
        self._merged: dict[str, str] = {}
        self._index: Any = None
        self._owners = np.zeros(0, np.int64)
        self._order: list[str] = []
        self.revision = 0

    @property
    def order(self) -> list[str]:
        """Ids of the horses that have looks, as ``similarities`` numbers them."""
        self._build()
        return self._order

    def get(self, horse_id: str) -> Horse | None:
        """A horse, or the one it was merged into."""
        return self._horses.get(self.real(horse_id))

    def real(self, horse_id: str) -> str:
        """The id a horse goes by after merges."""
        while horse_id in self._merged:
            horse_id = self._merged[horse_id]
        return horse_id

    def horses(self) -> list[Horse]:
        """All, oldest first."""
        return sorted(self._horses.values(), key=lambda horse: (horse.created_us, horse.id))

    def stranger_name(self, pattern: str = "Unknown {}") -> str:
        """The first free name for a stranger."""
        taken = {horse.name for horse in self._horses.values()}
        number = 1
        while pattern.format(number) in taken:
            number += 1
        return pattern.format(number)

    def put(self, horse: Horse) -> None:
        """Add a horse, or rename one that is there; its looks stay. A person's name outweighs a stranger's."""
        known = self.get(horse.id)
        if known is None:
            self._horses[horse.id] = replace(horse, looks=list(horse.looks))
        elif known.stranger or not horse.stranger:
            known.name, known.stranger = horse.name, horse.stranger
        self.revision += 1

    def add(self, horse_id: str, look: Look) -> bool:
        """Add a look; false when it was there or does not fit. The most redundant look goes when there are too many."""
        horse = self.get(horse_id)
        if horse is None or look.vector.shape != (self._size,):
            return False
        if any(known.taken_us == look.taken_us and known.kind == look.kind for known in horse.looks):
            return False
        horse.looks.append(look)
        if len(horse.looks) > self._limit:
            self._thin(horse)
        self.revision += 1
        return True

    def merge(self, horse_id: str, into: str) -> None:
        """All looks of one horse become another's."""
        old, new = self.get(horse_id), self.get(into)
        if old is None and new is not None:
            self._merged[horse_id] = new.id
        if old is None or new is None or old is new:
            return
        new.looks += old.looks
        del self._horses[old.id]
        self._merged[old.id] = new.id
        while len(new.looks) > self._limit:
            self._thin(new)
        self.revision += 1

    def forget_track(self, horse_id: str, track: tuple[str, int]) -> None:
        """Drop what a horse learned from a track that was not it."""
        horse = self.get(horse_id)
        if horse is not None:
            horse.looks = [look for look in horse.looks if look.track != track or look.vouched]
            self.revision += 1

    def remove(self, horse_id: str) -> None:
        """Forget a horse."""
        if self._horses.pop(horse_id, None) is not None:
            self.revision += 1

    def similarities(self, vectors: Floats) -> Floats:
        """``(n, d)`` unit rows → ``(n, h)``: the best look of each horse of ``order``, -1 for one not among the nearest."""
        self._build()
        out = np.full((len(vectors), len(self._order)), -1.0, np.float32)
        if not len(self._owners) or not len(vectors):
            return out
        near, where = self._index.search(np.ascontiguousarray(vectors, np.float32), min(len(self._owners), 1024))
        rows = np.repeat(np.arange(len(vectors)), near.shape[1])
        found = where.ravel() >= 0
        np.maximum.at(out, (rows[found], self._owners[where.ravel()[found]]), near.ravel()[found])
        return out

    def rows(self) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """Everything as ``(kind, row)``, horses before their looks."""
        for horse in self.horses():
            yield "horse", horse_row(horse)
            for look in horse.looks:
                yield "look", look_row(horse.id, look)
        for old, new in self._merged.items():
            yield "merge", {"horse_id": old, "into": new}

    def _thin(self, horse: Horse) -> None:
        """Of the two looks that are most alike, the older goes; vouched ones stay while others can go."""
        vectors = np.stack([look.vector for look in horse.looks])
        alike = vectors @ vectors.T
        np.fill_diagonal(alike, -1)
        free = [k for k, look in enumerate(horse.looks) if not look.vouched] or list(range(len(horse.looks)))
        most = alike[free].max(axis=1)
        twins = [k for k, value in zip(free, most.tolist(), strict=True) if value >= most.max() - 1e-6]
        del horse.looks[min(twins, key=lambda k: horse.looks[k].taken_us)]

    def _build(self) -> None:
        if self._index is not None and self._built == self.revision:
            return
        horses = [horse for horse in self.horses() if horse.looks]
        self._order = [horse.id for horse in horses]
        self._owners = np.array([k for k, horse in enumerate(horses) for _ in horse.looks], np.int64)
        self._index = faiss.IndexFlatIP(self._size)
        if len(self._owners):
            self._index.add(np.stack([look.vector for horse in horses for look in horse.looks]).astype(np.float32))
        self._built = self.revision

    _built = -1


def horse_row(horse: Horse) -> dict[str, Any]:
    """The row of a horse."""
    return {"id": horse.id, "name": horse.name, "stranger": horse.stranger, "created_us": horse.created_us}


def look_row(horse_id: str, look: Look) -> dict[str, Any]:
    """The row of a look; five decimals keep a cosine right to 1e-4."""
    return {
        "horse_id": horse_id,
        "kind": look.kind,
        "embedding": [round(float(v), 5) for v in look.vector],
        "taken_us": look.taken_us,
    }


def unit(values: Iterable[float]) -> Floats:
    """A vector scaled to length one."""
    vector = np.asarray(list(values), np.float32)
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
