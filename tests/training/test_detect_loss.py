"""What the loss teaches, and what it leaves alone."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")

import torch
from training.detect.assign import assign, pairwise_iou
from training.detect.compose import Batch
from training.detect.loss import Weights, covered, generalised_iou, losses
from training.detect.network import CLASSES, HORSE, Raw, cells

torch.set_num_threads(1)  # two threads on a busy machine wait for one another

SIZE = 64
CELLS = 84
COW = CLASSES.index("cow")
BOX = [8.0, 8.0, 40.0, 40.0]


def batch(boxes: list[list[float]], labels: list[int], ignore: list[list[float]] | None = None) -> Batch:
    ignore = ignore or []
    return Batch(
        torch.zeros(1, 3, SIZE, SIZE, dtype=torch.uint8),
        torch.tensor(boxes or [[0.0] * 4])[None],
        torch.tensor(labels or [0])[None],
        torch.tensor([bool(boxes)] * max(1, len(boxes)))[None],
        torch.tensor(ignore or [[0.0] * 4])[None],
        torch.tensor([bool(ignore)] * max(1, len(ignore)))[None],
    )


def answer(objectness: float = -4.0, horse: float = -4.0) -> Raw:
    """All cells say the same: a box of two strides around their middle, with the given logits."""
    corners, strides = cells(SIZE, SIZE)
    middle = corners + strides / 2
    classes = torch.full((1, CELLS, len(CLASSES)), -4.0)
    classes[..., HORSE] = horse
    boxes = torch.cat([middle - strides, middle + strides], 1)[None]
    return Raw(boxes.requires_grad_(), torch.full((1, CELLS), objectness).requires_grad_(), classes.requires_grad_())


def taught(objectness: float = -4.0) -> Raw:
    """The same as a teacher says it, without gradients."""
    return Raw(*(part.detach() for part in answer(objectness)))


def inside(box: list[float]) -> torch.Tensor:
    corners, strides = cells(SIZE, SIZE)
    return covered(corners + strides / 2, torch.tensor([[box]]), torch.ones(1, 1, dtype=torch.bool))[0]


def test_cells_in_a_region_to_ignore_carry_no_loss() -> None:
    out = answer(objectness=3.0, horse=3.0)
    losses(out, taught(), batch([], [], ignore=[BOX]), Weights()).total.backward()
    hidden = inside(BOX)
    assert hidden.any()
    assert (out.objectness.grad[0][hidden] == 0).all()
    assert (out.classes.grad[0][hidden] == 0).all()
    assert (out.objectness.grad[0][~hidden] != 0).all()


def test_a_label_in_a_region_to_ignore_is_still_taught() -> None:
    out = answer()
    losses(out, taught(), batch([BOX], [HORSE], ignore=[BOX]), Weights()).total.backward()
    assert (out.objectness.grad[0] < 0).any()


def test_a_horse_where_there_is_none_costs_more_than_a_thing() -> None:
    weights = Weights(box=0, objectness=0, classes=0, background=0, false_horse=1)
    horse = losses(answer(3.0, 3.0), taught(), batch([], []), weights).false_horse
    thing = losses(answer(3.0, -4.0), taught(), batch([], []), weights).false_horse
    assert float(horse) > 100 * float(thing)


@pytest.mark.parametrize(("label", "raised"), [(HORSE, True), (COW, False)], ids=["a horse", "a cow"])
def test_an_animal_teaches_its_own_class(label: int, raised: bool) -> None:
    out = answer(objectness=1.0, horse=-3.0)
    losses(out, taught(), batch([BOX], [label]), Weights(background=0, false_horse=0)).total.backward()
    pull = out.classes.grad[0, :, HORSE].sum()
    assert (float(pull) < 0) is raised


def test_the_background_follows_the_teacher() -> None:
    weights = Weights(box=0, objectness=1, classes=0, background=0, false_horse=0)
    sure, unsure = taught(2.0), taught(-6.0)
    out = answer(objectness=-2.0)
    losses(out, sure, batch([], []), weights).total.backward()
    assert (out.objectness.grad < 0).all()
    out = answer(objectness=-2.0)
    losses(out, unsure, batch([], []), weights).total.backward()
    assert (out.objectness.grad > 0).all()


def test_an_edge_far_off_pulls_on_a_box_and_a_loss_of_edges_alone_is_finite() -> None:
    out = answer(objectness=3.0, horse=3.0)
    found = losses(out, taught(), batch([BOX], [HORSE]), Weights(box=0.0, edge=1.0, objectness=0, classes=0, background=0))
    found.total.backward()
    assert 0 < float(found.box) <= 4.0
    assert out.boxes.grad.abs().sum() > 0


def test_each_label_gets_cells_and_no_cell_two_labels() -> None:
    out = answer()
    corners, strides = cells(SIZE, SIZE)
    truth = torch.tensor([BOX, [30.0, 30.0, 62.0, 62.0]])
    match = assign(
        out.boxes[0].detach(),
        out.objectness[0],
        out.classes[0],
        truth,
        torch.tensor([HORSE, COW]),
        corners + strides / 2,
        strides,
    )
    owners = match.box[match.positive]
    assert set(owners.tolist()) == {0, 1}
    assert (match.overlap[match.positive] > 0).all()
    assert (match.overlap[~match.positive] == 0).all()


def test_no_labels_no_cells() -> None:
    out = answer()
    corners, strides = cells(SIZE, SIZE)
    nothing = torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)
    match = assign(out.boxes[0], out.objectness[0], out.classes[0], *nothing, corners + strides / 2, strides)
    assert not match.positive.any()


@pytest.mark.parametrize(
    ("other", "iou", "generalised"),
    [
        ([0, 0, 10, 10], 1.0, 1.0),
        ([5, 0, 15, 10], 1 / 3, 1 / 3),
        ([10, 10, 20, 20], 0.0, -0.5),
        ([20, 0, 30, 10], 0.0, -1 / 3),
    ],
    ids=["same", "half", "corner to corner", "apart"],
)
def test_overlap(other: list[float], iou: float, generalised: float) -> None:
    one, two = torch.tensor([[0.0, 0.0, 10.0, 10.0]]), torch.tensor([other]).float()
    assert float(pairwise_iou(one, two)) == pytest.approx(iou, abs=1e-5)
    assert float(generalised_iou(one, two)) == pytest.approx(generalised, abs=1e-5)


def test_padding_is_never_a_label() -> None:
    padded = batch([BOX], [HORSE])
    more = replace(
        padded,
        boxes=torch.cat([padded.boxes, torch.tensor([[[0.0, 0.0, 64.0, 64.0]]])], 1),
        labels=torch.cat([padded.labels, torch.tensor([[COW]])], 1),
        known=torch.tensor([[True, False]]),
    )
    torch.testing.assert_close(
        losses(answer(), taught(), padded, Weights()).total, losses(answer(), taught(), more, Weights()).total
    )
