"""One box a horse: non-maximum suppression, hard and soft, for horses that stand in front of one another.

Hard: the best box stays, every box that overlaps it by more than ``iou`` goes, and so on with the next best. A high ``iou``
keeps two horses whose boxes overlap a lot (a grey behind a bay) at the price of double boxes on one. Soft-NMS (Bodla et
al., ICCV 2017) lowers the score of what overlaps instead, by ``exp(-overlap² / sigma)``, so a strongly seen second horse
survives where a second box on the same horse does not.
"""

import numpy as np
import numpy.typing as npt

from barnhand.core.detection import Detections
from barnhand.core.geometry import iou
from barnhand.networks.adapter import Suppression

CONSIDERED = 400
"""Candidates looked at, best first. A yard full of horses gives a few dozen."""


def suppress(candidates: Detections, how: Suppression) -> Detections:
    """The boxes that stand for a horse each, best first, with their lowered scores when ``how.sigma`` > 0."""
    order = np.argsort(-candidates.scores, kind="stable")
    order = order[candidates.scores[order] >= how.floor][:CONSIDERED]
    if not len(order):
        return Detections.none()
    ranked = candidates[order]
    overlap = iou(ranked.boxes, ranked.boxes)
    if how.sigma > 0:
        return _soft(ranked, overlap, how)
    return ranked[_hard(overlap, how)]


def _hard(overlap: npt.NDArray[np.float32], how: Suppression) -> npt.NDArray[np.int64]:
    covered = overlap > how.iou
    alive = np.ones(len(overlap), np.bool_)
    kept: list[int] = []
    for i in range(len(overlap)):
        if not alive[i]:
            continue
        kept.append(i)
        if len(kept) == how.limit:
            break
        alive[i + 1 :] &= ~covered[i, i + 1 :]
    return np.array(kept, np.int64)


def _soft(ranked: Detections, overlap: npt.NDArray[np.float32], how: Suppression) -> Detections:
    decay = np.where(overlap > how.iou, 0, np.exp(-(overlap**2) / how.sigma)).astype(np.float32)
    scores = ranked.scores.copy()
    kept: list[int] = []
    final: list[float] = []
    while len(kept) < how.limit:
        best = int(scores.argmax())
        if scores[best] < how.floor:
            break
        kept.append(best)
        final.append(float(scores[best]))
        scores *= decay[best]
        scores[best] = 0
    return Detections(ranked.boxes[kept], np.array(final, np.float32))
