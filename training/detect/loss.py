"""The training loss: labels where there are labels, the COCO teacher elsewhere, and no horse where there is none.

Four terms, each a sum over cells divided by the number of cells that answer for a box:

* boxes of the cells SimOTA assigned: generalised IoU, and how far each edge is off in widths or heights of the box,
  which still pulls where the overlap is nearly whole;
* classes of those cells: binary cross entropy against the label, the IoU as the target (as YOLOX does);
* objectness of all cells: 1 where assigned; elsewhere what the frozen COCO network says, so that the network keeps
  answering for people, unlabelled animals and things, and forgets nothing. Inside a labelled box the teacher is
  believed only about people (riders, handlers), else the target is 0, or one animal would be found twice;
* classes of background cells, weighted by objectness: the teacher's probabilities, but 0 for `horse`. A separate
  focal term on objectness × horse presses hard on what would be a false box at run time.

Cells whose centre lies in a region to ignore, and that answer for no box, carry no loss at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor

from training.detect.assign import assign
from training.detect.compose import Batch
from training.detect.network import CLASSES, HORSE, Raw, cells

PERSON = CLASSES.index("person")


@dataclass(frozen=True)
class Weights:
    """Weights of the terms."""

    box: float = 6.0
    edge: float = 3.0
    """Of the edges' distances, beside the generalised IoU; counted into `box`."""
    objectness: float = 1.0
    classes: float = 1.0
    background: float = 0.5
    false_horse: float = 3.0


class Losses(NamedTuple):
    """Scalars. `total` is what is minimised; the others are its weighted parts, detached."""

    total: Tensor
    box: Tensor
    objectness: Tensor
    classes: Tensor
    background: Tensor
    false_horse: Tensor


def generalised_iou(a: Tensor, b: Tensor) -> Tensor:
    """Boxes (N, 4) against boxes (N, 4): (N,) in -1…1."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - shared
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1)
    return shared / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)


def covered(centres: Tensor, boxes: Tensor, known: Tensor) -> Tensor:
    """Which cells (M, 2) of each picture lie in any of its boxes (B, N, 4), `known` (B, N): (B, M)."""
    point = centres[None, None]
    within = (point > boxes[:, :, None, :2]).all(-1) & (point < boxes[:, :, None, 2:]).all(-1)
    return (within & known[:, :, None]).any(1)


def losses(out: Raw, teacher: Raw, batch: Batch, weights: Weights) -> Losses:
    """The loss of a batch, from the network's and the frozen teacher's outputs on the same pixels."""
    height, width = batch.pixels.shape[-2:]
    corners, strides = (t.to(out.boxes.device) for t in cells(height, width))
    centres = corners + strides / 2
    positive, quality = [], []
    truth, labels = [], []
    for i in range(len(out.boxes)):
        known = batch.known[i]
        match = assign(
            out.boxes[i], out.objectness[i], out.classes[i], batch.boxes[i][known], batch.labels[i][known], centres, strides
        )
        positive.append(match.positive)
        quality.append(match.overlap)
        picked = match.box[match.positive]
        truth.append(batch.boxes[i][known][picked])
        labels.append(batch.labels[i][known][picked])
    mask, iou = torch.stack(positive), torch.stack(quality)
    count = mask.sum().clamp(min=4.0)

    said = teacher.classes.sigmoid()
    trust = teacher.objectness.sigmoid()
    labelled = covered(centres, batch.boxes, batch.known)
    trust = torch.where(labelled, trust * said[..., PERSON], trust)
    counted = (~covered(centres, batch.ignore, batch.ignored) | mask).float()
    background = counted * ~mask

    wanted = torch.cat(truth)
    overlaps = (1 - generalised_iou(out.boxes[mask], wanted)).sum()
    side = (wanted[:, 2:] - wanted[:, :2]).clamp(min=1.0).repeat(1, 2)
    edges = ((out.boxes[mask] - wanted).abs() / side).clamp(max=1.0).sum()
    target = nnf.one_hot(torch.cat(labels), out.classes.shape[-1]) * iou[mask][:, None]
    classes = nnf.binary_cross_entropy_with_logits(out.classes[mask], target, reduction="sum")
    objectness = nnf.binary_cross_entropy_with_logits(
        out.objectness, torch.where(mask, torch.ones_like(trust), trust), weight=counted, reduction="sum"
    )
    soft = said.clone()
    soft[..., HORSE] = 0
    weight = (torch.maximum(trust, out.objectness.sigmoid().detach()) * background)[..., None]
    kept = nnf.binary_cross_entropy_with_logits(out.classes, soft, weight=weight.expand_as(soft), reduction="sum")
    # log(objectness · horse) from logits, then -p² log(1 - p) on cells that are no horse.
    logp = nnf.logsigmoid(out.objectness) + nnf.logsigmoid(out.classes[..., HORSE])
    p = logp.exp().clamp(max=1 - 1e-4)
    horse = torch.zeros_like(mask)
    horse[mask] = torch.cat(labels) == HORSE
    # Neighbours of an assigned cell that also see the horse are duplicates for suppression to drop, not false boxes.
    is_horse = batch.known & (batch.labels == HORSE)
    near_horse = covered(centres, batch.boxes, is_horse) | horse
    false_horse = (-(p**2) * torch.log1p(-p) * counted * ~near_horse).sum()

    parts = (
        (weights.box * overlaps + weights.edge * edges) / count,
        weights.objectness * objectness / count,
        weights.classes * classes / count,
        weights.background * kept / count,
        weights.false_horse * false_horse / count,
    )
    return Losses(sum(parts, torch.zeros(())), *(part.detach() for part in parts))
