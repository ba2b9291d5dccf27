"""Which crops make a batch: rendered horses by day and by night, often of one coat so that colour alone does not do, and
photographed animals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.identity.store import Store

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Rows of the store, a label each (equal for the same animal), and the horses' numbers of the first ``rendered`` rows."""

    rows: Numbers
    labels: Numbers
    horses: Numbers
    rendered: int


class Sampler:
    """Draws batches of ``rendered`` horses in ``views`` pictures each and ``photographed`` animals twice each."""

    def __init__(self, store: Store, rendered: int, views: int, photographed: int) -> None:
        self._counts = (rendered, views, photographed)
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(store.identities):
            rows.setdefault(str(name), []).append(row)
        self._rows = {name: np.array(own) for name, own in rows.items()}
        self.horses = sorted(n for n, own in self._rows.items() if n.startswith("horse-") and len(own) >= 2)
        self._night = np.asarray(store.lights == "infrared")
        coats: dict[str, list[str]] = {}
        for name in self.horses:
            coats.setdefault(str(store.groups[self._rows[name][0]]), []).append(name)
        self._coats = {coat: names for coat, names in coats.items() if len(names) >= 2}
        self._others = sorted(n for n in self._rows if not n.startswith("horse-"))
        if not self._coats or not self._others:
            raise ValueError("training needs rendered horses (`training.synthetic identities`) and photographed animals")

    def batch(self, rng: np.random.Generator) -> Batch:
        """The batch that belongs to this generator."""
        count, views, photographed = self._counts
        pool = self.horses
        if rng.random() < 0.6:
            coats = list(self._coats)
            chosen = rng.permutation(len(coats))[: int(rng.integers(1, 4))]
            pool = [name for k in chosen for name in self._coats[coats[int(k)]]]
        names = rng.choice(pool, min(count, len(pool)), replace=False)
        rows, labels, horses = [], [], []
        for label, name in enumerate(names):
            rows.append(self._both_lights(self._rows[str(name)], views, rng))
            labels += [label] * views
            horses += [int(name.removeprefix("horse-"))] * views
        for label, name in enumerate(rng.choice(self._others, photographed, replace=False), len(names)):
            rows.append(rng.choice(self._rows[str(name)], 2))
            labels += [label] * 2
        return Batch(np.concatenate(rows), np.array(labels, np.int64), np.array(horses, np.int64), len(horses))

    def _both_lights(self, own: Numbers, views: int, rng: np.random.Generator) -> Numbers:
        """``views`` of a horse's rows, one of them by infra-red and the others by day where there are such."""
        night, day = own[self._night[own]], own[~self._night[own]]
        if not len(night) or not len(day):
            return rng.choice(own, views, replace=len(own) < views)
        return np.append(rng.choice(day, views - 1, replace=len(day) < views - 1), rng.choice(night))
