"""Non-maximum suppression on numpy boxes, hard and soft, tuned for horses that stand in front of one another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

#: Overlap from which a box has a say in where a kept one lies.
VOTING = 0.5


def overlap(box: Array, boxes: Array) -> Array:
    """Intersection over union of one box (4,) with boxes (N, 4)."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return np.asarray(shared / np.maximum(area - shared, 1e-9), np.float32)


def voted(box: Array, boxes: Array, scores: Array, spread: float) -> Array:
    """The mean (4,) of the boxes (N, 4) around a kept one."""
    shared = overlap(box, boxes)
    weight = np.where(shared >= VOTING, scores * np.exp(-((1 - shared) ** 2) / spread), 0)
    return np.asarray(weight @ boxes / weight.sum(), np.float32)


def suppress(
    boxes: Array, scores: Array, iou: float = 0.65, floor: float = 0.01, soft: float = 0.0, limit: int = 100, vote: float = 0.0
) -> tuple[Array, Array]:
    """Keep the best of each group of overlapping boxes.

    Boxes (N, 4) and scores (N,) in, the kept ones out, best first, at most `limit`, none below `floor`. A box that
    overlaps a kept one by more than `iou` goes. With `soft` = σ > 0, a box that stays below `iou` has its score
    multiplied by exp(-overlap²/σ) instead of being left alone (Bodla et al., "Soft-NMS", ICCV 2017). With `vote` > 0 a
    kept box is the mean of the boxes given that overlap it by at least `VOTING`, by score times exp(-(1 - overlap)²/vote)
    (He et al., "Bounding box regression with uncertainty", CVPR 2019).
    """
    keep = scores >= floor
    boxes, scores = boxes[keep], scores[keep].astype(np.float32)
    candidates, given = boxes, scores
    kept_boxes: list[Array] = []
    kept_scores: list[float] = []
    while len(scores) and len(kept_scores) < limit:
        best = int(scores.argmax())
        kept_boxes.append(voted(boxes[best], candidates, given, vote) if vote > 0 else boxes[best])
        kept_scores.append(float(scores[best]))
        shared = overlap(boxes[best], boxes)
        stay = shared <= iou
        stay[best] = False
        if soft > 0:
            scores = scores * np.exp(-(shared**2) / soft)
            stay &= scores >= floor
        boxes, scores = boxes[stay], scores[stay]
    if not kept_boxes:
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    return np.stack(kept_boxes).astype(np.float32), np.array(kept_scores, np.float32)
