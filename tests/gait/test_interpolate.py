"""Between two analysed pictures."""

import numpy as np
import pytest

from barnhand.core.identity import Certainty, Identity
from barnhand.core.observation import HorseObservation, Observation
from barnhand.core.pose import Pose
from barnhand.core.time import PTS_HZ, SECOND_US
from barnhand.gait.interpolate import interpolate


def observation(seconds: float, xs: dict[int, float], name: str = "Bella", **more: object) -> Observation:
    horses = tuple(
        HorseObservation(
            track_id,
            "#ffffff",
            np.array([x, 10, x + 50, 40], np.float32),
            0.8,
            Identity("h", name, Certainty.CONFIRMED),
            Pose("horse-20", np.full((20, 2), x, np.float32), np.full(20, 0.9 if x < 100 else 0.2, np.float32)),
            {"velocity": x},
        )
        for track_id, x in xs.items()
    )
    fields = {"stream_id": "cam", "width": 640, "height": 360} | more
    return Observation(wall_us=round(seconds * SECOND_US), pts=round(seconds * PTS_HZ), horses=horses, **fields)  # type: ignore[arg-type]


def test_boxes_and_points_move_evenly_and_are_marked() -> None:
    a, b = observation(10.0, {1: 0}), observation(10.2, {1: 200}, name="Bea")
    middle = interpolate(a, b, round(10.05 * PTS_HZ))
    assert middle is not None
    (horse,) = middle.horses
    assert horse.box.tolist() == [50, 10, 100, 40]
    assert horse.pose is not None
    assert horse.pose.points[0].tolist() == [50, 50]
    assert horse.pose.scores[0] == pytest.approx(0.2)
    assert horse.interpolated
    assert horse.identity.name == "Bella"
    assert middle.wall_us == round(10.05 * SECOND_US)


def test_a_track_that_is_in_one_only_is_left_out() -> None:
    middle = interpolate(observation(0, {1: 0, 2: 90}), observation(0.2, {1: 10, 3: 70}), PTS_HZ // 10)
    assert middle is not None
    assert [horse.track_id for horse in middle.horses] == [1]


@pytest.mark.parametrize(
    ("b", "pts"),
    [
        (observation(1.2, {1: 0}), PTS_HZ // 2),
        (observation(0.2, {1: 0}), PTS_HZ),
        (observation(0.2, {1: 0}), -1),
        (observation(0.2, {1: 0}, stream_id="other"), PTS_HZ // 10),
        (observation(0.2, {1: 0}, width=1280), PTS_HZ // 10),
        (observation(0, {1: 0}), 0),
    ],
    ids=["more than a second", "after both", "before both", "another stream", "another size", "no time between"],
)
def test_nothing_is_made_up(b: Observation, pts: int) -> None:
    assert interpolate(observation(0, {1: 0}), b, pts) is None


def test_analysed_pictures_come_back_as_they_are() -> None:
    a, b = observation(0, {1: 0}), observation(0.2, {1: 10})
    assert interpolate(a, b, a.pts) is a
    assert interpolate(a, b, b.pts) is b
