"""Heatmaps to points: the reference decoding (numpy only). The runtime has its own copy and is tested against this one.

`NAME` describes it: the most likely cell, for pairs of legs chosen together, then the centre of mass of the cells around it.

1. Likelihood. A heatmap holds a probability a cell, and a point counts as found anywhere near its place, so the likelihood of
   a cell is the probability around it: the heatmap blurred with a Gaussian of sigma `BLUR` cells whose middle is 1.
2. Legs. For each pair (left, right) the two channels are searched together, because a leg seen from the side often has one
   peak on each of the two legs in both channels. Candidates of a pair are the strict local maxima (3x3) of both heatmaps, at
   most `CANDIDATES` of each channel, before the blur: it melts two legs beside one another into one peak. The cells (a, b)
   with the largest log(left at a) + log(right at b) - `PENALTY` * overlap(a, b) win, with likelihoods at least `FLOOR`,
   overlap = exp(-d^2 / (2 * `NEAR`^2)) and d the distance of the two candidates in cells.
3. Sub-pixel. Inside the (2 * `REACH` + 1)^2 window around the chosen cell, cut at the border: the mean of cell places
   weighted with likelihood^`POWER`.
4. Cell (x, y) is input pixel ((x + 0.5) * 4 - 0.5, (y + 0.5) * 4 - 0.5).
5. The score is sigmoid(a * logit(peak) + b) with the point's calibration (a, b), peak the likelihood of the chosen cell,
   clipped to [1e-4, 1 - 1e-4].
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.pose.skeleton import LEG_PAIRS

Floats = npt.NDArray[np.float32]

STRIDE = 4
CANDIDATES = 4
PENALTY = 0.75
NEAR = 2.5
REACH = 3
POWER = 8.0
BLUR = 3.2
NAME = (
    f"pair-peak candidates={CANDIDATES} penalty={PENALTY} near={NEAR} reach={REACH} power={POWER} stride={STRIDE} blur={BLUR}"
)
FLOOR = 1e-4


def decode(
    heatmaps: Floats, calibration: tuple[Floats, Floats] | None = None, *, penalty: float = PENALTY
) -> tuple[Floats, Floats]:
    """(n, 20, H, W) heatmaps to (n, 20, 2) input pixels and (n, 20) scores.

    Without `calibration` (two (20,) arrays) the score is the peak itself.
    """
    n, count = heatmaps.shape[:2]
    points = np.zeros((n, count, 2), np.float32)
    peaks = np.zeros((n, count), np.float32)
    likelihood = blurred(heatmaps)
    for index in range(n):
        cells = _cells(heatmaps[index], likelihood[index], penalty)
        for k, (y, x) in enumerate(cells):
            points[index, k] = refine(likelihood[index, k], y, x)
            peaks[index, k] = likelihood[index, k, y, x]
    if calibration is None:
        return points, peaks
    return points, calibrated(peaks, *calibration)


def blurred(heatmaps: Floats) -> Floats:
    """(..., H, W) heatmaps to the probability around each cell; one far from the rest keeps its own value."""
    rows, columns = (_gaussian(extent) for extent in heatmaps.shape[-2:])
    return np.asarray(rows @ heatmaps @ columns, np.float32)


def _gaussian(cells: int) -> Floats:
    """(cells, cells) Gaussian of the distance between two cells, 1 on the diagonal."""
    place = np.arange(cells)
    return np.exp(-0.5 * ((place[:, None] - place[None]) / BLUR) ** 2).astype(np.float32)


def calibrated(peaks: Floats, a: Floats, b: Floats) -> Floats:
    """Peaks (..., 20) to probabilities with per-point logistic curves on the peak's logit."""
    return np.asarray(1 / (1 + np.exp(-(a * logit(peaks) + b))), np.float32)


def logit(peaks: Floats) -> Floats:
    """log(p / (1 - p)), p clipped away from 0 and 1."""
    p = np.clip(peaks, FLOOR, 1 - FLOOR)
    return np.asarray(np.log(p) - np.log1p(-p), np.float32)


def refine(heat: Floats, y: int, x: int) -> tuple[float, float]:
    """Sub-pixel place (x, y) in input pixels around the cell (y, x) of an (H, W) heatmap."""
    ya, xa = max(y - REACH, 0), max(x - REACH, 0)
    window = np.maximum(heat[ya : y + REACH + 1, xa : x + REACH + 1], 0.0).astype(np.float64) ** POWER
    mass = window.sum()
    if mass <= 0:
        cx, cy = float(x), float(y)
    else:
        cx = float((window.sum(0) * np.arange(xa, xa + window.shape[1])).sum() / mass)
        cy = float((window.sum(1) * np.arange(ya, ya + window.shape[0])).sum() / mass)
    return (cx + 0.5) * STRIDE - 0.5, (cy + 0.5) * STRIDE - 0.5


def _cells(heat: Floats, likelihood: Floats, penalty: float) -> list[tuple[int, int]]:
    """The chosen cell (y, x) of each channel of (20, H, W)."""
    flat = likelihood.reshape(len(likelihood), -1).argmax(1)
    cells = [(int(i // heat.shape[2]), int(i % heat.shape[2])) for i in flat]
    if penalty <= 0:
        return cells
    for left, right in LEG_PAIRS:
        both = candidates(heat[left]) + candidates(heat[right])
        va, vb = (np.log(np.maximum([likelihood[side, y, x] for y, x in both], FLOOR)) for side in (left, right))
        apart = np.asarray(both, np.float64)[:, None] - np.asarray(both, np.float64)[None]
        cost = penalty * np.exp(-(apart**2).sum(-1) / (2 * NEAR**2))
        best = int((va[:, None] + vb[None] - cost).argmax())
        cells[left], cells[right] = both[best // len(both)], both[best % len(both)]
    return cells


def candidates(heat: Floats) -> list[tuple[int, int]]:
    """The strongest local maxima (y, x) of (H, W), strongest first, at least one."""
    padded = np.pad(heat, 1, constant_values=-1.0)
    around = np.max([padded[dy : dy + heat.shape[0], dx : dx + heat.shape[1]] for dy in range(3) for dx in range(3)], axis=0)
    ys, xs = np.nonzero((heat >= around) & (heat > 0))
    order = np.argsort(-heat[ys, xs], kind="stable")[:CANDIDATES]
    found = [(int(ys[i]), int(xs[i])) for i in order]
    if not found:
        best = int(heat.argmax())
        found = [(best // heat.shape[1], best % heat.shape[1])]
    return found
