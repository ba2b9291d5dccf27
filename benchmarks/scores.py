"""How well tracks keep identities: HOTA, IDF1 and switches.

HOTA: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021, equations 13 to 22;
localisation thresholds 0.05 to 0.95. IDF1: Ristani et al., ECCV Workshops 2016, at IoU 0.5. Switches: a true animal whose
matched track differs from the one it was last matched with (CLEAR MOT), at IoU 0.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from barnhand.core.geometry import Floats, iou

Boxes = dict[int, Floats]


@dataclass(frozen=True)
class Score:
    """``hota``, ``assa``, ``deta``, ``idf1`` in 0..1; ``switches`` is a count."""

    hota: float
    assa: float
    deta: float
    idf1: float
    switches: int


def _stack(boxes: Boxes) -> Floats:
    return np.array(list(boxes.values()), np.float32).reshape(len(boxes), 4)


def score(truth: Sequence[Boxes], found: Sequence[Boxes]) -> Score:
    """Compare ``{identity: box}`` a picture; both sequences have one entry a picture."""
    true_ids = sorted({k for frame in truth for k in frame})
    track_ids = sorted({k for frame in found for k in frame})
    ti, ki = {k: i for i, k in enumerate(true_ids)}, {k: i for i, k in enumerate(track_ids)}
    sims = [iou(_stack(t), _stack(f)) for t, f in zip(truth, found, strict=True)]
    rows = [np.array([ti[k] for k in t], int) for t in truth]
    cols = [np.array([ki[k] for k in f], int) for f in found]
    n_true = np.bincount(np.concatenate([*rows, np.zeros(0, int)]), minlength=len(true_ids)).astype(float)
    n_track = np.bincount(np.concatenate([*cols, np.zeros(0, int)]), minlength=len(track_ids)).astype(float)
    potential = np.zeros((len(true_ids), len(track_ids)))
    for sim, r, c in zip(sims, rows, cols, strict=True):
        total = sim.sum(0, keepdims=True) + sim.sum(1, keepdims=True) - sim
        potential[np.ix_(r, c)] += np.where(total > 0, sim / np.maximum(total, 1e-9), 0)
    align = potential / np.maximum(n_true[:, None] + n_track[None] - potential, 1e-9)
    hotas, assas, detas = [], [], []
    for alpha in np.arange(0.05, 0.99, 0.05):
        matches, tp = np.zeros_like(potential), 0
        for sim, r, c in zip(sims, rows, cols, strict=True):
            a, b = linear_sum_assignment(np.where(sim >= alpha, align[np.ix_(r, c)] + 10 + sim * 1e-3, 0), maximize=True)
            kept = sim[a, b] >= alpha
            matches[r[a[kept]], c[b[kept]]] += 1
            tp += int(kept.sum())
        fn, fp = n_true.sum() - tp, n_track.sum() - tp
        deta = tp / max(tp + fn + fp, 1)
        share = matches / np.maximum(n_true[:, None] + n_track[None] - matches, 1e-9)
        assa = float((matches * share).sum() / max(tp, 1))
        hotas.append(np.sqrt(deta * assa))
        assas.append(assa)
        detas.append(deta)
    idf1 = _idf1(sims, rows, cols, n_true, n_track)
    return Score(float(np.mean(hotas)), float(np.mean(assas)), float(np.mean(detas)), idf1, _switches(sims, rows, cols))


def _idf1(sims: list[Floats], rows: list, cols: list, n_true: np.ndarray, n_track: np.ndarray) -> float:
    together = np.zeros((len(n_true), len(n_track)))
    for sim, r, c in zip(sims, rows, cols, strict=True):
        a, b = np.nonzero(sim >= 0.5)
        np.add.at(together, (r[a], c[b]), 1)
    a, b = linear_sum_assignment(together, maximize=True)
    idtp = together[a, b].sum()
    return float(2 * idtp / max(n_true.sum() + n_track.sum(), 1))


def _switches(sims: list[Floats], rows: list, cols: list) -> int:
    last: dict[int, int] = {}
    count = 0
    for sim, r, c in zip(sims, rows, cols, strict=True):
        keep = np.array([[last.get(int(i)) == int(j) for j in c] for i in r]).reshape(sim.shape)
        a, b = linear_sum_assignment(np.where(sim >= 0.5, sim + keep, 0), maximize=True)
        for i, j in zip(a, b, strict=True):
            if sim[i, j] >= 0.5:
                true, track = int(r[i]), int(c[j])
                count += true in last and last[true] != track
                last[true] = track
    return count
