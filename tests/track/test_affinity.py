"""Overlap and appearance in one figure, and who gets whom."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from barnhand.core.geometry import iou
from barnhand.track import TrackOptions
from barnhand.track.affinity import NEVER, affinity, assign, cover, overlap, possible, share_of_looks, within_reach

OPTIONS = TrackOptions(same=0.8, different=0.2, recall=0.7)
HERE = np.array([[0, 0, 40, 40]], float)


def boxes(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 200, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(20, 90, (count, 2))], axis=1).astype(np.float32)


def test_overlap_without_a_margin_is_the_iou() -> None:
    a, b = boxes(6, 1), boxes(9, 2)
    assert np.allclose(overlap(a.T, b.T, np.zeros(6)), iou(a, b), atol=1e-6)


def test_a_margin_widens_both_boxes() -> None:
    a, b = np.array([[0, 0, 10, 10]], float), np.array([[12, 0, 22, 10]], float)
    assert overlap(a.T, b.T, np.zeros(1))[0, 0] == 0
    wide = iou(np.array([[-5, -5, 15, 15]], np.float32), np.array([[7, -5, 27, 15]], np.float32))[0, 0]
    assert overlap(a.T, b.T, np.array([0.5]))[0, 0] == pytest.approx(wide)


def test_cover_is_the_largest_share_that_one_other_covers() -> None:
    three = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [100, 0, 110, 10]], float)
    assert cover(three.T).tolist() == [0.5, 0.5, 0.0]
    assert cover(three[:1].T).tolist() == [0.0]


def test_looks_count_more_the_less_position_settles() -> None:
    doubt, covered = np.array([0.0, 0.05, 0.05, 0.2, 2.0]), np.array([0.0, 0.0, 0.5, 0.8, 0.0])
    share = share_of_looks(doubt, covered, np.full(5, 0.2), OPTIONS)
    assert share[0] == pytest.approx(OPTIONS.appearance)
    assert share[0] < share[1] < share[2] < share[3]
    assert share[3] == share[4] == pytest.approx(OPTIONS.appearance_most)


def test_looks_count_less_in_the_many_pictures_of_a_second() -> None:
    share = share_of_looks(np.full(4, 0.1), np.zeros(4), np.array([0.0, 0.04, 0.1, 5.0]), OPTIONS)
    assert share[0] == 0.0
    assert 0.0 < share[1] < share[2]
    assert share[2] == share[3]


def test_position_alone_decides_where_nobody_was_looked_at() -> None:
    overlaps, alike = np.array([[0.6, 0.0]]), np.full((1, 2), np.nan, np.float32)
    allowed = possible(overlaps, alike, HERE.T, np.repeat(HERE.T, 2, axis=1), np.zeros(1), OPTIONS)
    found = affinity(overlaps, alike, np.array([0.8]), allowed, OPTIONS)
    assert found.tolist() == [[0.6, NEVER]]


@pytest.mark.parametrize(
    ("shared", "alike", "share", "accepted"),
    [
        (0.9, 0.2, 0.1, True),  # known to the pixel: a bad look changes nothing
        (0.9, 0.2, 0.8, False),  # lost for a while: another animal stands where it was expected
        (0.3, 0.8, 0.8, True),
        (0.3, 0.4, 0.8, False),  # neither as two nor as one, and position says little
        (0.0, 0.75, 0.8, True),  # away from where its motion leads, but it looks the same
        (0.0, 0.65, 0.8, False),
    ],
)
def test_what_is_accepted(shared: float, alike: float, share: float, accepted: bool) -> None:
    pair = np.array([[shared]]), np.array([[alike]], np.float32)
    value = affinity(*pair, np.array([share]), possible(*pair, HERE.T, HERE.T, np.zeros(1), OPTIONS), OPTIONS)
    assert (value[0, 0] >= OPTIONS.accept) == accepted


def test_who_looks_the_same_but_cannot_have_walked_there_is_another() -> None:
    far, pair = HERE + np.array([400, 0, 400, 0]), (np.zeros((1, 1)), np.array([[0.9]], np.float32))
    assert not possible(*pair, HERE.T, far.T, np.array([1.0]), OPTIONS)[0, 0]
    assert possible(*pair, HERE.T, far.T, np.array([10.0]), OPTIONS)[0, 0]


def test_nobody_is_where_it_could_not_have_walked() -> None:
    track, far = np.array([[0, 0, 40, 40]], float), np.array([[400, 0, 440, 40]], float)
    huge = np.array([[0, 0, 200, 200]], float)
    for seconds, there in ((1.0, False), (10.0, True)):
        assert within_reach(track.T, far.T, np.array([seconds]), OPTIONS)[0, 0] == there
    assert not within_reach(track.T, huge.T, np.array([10.0]), OPTIONS)[0, 0]


@pytest.mark.parametrize("seed", range(20))
def test_the_short_cut_finds_what_the_hungarian_method_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, (rng.integers(1, 6), rng.integers(1, 6))) - (0.8 if seed % 2 else 0.0)
    found = assign(values, 0.1)
    best = linear_sum_assignment(np.where(values >= 0.1, values, 0), maximize=True)
    assert sum(values[pair] for pair in found) == pytest.approx(
        sum(max(values[r, c], 0) for r, c in zip(*best, strict=True) if values[r, c] >= 0.1)
    )
    assert len({r for r, _ in found}) == len({c for _, c in found}) == len(found)


def test_nobody_to_assign() -> None:
    assert assign(np.zeros((0, 3)), 0.1) == []
    assert assign(np.full((2, 3), NEVER), 0.1) == []
