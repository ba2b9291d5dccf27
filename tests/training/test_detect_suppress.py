"""Suppression drops duplicates and keeps a horse behind a horse; the figures count what they say."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pycocotools")

from training.detect.evaluate import average_precision, figures, matched
from training.detect.sets import Case
from training.detect.suppress import overlap, suppress

BAY = [100.0, 100.0, 300.0, 260.0]
GREY = [160.0, 90.0, 370.0, 255.0]  # overlaps the bay by 0.52
AGAIN = [104.0, 98.0, 306.0, 262.0]  # the bay a second time, 0.92


def array(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize("soft", [0.0, 0.5], ids=["hard", "soft"])
def test_a_grey_behind_a_bay_is_two_boxes(soft: float) -> None:
    boxes, scores = suppress(array(BAY, GREY, AGAIN), np.array([0.9, 0.8, 0.7], np.float32), iou=0.65, soft=soft)
    np.testing.assert_allclose(boxes, array(BAY, GREY))
    assert scores[0] == pytest.approx(0.9)
    assert scores[1] > 0.3


def test_soft_suppression_lowers_what_overlaps() -> None:
    _, scores = suppress(array(BAY, GREY), np.array([0.9, 0.8], np.float32), iou=0.65, soft=0.5)
    shared = float(overlap(array(BAY)[0], array(GREY))[0])
    assert scores[1] == pytest.approx(0.8 * np.exp(-(shared**2) / 0.5), rel=1e-5)


def test_scores_come_best_first_and_none_below_the_floor() -> None:
    boxes = array([0, 0, 10, 10], [50, 0, 60, 10], [100, 0, 110, 10])
    _, scores = suppress(boxes, np.array([0.2, 0.005, 0.6], np.float32), floor=0.01)
    np.testing.assert_allclose(scores, [0.6, 0.2])


def test_voting_averages_what_guesses_the_same_horse_and_keeps_the_scores() -> None:
    boxes = np.array([[0, 0, 100, 100], [4, 0, 104, 100], [80, 0, 180, 100]], np.float32)
    scores = np.array([0.8, 0.8, 0.5], np.float32)
    kept, found = suppress(boxes, scores, vote=1e6)
    np.testing.assert_allclose(kept, [[2, 0, 102, 100], [80, 0, 180, 100]], atol=1e-3)
    np.testing.assert_allclose(found, [0.8, 0.5])


def test_nothing_in_nothing_out() -> None:
    boxes, scores = suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)


def case(*boxes: list[float], vague: np.ndarray | None = None) -> Case:
    return Case("a", lambda: np.zeros((400, 400, 3), np.uint8), array(*boxes), array() if vague is None else vague)


def found(*rows: tuple[list[float], float]) -> tuple[np.ndarray, np.ndarray]:
    return array(*(b for b, _ in rows)), np.array([s for _, s in rows], np.float32)


@pytest.mark.parametrize(
    ("boxes", "truth", "count"),
    [([BAY, GREY], [BAY, GREY], 2), ([BAY, AGAIN], [BAY], 1), ([BAY], [BAY, GREY], 1), ([], [BAY], 0)],
    ids=["both", "a duplicate", "one missed", "nothing"],
)
def test_a_box_stands_for_one_horse(boxes: list[list[float]], truth: list[list[float]], count: int) -> None:
    assert matched(array(*boxes), array(*truth)) == count


def test_perfect_boxes_have_perfect_precision() -> None:
    assert average_precision([case(BAY, GREY)], [found((BAY, 0.9), (GREY, 0.4))]) == (pytest.approx(1.0), pytest.approx(1.0))


def test_false_boxes_are_counted_on_pictures_without_a_horse() -> None:
    cases = [case(BAY), case(), case()]
    results = [found((BAY, 0.9), (GREY, 0.5)), found((GREY, 0.8), (BAY, 0.1)), found()]
    counted = figures(cases, results, threshold=0.3)
    assert counted.recall == 1.0
    assert counted.precision == 0.5
    assert counted.false_boxes == 0.5
    assert counted.negatives == 2


def test_a_box_on_a_vague_horse_counts_neither_way() -> None:
    counted = figures([case(BAY, vague=array([0, 0, 50, 50]))], [found((BAY, 0.9), ([0, 0, 50, 50], 0.9))])
    assert counted.precision == 1.0
