"""Which crops make a batch: rendered horses, often of one coat so that colour alone does not do, and photographed animals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.identity.store import Store

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Rows of the store, a label each (equal for the same animal), and the number of the proxy of the first ``rendered`` rows.

    A proxy's number is the identity's, so that proxies keep their horses when more are rendered.
    """

    rows: Numbers
    labels: Numbers
    proxies: Numbers
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
        self._proxy = {name: int(name.removeprefix("horse-")) for name in self.horses}
        self.known = np.array(sorted(self._proxy.values()), np.int64)
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
        rows, labels, proxies = [], [], []
        for label, name in enumerate(names):
            own = self._rows[str(name)]
            rows.append(rng.choice(own, views, replace=len(own) < views))
            labels += [label] * views
            proxies += [self._proxy[str(name)]] * views
        for label, name in enumerate(rng.choice(self._others, photographed, replace=False), len(names)):
            rows.append(rng.choice(self._rows[str(name)], 2))
            labels += [label] * 2
        return Batch(np.concatenate(rows), np.array(labels, np.int64), np.array(proxies, np.int64), len(proxies))
