"""The second look of BarnHand's own detector: where it looks, what it sees there, and what the looks say of one another."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.networks import known

from barnhand.core.detection import Detections
from barnhand.core.errors import ModelError
from barnhand.core.geometry import Window
from barnhand.networks.detectors.barnhand import BarnHandDetector, moved
from barnhand.networks.detectors.closer import BEST, EDGE, Closer, agreed, best, window
from barnhand.networks.session import Array, Session

HOW = Closer(area=64 * 64, margin=0.5)


def found(*rows: tuple[float, float, float, float, float]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Detections(table[:, :4], table[:, 4])


def test_the_window_holds_what_was_seen_and_a_margin() -> None:
    seen = found((100, 50, 140, 90, 0.9), (200, 60, 240, 100, 0.1), (400, 300, 420, 320, 0.09))
    assert window(seen, HOW, 640, 360) == (80, 30, 260, 120), "half a side of 40 px around the first two"


def test_the_window_ends_where_the_picture_does() -> None:
    assert window(found((0, 10, 90, 95, 0.5)), HOW, 100, 100) == (0, 0, 100, 100)


def test_where_nothing_was_seen_there_is_no_window() -> None:
    assert window(found((0, 10, 90, 95, 0.05)), HOW, 100, 100) is None
    assert window(Detections.none(), HOW, 100, 100) is None


def test_what_both_looks_see_keeps_its_score_and_what_one_sees_loses_it() -> None:
    first = found((10, 10, 50, 50, 0.8), (60, 10, 90, 50, 0.8))
    second = found((11, 10, 50, 50, 0.6), (10, 60, 50, 90, 0.6))
    both = agreed(first, second, Window(0, 0, 100, 100), (100, 100), HOW)
    expected = [0.8 * 0.6**0.35, 0.8 * 0.01**0.35, 0.6 * 0.8**0.35, 0.6 * 0.01**0.35]
    np.testing.assert_allclose(both.scores, expected, rtol=1e-5)
    np.testing.assert_allclose(both.boxes, np.concatenate([first.boxes, second.boxes]))


def test_without_a_second_look_nothing_agrees() -> None:
    alone = agreed(found((10, 10, 50, 50, 0.08)), Detections.none(), None, (100, 100), HOW)
    np.testing.assert_allclose(alone.scores, [0.08 * 0.01**0.35], rtol=1e-5)


CUT = {
    "inside": ((30, 30, 60, 60), False),
    "at the left edge": ((21, 30, 60, 60), True),
    "at the top edge": ((30, 12, 60, 60), True),
    "at the right edge": ((30, 30, 78, 60), True),
    "at the bottom edge, which is the picture's": ((30, 30, 60, 100), False),
}


@pytest.mark.parametrize(("box", "lost"), CUT.values(), ids=CUT.keys())
def test_what_the_windows_edge_cuts_is_not_seen(box: tuple[int, int, int, int], lost: bool) -> None:
    where = Window(20, 10, 80, 100)
    assert bool(where.cuts(np.array([box], np.float32), (100, 100), EDGE, EDGE)[0]) is lost
    both = agreed(found((*box, 0.8)), found((*box, 0.6)), where, (100, 100), HOW)
    assert len(both) == (1 if lost else 2)
    assert both.scores[0] == pytest.approx(0.8 * (0.01 if lost else 0.6) ** 0.35, rel=1e-4)


def test_only_the_best_candidates_take_part() -> None:
    many = Detections(np.zeros((BEST + 5, 4), np.float32), np.linspace(0, 1, BEST + 5, dtype=np.float32))
    assert len(best(many)) == BEST
    assert best(many).scores.min() == pytest.approx(5 / (BEST + 4))


class Watched(BarnHandDetector):
    """Keeps what the network was shown."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.shown: list[Array] = []

    def infer(self, batch: Array) -> list[Array]:
        self.shown.append(batch)
        return super().infer(batch)


def watched(folder: Path, closer: dict[str, float] | None = None, **more: str) -> Watched:
    metadata = {"barnhand.area": str(320 * 192), "barnhand.closer": json.dumps({"area": 320 * 192} | (closer or {}))} | more
    return Watched(Session(known.barnhand_detector(folder / "net.onnx", side=0, metadata=metadata)))


SMALL = (400, 200, 440, 224)


def test_a_small_horse_is_looked_at_again_from_nearer_and_mirrored(tmp_path: Path) -> None:
    network = watched(tmp_path, {"least": 0.5})  # the box of 0.2 in the corner is not worth a look
    picture = known.picture(1280, 720, [(SMALL, known.BLUE)])
    (seen,) = network.candidates([picture], 0.3)
    assert [shown.shape for shown in network.shown] == [(1, 3, 192, 320), (1, 3, 32, 64)]
    again = network.shown[1][0]
    blue = np.flatnonzero((again[0] > 200).any(axis=0))
    assert np.ptp(blue) + 1 == pytest.approx(40 * 0.5, abs=2), "twice the 0.25 px a px of the first look"
    np.testing.assert_allclose(seen.boxes[seen.scores == seen.scores.max()], [SMALL, SMALL], atol=3)


def test_the_second_look_is_no_larger_than_it_may_be(tmp_path: Path) -> None:
    network = watched(tmp_path, {"area": 96 * 64, "zoom": 50})
    network.candidates([known.picture(640, 360, [((100, 80, 420, 300), known.BLUE)])], 0.3)
    assert network.shown[1].shape[2] * network.shown[1].shape[3] <= 96 * 64


def test_an_empty_picture_costs_one_look(tmp_path: Path) -> None:
    network = watched(tmp_path)
    assert len(network.candidates([known.picture(640, 360)], 0.01)[0]) == 0
    assert len(network.shown) == 1


def test_the_shift_moves_the_scores_and_the_floor_holds_after_it(tmp_path: Path) -> None:
    picture = known.picture(640, 360, [((100, 80, 420, 300), known.BLUE)])
    (plain,) = watched(tmp_path).candidates([picture], 0.3)
    (higher,) = watched(tmp_path, **{"barnhand.shift": "0.7"}).candidates([picture], 0.3)
    (lower,) = watched(tmp_path, **{"barnhand.shift": "-3"}).candidates([picture], 0.3)
    np.testing.assert_allclose(higher.scores.max(), moved(plain.scores.max()[None], 0.7)[0], rtol=1e-5)
    assert len(lower) == 0


def test_a_shift_adds_to_the_logit() -> None:
    scores = np.array([0.1, 0.5, 0.9], np.float32)
    odds = scores / (1 - scores)
    np.testing.assert_allclose(moved(scores, 0.4), odds * np.exp(0.4) / (1 + odds * np.exp(0.4)), rtol=1e-5)
    assert moved(np.array([0.0, 1.0], np.float32), 2.0) == pytest.approx([0.0, 1.0], abs=1e-5)


WRONG = ['{"area": 0}', '{"area": 100, "least": 2}', '{"area": 100, "colour": 1}', '{"zoom": 2}']


@pytest.mark.parametrize("text", WRONG)
def test_a_file_that_asks_for_a_look_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ModelError, match=r"barnhand\.closer cannot be used .* export it again"):
        watched(tmp_path, **{"barnhand.closer": text})
