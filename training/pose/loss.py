"""Loss: where each labelled point is (cross-entropy over cells, twice), whether a pair covers both legs, and visibility."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as fn

from training.pose.model import STRIDE, Outputs
from training.pose.skeleton import COUNT, GROUPS, LEG_PAIRS


@dataclass(frozen=True)
class LossOptions:
    """Weights of the loss's parts."""

    sigma_fine: float = 1.2
    """Width of the target distribution in fine cells."""
    sigma_coarse: float = 0.6
    """Width of the target distribution in coarse cells (stride 16)."""
    coarse: float = 0.3
    """Weight of the coarse distributions."""
    visible: float = 0.3
    """Weight of visibility."""
    hidden: float = 0.5
    """Weight of the place of a hidden point against a visible one."""
    unlabelled_visible: float = 0.5
    """Weight of "not visible" for points nobody labelled; their place is never supervised."""
    leg: float = 1.5
    """Weight of carpus, hock and hoof against other points."""
    both: float = 0.5
    """Weight of "the two channels of a pair cover both legs", whichever of them covers which."""


def target_distribution(points: Tensor, cells: int, stride: int, sigma: float) -> Tensor:
    """(n, 20, cells*cells) Gaussian around (n, 20, 2) input-pixel points, each summing to one."""
    grid = (torch.arange(cells, device=points.device) + 0.5) * stride - 0.5
    reach = 2 * (sigma * stride) ** 2
    x = -((grid - points[..., :1]) ** 2) / reach
    y = -((grid - points[..., 1:]) ** 2) / reach
    return torch.softmax((y[..., :, None] + x[..., None, :]).flatten(2), -1)


def point_weights(state: Tensor, options: LossOptions) -> Tensor:
    """(n, 20) weight of each point's place: 0 where unlabelled."""
    weight = (state == 2).float() + options.hidden * (state == 1).float()
    importance = torch.ones(COUNT, device=state.device)
    importance[list(GROUPS["hooves"] + GROUPS["carpus_hock"])] = options.leg
    return weight * importance


def both_legs(log_there: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy between the mean of a pair's two targets and the mean of its two distributions.

    `log_there` and `target` (n, 20, cells), `weight` (n, 20). Exchanged sides cost nothing here and two channels on one leg
    cost most, so that the network keeps a peak on each leg where it cannot tell left from right. Pairs with a point of weight
    0 are left out; the result is over the weights of the pairs.
    """
    left, right = (list(side) for side in zip(*LEG_PAIRS, strict=True))
    covered = torch.logaddexp(log_there[:, left], log_there[:, right])  # of the sum; the constant log 2 has no gradient
    wanted = (target[:, left] + target[:, right]) / 2
    pair = torch.minimum(weight[:, left], weight[:, right])
    return (-(wanted * covered).sum(-1) * pair).sum() / pair.sum().clamp_min(1.0)


def pose_loss(
    outputs: Outputs, points: Tensor, state: Tensor, outside: Tensor, options: LossOptions
) -> tuple[Tensor, dict[str, float]]:
    """The loss and its parts.

    `points` (n, 20, 2) input pixels, `state` (n, 20) 0 unlabelled, 1 hidden, 2 visible, `outside` (n, 20) True for labelled
    points that fell out of the picture: those are known not to be visible.
    """
    weight = point_weights(state, options)
    total = weight.sum().clamp_min(1.0)
    parts, pairs = [], []
    for logits, stride, sigma in (
        (outputs.fine, STRIDE, options.sigma_fine),
        (outputs.coarse, outputs.fine.shape[-1] * STRIDE // outputs.coarse.shape[-1], options.sigma_coarse),
    ):
        target = target_distribution(points, logits.shape[-1], stride, sigma)
        log_there = torch.log_softmax(logits.float().flatten(2), -1)
        parts.append((-(target * log_there).sum(-1) * weight).sum() / total)
        pairs.append(both_legs(log_there, target, weight))
    seen = (state == 2).float()
    known = torch.where((state == 0) & ~outside, options.unlabelled_visible, 1.0)
    visible = (fn.binary_cross_entropy_with_logits(outputs.visible, seen, reduction="none") * known).sum() / known.sum()
    placed = parts[0] + options.both * pairs[0] + options.coarse * (parts[1] + options.both * pairs[1])
    loss = placed + options.visible * visible
    return loss, {"fine": parts[0].item(), "both": pairs[0].item(), "coarse": parts[1].item(), "visible": visible.item()}
