"""How well tracks and detections fit: overlap and appearance in one figure.

Overlap is the IoU of boxes widened by a margin that grows with the time out of sight (Yang et al., "Hard to Track
Objects with Irregular Motions and Similar Appearances? Make It Easier by Buffering the Matching Space", WACV 2023).
Appearance is the cosine similarity of embeddings, scaled so that 0 is "as two animals" and 1 "as one". The share of
appearance grows with how much of the animal others cover and with how little is known of where it is.

Boxes are corners ``(4, n)``, as in ``kalman``.
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from barnhand.core.geometry import Floats
from barnhand.track.kalman import Doubles
from barnhand.track.options import TrackOptions

Bools = npt.NDArray[np.bool_]
NEVER = -1.0


def areas(boxes: Doubles) -> Doubles:
    """``(4, n)`` → ``(n,)`` px²."""
    return np.asarray((boxes[2] - boxes[0]) * (boxes[3] - boxes[1]))


def cover(boxes: Doubles) -> Doubles:
    """Largest share of each box's area that another box of the set covers, ``(4, n)`` → ``(n,)`` in 0..1."""
    count = boxes.shape[1]
    if count < 2:
        return np.zeros(count)
    size = np.minimum(boxes[2:, :, None], boxes[2:, None]) - np.maximum(boxes[:2, :, None], boxes[:2, None])
    np.maximum(size, 0, out=size)
    shared = size[0] * size[1]
    shared.flat[:: count + 1] = 0.0
    return np.asarray(shared.max(axis=1) / np.maximum(areas(boxes), 1e-6))


def overlap(tracks: Doubles, detections: Doubles, margin: Doubles) -> Doubles:
    """IoU of boxes: tracks ``(4, t)``, detections ``(4, d)`` → ``(t, d)``.

    Both boxes of a pair are first widened on every side by the track's ``margin`` ``(t,)``, a share of their size.
    """
    pad_t = (tracks[2:] - tracks[:2]) * margin
    pad_d = (detections[2:] - detections[:2])[:, None] * margin[:, None]
    high = np.minimum((tracks[2:] + pad_t)[:, :, None], detections[2:, None] + pad_d)
    low = np.maximum((tracks[:2] - pad_t)[:, :, None], detections[:2, None] - pad_d)
    size = np.maximum(high - low, 0)
    shared = size[0] * size[1]
    grown = (1.0 + 2.0 * margin) ** 2
    union = (areas(tracks)[:, None] + areas(detections)) * grown[:, None] - shared
    return np.asarray(shared / np.maximum(union, 1e-6))


def within_reach(tracks: Doubles, detections: Doubles, unseen_s: Doubles, options: TrackOptions) -> Bools:
    """Whether the animal could have walked there while out of sight, ``(t, d)``; sizes must agree within a factor of 2.5."""
    apart = (tracks[:2] + tracks[2:])[:, :, None] / 2 - (detections[:2] + detections[2:])[:, None] / 2
    distance = np.hypot(apart[0], apart[1])
    size_t, size_d = np.sqrt(areas(tracks))[:, None], np.sqrt(areas(detections))[None]
    ratio = size_t / np.maximum(size_d, 1e-6)
    alike = (ratio < 2.5) & (ratio > 0.4)
    return np.asarray(alike & (distance <= np.maximum(size_t, size_d) * (1.0 + options.reach * unseen_s[:, None])))


def possible(
    overlaps: Doubles, alike: Floats, tracks: Doubles, detections: Doubles, unseen_s: Doubles, options: TrackOptions
) -> Bools:
    """Which pairs may be one animal, ``(t, d)``: those that overlap, and those that look the same and are ``within_reach``."""
    out: Bools = np.asarray(overlaps > 0)
    elsewhere = ~out & (alike >= options.recall)
    if elsewhere.any():
        out |= elsewhere & within_reach(tracks, detections, unseen_s, options)
    return out


def similarity(looks: Floats, embeddings: Floats) -> Floats:
    """Cosine of unit rows ``(t, e)``, ``(d, e)`` → ``(t, d)``; NaN where either is not known (a row of NaN)."""
    return np.asarray(looks @ embeddings.T, np.float32)


def share_of_looks(doubt: Doubles, covered: Doubles, unseen_s: Doubles, options: TrackOptions) -> Doubles:
    """Appearance's part in the affinity of each track, ``(t,)``: more, the less position settles.

    ``doubt`` is how far the animal may be from where it is expected, in sizes; ``covered``, the share of it that another
    covers. The more that is, the nearer the two are, and the less doubt it takes to mistake one for the other; up to a limit,
    for of an animal that is mostly covered the look says little too. What an observation of the place is worth goes with the
    variance, so with the square of the doubt. ``unseen_s`` is the time since each was seen: an animal seen a moment ago has
    not gone far, and a look would say the same in each of many pictures.
    """
    apart = np.maximum(1.0 - covered, 0.7)
    unsettled = np.minimum((doubt / (options.lost * apart)) ** 2, 1.0)
    share = options.appearance + (options.appearance_most - options.appearance) * unsettled
    return np.asarray(share * np.minimum(unseen_s / options.moment_s, 1.0))


def affinity(overlaps: Doubles, alike: Floats, share: Doubles, allowed: Bools, options: TrackOptions) -> Doubles:
    """One figure a pair, ``(t, d)``, ``NEVER`` where it is not ``allowed``.

    ``share`` ``(t,)`` is appearance's part; ``alike`` may hold NaN, where overlap alone decides.
    """
    scaled = np.clip((alike - options.different) / (options.same - options.different), 0.0, 1.0)
    # What is accepted shifts with the share: where position says nothing, animals must look more like one than like two.
    share = share[:, None]
    both = (1 - share) * overlaps + share * (scaled - options.accept_alike + options.accept)
    value = np.where(np.isnan(scaled), overlaps, both)
    return np.where(allowed, value, NEVER)


def assign(values: Doubles, least: float) -> list[tuple[int, int]]:
    """The pairs (row, column) of greatest total affinity, each at least ``least`` (Hungarian)."""
    fits = values >= least
    rows, columns = (found.tolist() for found in np.nonzero(fits))
    if len(set(rows)) == len(rows) and len(set(columns)) == len(columns):
        return list(zip(rows, columns, strict=True))  # nobody competes
    best = linear_sum_assignment(np.where(fits, values, 0.0), maximize=True)
    return [(int(r), int(c)) for r, c in zip(*best, strict=True) if fits[r, c]]


def unclear(values: Doubles, sure: float, lead: float) -> Bools:
    """Detections ``(d,)`` that overlap does not settle: no track fits by ``sure``, or a second one is within ``lead``."""
    if not len(values):
        return np.ones(values.shape[1], bool)
    best = values.max(axis=0)
    out: Bools = np.asarray(best < sure)
    if len(values) > 1:
        out |= best - np.partition(values, -2, axis=0)[-2] < lead
    if values.shape[1] > 1:
        rival = np.partition(values, -2, axis=1)[:, -2]
        out |= best - rival[values.argmax(axis=0)] < lead
    return out
