"""The loss sees labelled points only."""

import pytest

pytest.importorskip("torch")

import torch
from training.pose.loss import LossOptions, both_legs, pose_loss, target_distribution
from training.pose.model import Outputs
from training.pose.skeleton import COUNT, LEG_PAIRS

OPTIONS = LossOptions()


def outputs() -> Outputs:
    torch.manual_seed(0)
    fine, coarse = torch.randn(2, COUNT, 32, 32), torch.randn(2, COUNT, 8, 8)
    return Outputs(fine.requires_grad_(), coarse.requires_grad_(), torch.randn(2, COUNT).requires_grad_())


def test_the_place_of_an_unlabelled_point_does_not_matter() -> None:
    points = torch.full((2, COUNT, 2), 60.0)
    state = torch.full((2, COUNT), 2, dtype=torch.uint8)
    state[:, 3] = 0
    outside = torch.zeros(2, COUNT, dtype=torch.bool)
    made = outputs()
    loss, _ = pose_loss(made, points, state, outside, OPTIONS)
    loss.backward()
    assert made.fine.grad is not None
    assert made.fine.grad[:, 3].abs().max() == 0
    assert made.fine.grad[:, 4].abs().max() > 0
    moved = points.clone()
    moved[:, 3] = 10.0
    again, _ = pose_loss(outputs(), moved, state, outside, OPTIONS)
    assert again.item() == pytest.approx(loss.item())


def test_a_hidden_point_is_placed_and_told_to_be_invisible() -> None:
    points = torch.full((2, COUNT, 2), 60.0)
    state = torch.ones(2, COUNT, dtype=torch.uint8)
    made = outputs()
    loss, _ = pose_loss(made, points, state, torch.zeros(2, COUNT, dtype=torch.bool), OPTIONS)
    loss.backward()
    assert made.fine.grad is not None
    assert made.visible.grad is not None
    assert made.fine.grad.abs().max() > 0
    assert (made.visible.grad > 0).all()


@pytest.mark.parametrize("place", [(0.0, 0.0), (63.2, 100.7), (127.0, 3.0)])
def test_the_target_sums_to_one_around_the_point(place: tuple[float, float]) -> None:
    target = target_distribution(torch.tensor(place).reshape(1, 1, 2), 32, 4, 1.2).reshape(32, 32)
    assert target.sum().item() == pytest.approx(1.0, abs=1e-5)
    y, x = divmod(int(target.argmax()), 32)
    assert abs(x * 4 + 1.5 - place[0]) <= 2.01
    assert abs(y * 4 + 1.5 - place[1]) <= 2.01


def test_two_channels_on_one_leg_cost_more_than_exchanged_sides() -> None:
    left, right = LEG_PAIRS[-1]
    points = torch.full((1, COUNT, 2), 60.0)
    points[0, left], points[0, right] = torch.tensor([30.0, 90.0]), torch.tensor([90.0, 90.0])
    target = target_distribution(points, 32, 4, 1.2)
    exchanged, shared = target.clone(), target.clone()
    exchanged[0, [left, right]] = target[0, [right, left]]
    shared[0, right] = target[0, left]
    weight = torch.zeros(1, COUNT)
    weight[0, [left, right]] = 1.5
    true, swapped, collapsed = (both_legs(found.clamp_min(1e-9).log(), target, weight) for found in (target, exchanged, shared))
    assert swapped.item() == pytest.approx(true.item(), abs=1e-4)
    assert collapsed.item() > true.item() + 1


def test_a_pair_of_which_one_leg_is_not_labelled_is_left_out() -> None:
    left, right = LEG_PAIRS[0]
    target = target_distribution(torch.full((1, COUNT, 2), 60.0), 32, 4, 1.2)
    weight = torch.zeros(1, COUNT)
    weight[0, left] = 1.0
    assert both_legs(target.clamp_min(1e-9).log(), target, weight).item() == 0
    weight[0, right] = 1.0
    assert both_legs(target.clamp_min(1e-9).log(), target, weight).item() > 0
