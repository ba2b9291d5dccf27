"""What the records accept, refuse and become on the wire."""

import numpy as np
import pytest

from barnhand.core.detection import Detections
from barnhand.core.errors import NotFoundError
from barnhand.core.frame import Frame
from barnhand.core.identity import Certainty, Identity
from barnhand.core.observation import HorseObservation, Observation
from barnhand.core.pose import Pose
from barnhand.core.skeleton import load_skeleton


def floats(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Detections(np.zeros((3, 5), np.float32), np.zeros(3, np.float32)), r"\(n, 4\), got \(3, 5\)"),
        (lambda: Detections(np.zeros((3, 4), np.float32), np.zeros(2, np.float32)), r"scores are \(3,\), got \(2,\)"),
        (lambda: Frame("a", 0, 0, np.zeros((4, 4), np.uint8)), r"\(height, width, 3\) uint8"),
        (lambda: Pose("horse-20", np.zeros((17, 2), np.float32), np.zeros(17, np.float32)), r"points \(20, 2\)"),
        (
            lambda: HorseObservation(1, "#fff", floats(1, 2, 3), 1, Identity(None, None, Certainty.UNKNOWN)),
            r"\(4,\), got \(3,\)",
        ),
    ],
)
def test_a_wrong_shape_is_refused_with_the_right_one(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_an_observation_survives_the_wire() -> None:
    points = np.arange(40, dtype=np.float32).reshape(20, 2)
    horse = HorseObservation(
        track_id=7,
        color="#87CEEB",
        box=floats(10, 20, 110.5, 90),
        score=0.875,
        identity=Identity("0b0c", "Bella", Certainty.PROBABLE, 0.75),
        pose=Pose("horse-20", points, np.linspace(0, 1, 20).round(3).astype(np.float32)),
        metrics={"speed": 0.25, "stride_frequency": None},
    )
    observation = Observation("cam", 1_800_000_000_000_000, 162_000_000_000_000, 640, 360, (horse,))
    data = observation.to_dict()
    assert data["horses"][0]["bbox"] == {"x": 10.0, "y": 20.0, "width": 100.5, "height": 70.0, "confidence": 0.875}
    assert data["horses"][0]["pose"]["keypoints"][18] == {"x": 36.0, "y": 37.0, "confidence": 0.947, "name": "withers"}
    assert data["horses"][0]["metrics"]["stride_frequency"] is None
    assert Observation.from_dict(data).to_dict() == data


@pytest.mark.parametrize("name", ["horse-20", "ap10k-17"])
def test_a_skeleton_mirrors_onto_itself(name: str) -> None:
    skeleton = load_skeleton(name)
    assert [skeleton.mirror[other] for other in skeleton.mirror] == list(range(len(skeleton)))
    for index, point in enumerate(skeleton.points):
        mirrored = skeleton.points[skeleton.mirror[index]]
        assert mirrored == point.replace("left", "?").replace("right", "left").replace("?", "right")
    horse = load_skeleton("horse-20")
    assert all(horse.has(place) for place in skeleton.equivalents.values())


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="horse-20"):
        load_skeleton("centaur")
    with pytest.raises(NotFoundError, match="withers"):
        load_skeleton("horse-20").index("wing")
