"""The horses that are known and how each looks: several vectors a horse, found by FAISS.

Rows travel as plain dictionaries, the same for the spool, for other processes and for the cache file:
``horse``: ``{id, name, stranger, created_us}`` · ``look``: ``{horse_id, kind, embedding, taken_us, network, stream_id,
track_id, vouched}`` · ``look_deleted``: ``{horse_id, kind, taken_us}``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import faiss
import numpy as np

from barnhand.core.geometry import Floats

# A search among some hundred vectors takes microseconds; a second thread of OpenMP would only wait for it, at full load.
faiss.omp_set_num_threads(1)


@dataclass(frozen=True, eq=False)
class Look:
    """One look: a unit vector, what it shows (``left``, ``right``, ``night`` …) and whether a person vouched for it.

    ``track`` is the stream and track it was learned from, ``None`` where that was not kept.
    """

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
        self._forgotten: set[str] = set()
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
        """The first free name for a stranger; that of a forgotten one stays taken, rows still carry it."""
        taken = {horse.name for horse in self._horses.values()} | self._forgotten
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

    def add(self, horse_id: str, look: Look) -> list[Look] | None:
        """Add a look. Returns those that had to go for it, the most redundant; ``None`` when it was there or does not fit."""
        horse = self.get(horse_id)
        if horse is None or look.vector.shape != (self._size,):
            return None
        for k, known in enumerate(horse.looks):
            if known.taken_us == look.taken_us and known.kind == look.kind:
                if known.vouched or not look.vouched:
                    return None
                horse.looks[k] = replace(known, vouched=True)
                return []
        horse.looks.append(look)
        self.revision += 1
        return [self._thin(horse)] if len(horse.looks) > self._limit else []

    def drop(self, horse_id: str, kind: str, taken_us: int) -> None:
        """Take one look away."""
        horse = self.get(horse_id)
        if horse is not None:
            horse.looks = [look for look in horse.looks if (look.kind, look.taken_us) != (kind, taken_us)]
            self.revision += 1

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

    def forget_track(self, horse_id: str, track: tuple[str, int]) -> list[Look]:
        """Drop what a horse learned from a track that was not it, and return it, what a person vouched for too."""
        horse = self.get(horse_id)
        if horse is None:
            return []
        gone = [look for look in horse.looks if look.track == track]
        if gone:
            horse.looks = [look for look in horse.looks if look.track != track]
            self.revision += 1
        return gone

    def remove(self, horse_id: str) -> None:
        """Forget a horse."""
        horse = self._horses.pop(horse_id, None)
        if horse is not None:
            self._forgotten.add(horse.name)
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

    def rows(self, network: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """Everything as ``(kind, row)``, horses before their looks, which ``network`` made."""
        for horse in self.horses():
            yield "horse", horse_row(horse)
            for look in horse.looks:
                yield "look", look_row(horse.id, look, network)
        for old, new in self._merged.items():
            yield "merge", {"horse_id": old, "into": new}

    def _thin(self, horse: Horse) -> Look:
        """Of the two looks that are most alike, the older goes and is returned; vouched ones stay while others can go."""
        vectors = np.stack([look.vector for look in horse.looks])
        alike = vectors @ vectors.T
        np.fill_diagonal(alike, -1)
        free = [k for k, look in enumerate(horse.looks) if not look.vouched] or list(range(len(horse.looks)))
        most = alike[free].max(axis=1)
        twins = [k for k, value in zip(free, most.tolist(), strict=True) if value >= most.max() - 1e-6]
        return horse.looks.pop(min(twins, key=lambda k: horse.looks[k].taken_us))

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


def look_row(horse_id: str, look: Look, network: str) -> dict[str, Any]:
    """The row of a look ``network`` made; five decimals keep a cosine right to 1e-4."""
    return {
        "horse_id": horse_id,
        "kind": look.kind,
        "embedding": [round(float(v), 5) for v in look.vector],
        "taken_us": look.taken_us,
        "network": network,
        "stream_id": None if look.track is None else look.track[0],
        "track_id": None if look.track is None else look.track[1],
        "vouched": look.vouched,
    }


def look_of(row: Mapping[str, Any]) -> Look:
    """The look of a row. Raises ``KeyError`` or ``ValueError`` for a row that is not one."""
    stream_id, track_id = row.get("stream_id"), row.get("track_id")
    track = None if stream_id is None or track_id is None else (str(stream_id), int(track_id))
    return Look(unit(row["embedding"]), str(row["kind"]), int(row["taken_us"]), track, bool(row.get("vouched", False)))


def deleted_row(horse_id: str, look: Look) -> dict[str, Any]:
    """The row that takes a look away again."""
    return {"horse_id": horse_id, "kind": look.kind, "taken_us": look.taken_us}


def unit(values: Iterable[float]) -> Floats:
    """A vector scaled to length one."""
    vector = np.asarray(list(values), np.float32)
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
