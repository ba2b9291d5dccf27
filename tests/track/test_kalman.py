"""The filters of all tracks at once do what a textbook filter does for each figure."""

import numpy as np
import pytest

from barnhand.track import MotionOptions, kalman

OPTIONS = MotionOptions()


def textbook(value: float, seen: list[float], gap_s: float, size: float, *, centre: bool) -> tuple[np.ndarray, np.ndarray]:
    """Predict and correct with 2 × 2 matrices, as in any book; the size does not change."""
    memory, power = (OPTIONS.memory_s, OPTIONS.jerkiness) if centre else (OPTIONS.stretch_memory_s, OPTIONS.stretch)
    x = np.array([value, 0.0])
    speed = OPTIONS.start_speed if centre else OPTIONS.stretch
    p = np.diag([OPTIONS.noise**2, speed**2]) * size**2
    keep = np.exp(-gap_s / memory)
    f = np.array([[1, memory * (1 - keep)], [0, keep]])
    q = np.array([[gap_s**3 / 3, gap_s**2 / 2], [gap_s**2 / 2, gap_s]]) * (power * size) ** 2
    for z in seen:
        x, p = f @ x, f @ p @ f.T + q
        gain = p[:, 0] / (p[0, 0] + (OPTIONS.noise * size) ** 2)
        x, p = x + gain * (z - x[0]), p - np.outer(gain, p[0])
    return x, p


def test_each_figure_is_filtered_as_in_a_book() -> None:
    first = np.array([[0, 0, 40, 40], [300, 100, 380, 180]], float)
    filters = kalman.start(first.T, OPTIONS)
    shifts = [6.0, 11.0, 20.0]
    for shift in shifts:
        filters = kalman.predict(filters, 200_000, OPTIONS)
        filters = kalman.correct(filters, (first + shift).T, np.full(2, OPTIONS.noise))
    for row, (centre, size) in enumerate(((20.0, 40.0), (340.0, 80.0))):
        x, p = textbook(centre, [centre + s for s in shifts], 0.2, size, centre=True)
        assert filters[0, row, :2] == pytest.approx(x)
        assert filters[0, row, 2:] == pytest.approx([p[0, 0], p[0, 1], p[1, 1]])
        x, p = textbook(size, [size] * 3, 0.2, size, centre=False)
        assert filters[2, row, :2] == pytest.approx(x)
        assert filters[3, row, 2:] == pytest.approx([p[0, 0], p[0, 1], p[1, 1]])


def test_twice_half_the_time_is_once_the_whole() -> None:
    filters = kalman.start(np.array([[0.0], [0.0], [50.0], [40.0]]), OPTIONS)
    filters[:, :, 1] = 30.0
    filters[2:, :, 1] = 0.0
    once = kalman.predict(filters, 1_000_000, OPTIONS)
    twice = kalman.predict(kalman.predict(filters, 500_000, OPTIONS), 500_000, OPTIONS)
    assert np.allclose(once[..., :2], twice[..., :2])
    assert np.allclose(
        once[:2, :, 2:], twice[:2, :, 2:], rtol=0.25
    )  # the velocity's memory within a step is left out of the noise


def test_an_animal_out_of_sight_slows_down_and_grows_doubtful() -> None:
    filters = kalman.start(np.array([[0.0], [0.0], [50.0], [40.0]]), OPTIONS)
    filters[0, :, 1] = 100.0
    doubts, at = [], []
    for _ in range(10):
        filters = kalman.predict(filters, 1_000_000, OPTIONS)
        doubts.append(float(kalman.doubt(filters)[0]))
        at.append(float(filters[0, 0, 0]))
    assert doubts == sorted(doubts)
    assert at[-1] < 25 + 100 * OPTIONS.memory_s
    assert at[-1] - at[-2] < 0.1 * (at[1] - at[0])


def test_a_camera_that_turns_and_nears_carries_the_boxes_along() -> None:
    filters = kalman.start(np.array([[10.0], [20.0], [30.0], [60.0]]), OPTIONS)
    filters[:2, 0, 1] = [5.0, 0.0]
    turned = kalman.carry(filters, np.array([[0.0, -2.0, 100.0], [2.0, 0.0, 50.0]]))
    assert turned[:2, 0, 0] == pytest.approx([100 - 2 * 40, 50 + 2 * 20])
    assert turned[:2, 0, 1] == pytest.approx([0, 10])
    assert turned[2:, 0, 0] == pytest.approx([40, 80])


def test_corners_and_back() -> None:
    corners = np.array([[0, 5, 30, 45], [7, 8, 9, 10]], float).T
    assert kalman.corners_of(kalman.start(corners, OPTIONS)) == pytest.approx(corners)
    assert kalman.corners_of(kalman.none()).shape == (4, 0)
