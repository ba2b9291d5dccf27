"""Which cells answer for which labelled box: SimOTA (Ge et al., YOLOX, section 2.5), one picture at a time."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor

#: A cell may answer for a box when its centre lies inside the box or within this many strides of the box's centre.
RADIUS = 2.5
#: Each box gets as many cells as the sum of its best overlaps, at most this many.
CANDIDATES = 10


class Assignment(NamedTuple):
    """`positive` (M,) cells that answer for a box, `box` (M,) which one, `overlap` (M,) their IoU with it."""

    positive: Tensor
    box: Tensor
    overlap: Tensor


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """Boxes (G, 4) and (M, 4) to (G, M)."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = (a[:, 2:] - a[:, :2]).prod(-1)[:, None] + (b[:, 2:] - b[:, :2]).prod(-1)[None]
    return shared / (area - shared).clamp(min=1e-6)


@torch.no_grad()
def assign(
    boxes: Tensor, objectness: Tensor, classes: Tensor, truth: Tensor, labels: Tensor, centres: Tensor, strides: Tensor
) -> Assignment:
    """Match the cells of one picture with its labels.

    `boxes` (M, 4), `objectness` (M,) and `classes` (M, C) logits: the network's answer. `truth` (G, 4), `labels` (G,).
    `centres` (M, 2) and `strides` (M, 1) of the cells, in pixels.
    """
    count, cells = len(truth), len(boxes)
    none = torch.zeros(cells, dtype=torch.bool, device=boxes.device)
    zero = torch.zeros(cells, device=boxes.device)
    if count == 0:
        return Assignment(none, torch.zeros(cells, dtype=torch.long, device=boxes.device), zero)
    inside = torch.minimum(centres[None] - truth[:, None, :2], truth[:, None, 2:] - centres[None]).amin(-1) > 0
    middle = (truth[:, :2] + truth[:, 2:]) / 2
    near = ((centres[None] - middle[:, None]).abs() < RADIUS * strides[None]).all(-1)
    candidate = (inside | near).any(0)
    index = candidate.nonzero()[:, 0]
    overlap = pairwise_iou(truth, boxes[index])
    score = (objectness[index].sigmoid()[:, None] * classes[index].sigmoid()).sqrt().clamp(1e-6, 1 - 1e-6)
    wanted = nnf.one_hot(labels, classes.shape[1]).float()
    # Sum over classes of BCE(score, one-hot of the label), for all pairs at once.
    off = -torch.log1p(-score).sum(-1)
    on = -score.log() @ wanted.T + torch.log1p(-score) @ wanted.T
    cost = (off[:, None] + on).T + 3.0 * -(overlap + 1e-8).log() + 1e5 * ~(inside & near)[:, index]
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    share = overlap.topk(min(CANDIDATES, len(index)), dim=1).values.sum(1).int().clamp(min=1)
    for i in range(count):
        best = cost[i].topk(min(int(share[i]), len(index)), largest=False).indices
        chosen[i, best] = True
    owner = torch.where(chosen, cost, torch.full_like(cost, float("inf"))).argmin(0)
    taken = chosen.any(0)
    positive, box, quality = none.clone(), torch.zeros(cells, dtype=torch.long, device=boxes.device), zero.clone()
    positive[index] = taken
    box[index] = owner
    quality[index] = overlap.gather(0, owner[None])[0]
    return Assignment(positive, box, quality * positive)
