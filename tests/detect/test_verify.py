"""A verifier is asked about boxes in doubt, and about no others."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.networks import known

from barnhand.core.detection import Detections
from barnhand.core.errors import ModelError
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.detect import DetectOptions, Detector
from barnhand.detect.verify import verified
from barnhand.networks.adapter import Verification
from barnhand.networks.detectors.barnhand import BarnHandDetector
from barnhand.networks.session import Session
from barnhand.networks.shelf import Shelf
from barnhand.networks.verifiers.barnhand import BarnHandVerifier

BLOB, OTHER = (100, 80, 180, 140), (300, 80, 380, 140)
PICTURE = known.picture(640, 360, [(BLOB, known.BLUE), (OTHER, known.RED)])
HOW = Verification(low=0.1, high=0.7, weight=0.5)


class Asked(BarnHandVerifier):
    """Keeps the boxes it was asked about."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.boxes: list[Floats] = []

    def logits(self, image: Image, boxes: Floats) -> Floats:
        self.boxes.append(boxes)
        return super().logits(image, boxes)


@pytest.fixture
def verifier(tmp_path: Path) -> Asked:
    return Asked(Session(known.barnhand_verifier(tmp_path / "verifier.onnx")))


def found(*scores: float) -> Detections:
    boxes = [BLOB, OTHER, (500, 200, 560, 260), (20, 200, 90, 260)]
    return Detections(np.array(boxes[: len(scores)], np.float32), np.array(scores, np.float32))


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_it_raises_what_is_a_horse_and_lowers_what_is_none(verifier: Asked) -> None:
    after = verified(PICTURE, found(0.3, 0.4), verifier, HOW)
    assert after.boxes[0] == pytest.approx(BLOB), "best first"
    assert [logit(score) for score in after.scores] == pytest.approx([logit(0.3) + 1.5, logit(0.4) - 1.5], abs=1e-4)


def test_it_is_not_asked_about_what_is_sure_or_hopeless(verifier: Asked) -> None:
    before = found(0.9, 0.7, 0.3, 0.05)
    after = verified(PICTURE, before, verifier, HOW)
    (asked,) = verifier.boxes
    np.testing.assert_allclose(asked, before.boxes[2:3])
    assert sorted(after.scores)[:1] + sorted(after.scores)[2:] == pytest.approx([0.05, 0.7, 0.9])


def test_it_is_not_asked_about_a_part_of_what_scores_better(verifier: Asked) -> None:
    head, before_it = (100, 80, 140, 110), (150, 90, 250, 150)
    boxes = np.array([BLOB, head, before_it], np.float32)
    after = verified(PICTURE, Detections(boxes, np.array([0.6, 0.3, 0.3], np.float32)), verifier, HOW)
    (asked,) = verifier.boxes
    np.testing.assert_allclose(asked, boxes[[0, 2]])
    assert after.scores[np.flatnonzero((after.boxes == boxes[1]).all(axis=1))[0]] == pytest.approx(0.3)


def test_the_whole_is_asked_about_where_a_part_of_it_scores_less(verifier: Asked) -> None:
    inner = (120, 90, 160, 130)
    verified(PICTURE, Detections(np.array([inner, BLOB], np.float32), np.array([0.3, 0.6], np.float32)), verifier, HOW)
    (asked,) = verifier.boxes
    np.testing.assert_allclose(asked, [BLOB])


def test_nothing_in_doubt_nothing_asked(verifier: Asked) -> None:
    before = found(0.9, 0.05)
    assert verified(PICTURE, before, verifier, HOW) is before
    assert verified(PICTURE, Detections.none(), verifier, HOW) is not None
    assert verifier.boxes == []


def test_it_counts_at_most_so_much(tmp_path: Path) -> None:
    loud = BarnHandVerifier(Session(known.barnhand_verifier(tmp_path / "loud.onnx", logit=50)))
    after = verified(PICTURE, found(0.3), loud, Verification(low=0.1, high=0.7, weight=0.5, most=2))
    assert logit(float(after.scores[0])) == pytest.approx(logit(0.3) + 1, abs=1e-4)


def metadata(**verify: float) -> dict[str, str]:
    return {"barnhand.verify": json.dumps(verify)}


def test_a_detector_that_wants_one_lifts_a_box_over_the_threshold(tmp_path: Path, verifier: Asked) -> None:
    path = known.barnhand_detector(tmp_path / "net.onnx", metadata=metadata(low=0.05, high=0.95, weight=0.5))
    network = BarnHandDetector(Session(path))
    options = DetectOptions(threshold=0.95)
    assert len(Detector(network, options).detect([PICTURE])[0]) == 0
    (seen,) = Detector(network, options, verifier).detect([PICTURE])
    assert [logit(score) for score in seen.scores] == pytest.approx([logit(0.9) + 1.5], abs=1e-3)


def test_the_verifier_in_use_is_opened_with_a_detector_that_wants_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models")
    shelf.add(known.barnhand_detector(tmp_path / "plain.onnx"))
    shelf.add(known.barnhand_detector(tmp_path / "asking.onnx", metadata=metadata(low=0.05, high=0.95, weight=0.5)))
    shelf.add(known.barnhand_verifier(tmp_path / "mine.onnx"))
    shelf.use("mine")
    assert Detector.load(shelf, DetectOptions(model="plain")).verifier is None
    asked = Detector.load(shelf, DetectOptions(model="asking")).verifier
    assert asked is not None
    assert asked.name == "mine"


@pytest.mark.parametrize(
    "values", [{"low": 0.5, "high": 0.2, "weight": 1}, {"low": 0.1}, {"low": 0.1, "high": 0.5, "weight": -1}]
)
def test_a_file_that_asks_for_what_makes_no_sense_is_refused(tmp_path: Path, values: dict[str, float]) -> None:
    path = known.barnhand_detector(tmp_path / "net.onnx", metadata=metadata(**values))
    with pytest.raises(ModelError, match=r"barnhand\.verify cannot be used .* export it again"):
        BarnHandDetector(Session(path))
