"""How well tracks and detections fit: overlap and appearance in one figure.

Overlap is the IoU of boxes widened by a margin that grows with the time out of sight (Yang et al., "Hard to Track
Objects with Irregular Motions and Similar Appearances? Make It Easier by Buffering the Matching Space", WACV 2023).
Appearance is the cosine similarity of embeddings, scaled so that 0 is "as two animals" and 1 "as one". The share of
appearance grows with how much of the animal others cover and how long it was out of sight: position says less and less.
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from barnhand.core.geometry import Floats, area, intersection
from barnhand.track.options import TrackOptions

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NEVER = -1.0


def widened(boxes: Floats, margin: Floats) -> Floats:
    """Boxes ``(..., 4)`` with ``(...)`` shares of their width and height added on every side."""
    pad = (boxes[..., 2:] - boxes[..., :2]) * margin[..., None]
    return np.concatenate([boxes[..., :2] - pad, boxes[..., 2:] + pad], axis=-1)


def cover(boxes: Floats) -> Floats:
    """Largest share of each box's area that another box of the set covers, ``(n, 4)`` → ``(n,)`` in 0..1."""
    if len(boxes) < 2:
        return np.zeros(len(boxes), np.float32)
    shared = intersection(boxes, boxes) / np.maximum(area(boxes), 1e-6)[:, None]
    np.fill_diagonal(shared, 0.0)
    return np.asarray(shared.max(axis=1), np.float32)


def overlap(tracks: Floats, detections: Floats, unseen_s: Floats, options: TrackOptions) -> Floats:
    """IoU of widened boxes: tracks ``(t, 4)``, detections ``(d, 4)``, seconds out of sight ``(t,)`` → ``(t, d)``."""
    margin = np.minimum(options.margin + options.margin_growth * unseen_s, options.margin_most).astype(np.float32)
    a = widened(tracks, margin)[:, None]
    b = widened(np.broadcast_to(detections, (len(tracks), *detections.shape)), margin[:, None])
    shared = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    return np.asarray(shared / np.maximum(union, 1e-6), np.float32)


def within_reach(tracks: Floats, detections: Floats, unseen_s: Floats, options: TrackOptions) -> Bools:
    """Whether the animal could have walked there while out of sight, ``(t, d)``; sizes must agree within a factor of 2.5."""
    apart = (tracks[:, None, :2] + tracks[:, None, 2:] - detections[None, :, :2] - detections[None, :, 2:]) / 2
    distance = np.hypot(apart[..., 0], apart[..., 1])
    size_t, size_d = np.sqrt(area(tracks))[:, None], np.sqrt(area(detections))[None, :]
    ratio = size_t / np.maximum(size_d, 1e-6)
    alike = (ratio < 2.5) & (ratio > 0.4)
    return np.asarray(alike & (distance <= np.maximum(size_t, size_d) * (1.0 + options.reach * unseen_s[:, None])))


def similarity(looks: Floats, embeddings: Floats) -> Floats:
    """Cosine of unit rows ``(t, e)``, ``(d, e)`` → ``(t, d)``; NaN where either is not known (a row of NaN)."""
    return np.asarray(looks @ embeddings.T, np.float32)


def affinity(overlaps: Floats, alike: Floats | None, share: Floats, reachable: Bools, options: TrackOptions) -> Floats:
    """One figure a pair, ``(t, d)``, ``NEVER`` where impossible.

    ``share`` ``(t,)`` is appearance's part; ``alike`` may hold NaN, where overlap alone decides.
    """
    if alike is None:
        return np.where(overlaps > 0, overlaps, NEVER).astype(np.float32)
    scaled = np.clip((alike - options.different) / (options.same - options.different), 0.0, 1.0)
    both = (1 - share[:, None]) * overlaps + share[:, None] * scaled
    value = np.where(np.isnan(scaled), overlaps, both)
    recalled = reachable & (np.nan_to_num(alike, nan=-1.0) >= options.recall)
    return np.where((overlaps > 0) | recalled, value, NEVER).astype(np.float32)


def assign(values: Floats, least: float) -> tuple[Ints, Ints]:
    """The pairs of greatest total affinity, each at least ``least``: rows and columns (Hungarian)."""
    if not values.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    gain = np.where(values >= least, values, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    kept = values[rows, columns] >= least
    return np.asarray(rows[kept], np.int64), np.asarray(columns[kept], np.int64)


def unclear(values: Floats, sure: float, lead: float) -> Bools:
    """Detections ``(d,)`` that overlap does not settle: no track fits by ``sure``, or a second one is within ``lead``."""
    if not len(values):
        return np.ones(values.shape[1], bool)
    best = values.max(axis=0)
    out: Bools = np.asarray(best < sure)
    if len(values) > 1:
        second = np.sort(values, axis=0)[-2]
        out |= best - second < lead
    if values.shape[1] > 1:
        rival = np.sort(values, axis=1)[:, -2]
        out |= best - rival[values.argmax(axis=0)] < lead
    return out
