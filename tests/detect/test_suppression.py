import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barnhand.core.detection import Detections
from barnhand.core.geometry import iou
from barnhand.detect.suppression import suppress
from barnhand.networks.adapter import Suppression


def found(*rows: tuple[float, float, float, float, float]) -> Detections:
    data = np.array(rows, np.float32).reshape(-1, 5)
    return Detections(data[:, :4], data[:, 4])


GREY_BEHIND_BAY = found((100, 100, 300, 260, 0.9), (150, 95, 360, 255, 0.7), (104, 102, 305, 262, 0.6))
"""Two horses whose boxes overlap by 0.6, and a second box on the first (overlap 0.93)."""

CASES = {
    "nothing": (found(), Suppression(), []),
    "one": (found((0, 0, 10, 10, 0.5)), Suppression(), [0.5]),
    "apart": (found((0, 0, 10, 10, 0.5), (20, 0, 30, 10, 0.6)), Suppression(), [0.6, 0.5]),
    "the same twice": (found((0, 0, 10, 10, 0.5), (0, 0, 10, 10, 0.6)), Suppression(), [0.6]),
    "two horses, one behind the other": (GREY_BEHIND_BAY, Suppression(iou=0.65), [0.9, 0.7]),
    "two horses, cut too hard": (GREY_BEHIND_BAY, Suppression(iou=0.5), [0.9]),
    "below the floor": (found((0, 0, 10, 10, 0.009)), Suppression(floor=0.01), []),
    "more than the limit": (
        found(*[(20 * i, 0, 20 * i + 10, 10, 0.9 - 0.1 * i) for i in range(5)]),
        Suppression(limit=2),
        [0.9, 0.8],
    ),
}


@pytest.mark.parametrize(("boxes", "how", "scores"), CASES.values(), ids=CASES.keys())
def test_hard(boxes: Detections, how: Suppression, scores: list[float]) -> None:
    np.testing.assert_allclose(suppress(boxes, how).scores, scores, atol=1e-6)


def test_soft_lowers_what_overlaps() -> None:
    overlap = float(iou(GREY_BEHIND_BAY.boxes[:1], GREY_BEHIND_BAY.boxes[1:2])[0, 0])
    kept = suppress(GREY_BEHIND_BAY, Suppression(iou=0.8, sigma=0.5))
    np.testing.assert_allclose(kept.scores, [0.9, 0.7 * np.exp(-(overlap**2) / 0.5)], rtol=1e-5)


def test_soft_leaves_what_stands_alone() -> None:
    kept = suppress(found((0, 0, 10, 10, 0.5), (20, 0, 30, 10, 0.6)), Suppression(sigma=0.5))
    np.testing.assert_allclose(kept.scores, [0.6, 0.5])


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_voting_puts_a_box_between_the_candidates_on_its_horse(sigma: float) -> None:
    first, second, again = GREY_BEHIND_BAY.boxes
    plain = suppress(GREY_BEHIND_BAY, Suppression(iou=0.65, sigma=sigma))
    kept = suppress(GREY_BEHIND_BAY, Suppression(iou=0.65, sigma=sigma, vote=0.02))
    np.testing.assert_array_equal(kept.scores, plain.scores)
    overlap = float(iou(first[None], again[None])[0, 0])
    weight = 0.6 * np.exp(-((1 - overlap) ** 2) / 0.02)
    np.testing.assert_allclose(kept.boxes[0], (0.9 * first + weight * again) / (0.9 + weight), atol=0.1)
    # The other horse's candidates overlap this one's by 0.6: they hardly move it.
    np.testing.assert_allclose(kept.boxes[1], second, atol=0.6)


def test_a_candidate_that_overlaps_less_than_half_has_no_say() -> None:
    boxes = found((0, 0, 100, 100, 0.5), (60, 0, 160, 100, 0.9))
    np.testing.assert_allclose(suppress(boxes, Suppression(vote=100.0)).boxes, boxes.boxes[::-1])


def test_it_suppresses_as_the_trainers_do() -> None:
    reference = pytest.importorskip("training.detect.suppress")
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 300, (200, 2))
    boxes = Detections(
        np.concatenate([corner, corner + rng.uniform(20, 200, (200, 2))], axis=1).astype(np.float32),
        rng.uniform(0, 1, 200).astype(np.float32),
    )
    for how in (
        Suppression(iou=0.5),
        Suppression(iou=0.65),
        Suppression(iou=0.7, sigma=0.4),
        Suppression(sigma=0.4, vote=0.02),
    ):
        kept = suppress(boxes, how)
        expected_boxes, expected_scores = reference.suppress(
            boxes.boxes, boxes.scores, iou=how.iou, soft=how.sigma, floor=how.floor, limit=how.limit, vote=how.vote
        )
        np.testing.assert_allclose(kept.boxes, expected_boxes, atol=1e-4)
        np.testing.assert_allclose(kept.scores, expected_scores, atol=1e-5)


some_boxes = st.lists(
    st.tuples(*[st.floats(0, 500, width=32)] * 2, *[st.floats(1, 200, width=32)] * 2, st.floats(0, 1, width=32)), max_size=30
)


@given(rows=some_boxes, threshold=st.floats(0.1, 0.95), sigma=st.sampled_from([0.0, 0.3]))
def test_what_is_kept_is_ranked_apart_and_was_there(
    rows: list[tuple[float, float, float, float, float]], threshold: float, sigma: float
) -> None:
    boxes = found(*[(x, y, x + w, y + h, score) for x, y, w, h, score in rows])
    kept = suppress(boxes, Suppression(iou=threshold, sigma=sigma))
    assert (np.diff(kept.scores) <= 1e-6).all()
    overlap = iou(kept.boxes, kept.boxes)
    np.fill_diagonal(overlap, 0)
    assert (overlap <= threshold + 1e-6).all()
    given_rows = {tuple(row) for row in boxes.boxes.tolist()}
    assert all(tuple(row) in given_rows for row in kept.boxes.tolist())
    if (boxes.scores >= 0.01).any():
        assert kept.scores[0] == boxes.scores.max()


@pytest.mark.parametrize("wrong", [{"iou": 0}, {"iou": 1.5}, {"sigma": -1}, {"vote": -1}, {"floor": 1}, {"limit": 0}])
def test_values_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="suppression wants"):
        Suppression(**wrong)  # type: ignore[arg-type]
