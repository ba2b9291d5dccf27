"""One box a horse: non-maximum suppression, hard and soft, for horses that stand in front of one another.

Hard: the best box stays, every box that overlaps it by more than ``iou`` goes, and so on with the next best. A high ``iou``
keeps two horses whose boxes overlap a lot (a grey behind a bay) at the price of double boxes on one. Soft-NMS (Bodla et
al., ICCV 2017) lowers the score of what overlaps instead, by ``exp(-overlap² / sigma)``, so a strongly seen second horse
survives where a second box on the same horse does not.

The cells around a horse each guess its box; the best scored is not the best placed. With voting a kept box is the mean of the
candidates that lie nearly where it does, which is closer to the horse than any one of them.
"""

import numpy as np
import numpy.typing as npt

from barnhand.core.detection import Detections
from barnhand.core.geometry import Floats, iou
from barnhand.networks.adapter import Suppression

CONSIDERED = 400
"""Candidates looked at, best first. A yard full of horses gives a few dozen."""
VOTING = 0.5
"""Overlap from which a candidate has a say in where a kept box lies."""


def suppress(candidates: Detections, how: Suppression) -> Detections:
    """The boxes that stand for a horse each, best first, with their lowered scores when ``how.sigma`` > 0."""
    order = np.argsort(-candidates.scores, kind="stable")
    order = order[candidates.scores[order] >= how.floor][:CONSIDERED]
    if not len(order):
        return Detections.none()
    ranked = candidates[order]
    overlap = iou(ranked.boxes, ranked.boxes)
    kept, scores = _soft(ranked.scores, overlap, how) if how.sigma > 0 else _hard(ranked.scores, overlap, how)
    boxes = _voted(ranked, overlap[kept], how.vote) if how.vote > 0 else ranked.boxes[kept]
    return Detections(boxes, scores)


def _voted(ranked: Detections, overlap: Floats, spread: float) -> Floats:
    """The means (K, 4) of the candidates around K kept ones, from the overlap (K, N) of those with all."""
    weight = np.where(overlap >= VOTING, ranked.scores * np.exp(-((1 - overlap) ** 2) / spread), 0)
    return np.asarray(weight @ ranked.boxes / weight.sum(1, keepdims=True), np.float32)


def _hard(scores: Floats, overlap: Floats, how: Suppression) -> tuple[npt.NDArray[np.int64], Floats]:
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
    return np.array(kept, np.int64), scores[kept]


def _soft(scores: Floats, overlap: Floats, how: Suppression) -> tuple[npt.NDArray[np.int64], Floats]:
    decay = np.where(overlap > how.iou, 0, np.exp(-(overlap**2) / how.sigma)).astype(np.float32)
    scores = scores.copy()
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
    return np.array(kept, np.int64), np.array(final, np.float32)
