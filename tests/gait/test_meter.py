"""Speed, gait and angles of tracks, camera motion removed."""

import numpy as np
import pytest

from barnhand.core.pose import Pose
from barnhand.core.skeleton import load_skeleton
from barnhand.core.time import SECOND_US
from barnhand.core.track import Track
from barnhand.gait.angles import JOINTS, horse_points, joint_angles
from barnhand.gait.meter import GAITS, GaitMeter, Metrics

HORSE = load_skeleton("horse-20")
REST = {
    "nose": (1.0, -0.5), "left_eye": (0.9, -0.6), "right_eye": (0.9, -0.6), "left_ear": (0.85, -0.7),
    "right_ear": (0.85, -0.7), "throat": (0.75, -0.4), "withers": (0.33, -0.2), "tail_base": (-0.33, -0.2),
    "left_elbow": (0.3, 0.1), "right_elbow": (0.3, 0.1), "left_carpus": (0.3, 0.35), "right_carpus": (0.3, 0.35),
    "left_front_hoof": (0.3, 0.6), "right_front_hoof": (0.3, 0.6), "left_stifle": (-0.25, 0.1),
    "right_stifle": (-0.25, 0.1), "left_hock": (-0.35, 0.35), "right_hock": (-0.35, 0.35),
    "left_hind_hoof": (-0.3, 0.6), "right_hind_hoof": (-0.3, 0.6),
}  # fmt: skip
"""A horse from the side in body lengths, x forward, y down, withers to tail base 0.66."""
BODY = 120.0


def pose(seconds: float, x: float, hz: float, swing: float = 0.2) -> Pose:
    points = np.array([REST[name] for name in HORSE.points], np.float64)
    for k, name in enumerate(HORSE.points):
        if "hoof" in name or "carpus" in name or "hock" in name:
            phase = np.pi * (("right" in name) ^ ("hind" in name or "hock" in name))
            points[k, 0] += swing * (1 if "hoof" in name else 0.6) * np.sin(2 * np.pi * hz * seconds + phase)
    return Pose("horse-20", (points * BODY + (x, 200)).astype(np.float32), np.full(20, 0.9, np.float32))


def track(x: float, seconds: float, seen: bool = True) -> Track:
    box = np.array([x - 60, 110, x + 125, 275], np.float32)
    return Track(1, box, 0.9, "#ffffff", seen, 0, round(seconds * SECOND_US), 0)


def measure(speed: float, hz: float, fps: float = 5, camera: float = 0.0, swing: float = 0.2) -> Metrics:
    """Metrics after 5 s of a horse of ``speed`` body lengths / s before a camera that pans at ``camera`` px/s."""
    meter = GaitMeter()
    found: dict[int, Metrics] = {}
    for t in np.arange(0, 5, 1 / fps).tolist():
        x = 300 + (speed * BODY - camera) * t
        motion = np.array([[1.0, 0, -camera / fps], [0, 1, 0]])
        found = meter.update(round(t * SECOND_US), [track(x, t)], {1: pose(t, x, hz, swing)}, motion)
    return found[1]


@pytest.mark.parametrize("fps", [5, 25])
@pytest.mark.parametrize(
    ("gait", "speed", "hz"), [("walk", 1.0, 0.85), ("trot", 2.2, 1.28), ("canter", 3.3, 1.65)], ids=["walk", "trot", "canter"]
)
@pytest.mark.parametrize("camera", [0.0, 150.0], ids=["fixed camera", "panning camera"])
def test_gaits_from_the_side(gait: str, speed: float, hz: float, fps: float, camera: float) -> None:
    metrics = measure(speed, hz, fps, camera)
    assert metrics["velocity"] == pytest.approx(speed, rel=0.25)
    assert metrics["stride_frequency"] == pytest.approx(hz, abs=0.06)
    assert metrics["stride_quality"] is not None
    assert metrics["gait"] == GAITS.index(gait)
    assert metrics["points_seen"] == 1


def test_a_standing_horse_stands_even_when_it_paws() -> None:
    metrics = measure(0.0, 1.0, swing=0.15)
    assert metrics["velocity"] == pytest.approx(0, abs=0.02)
    assert metrics["stride_frequency"] is None
    assert metrics["gait"] == GAITS.index("stand")


def test_nothing_is_said_before_there_is_something_to_say_it_from() -> None:
    metrics = GaitMeter().update(0, [track(300, 0)], {}, None)[1]
    assert set(metrics.values()) == {None}
    assert GaitMeter().update(0, [track(300, 0, seen=False)], {}, None) == {}


def test_angles_by_name() -> None:
    angles = joint_angles(horse_points(pose(0, 300, 1.0, 0.0), 0.3))
    assert set(angles) == set(JOINTS)
    assert angles["left_carpus"] == pytest.approx(180, abs=0.5)
    assert angles["left_hock"] == pytest.approx(147, abs=1)
    assert angles["neck"] == pytest.approx(154.5, abs=1)


def test_a_point_that_is_not_seen_leaves_its_joints_without_an_angle() -> None:
    seen = pose(0, 300, 1.0, 0.0)
    scores = seen.scores.copy()
    scores[HORSE.index("left_carpus")] = 0.1
    angles = joint_angles(horse_points(Pose("horse-20", seen.points, scores), 0.3))
    assert angles["left_carpus"] is None
    assert angles["left_elbow"] is None
    assert angles["right_carpus"] is not None


def test_another_skeleton_is_read_by_its_equivalents() -> None:
    count = len(load_skeleton("ap10k-17"))
    points = np.stack([np.arange(count), np.arange(count) ** 2], 1).astype(np.float32)
    found = horse_points(Pose("ap10k-17", points, np.ones(count, np.float32)), 0.3)
    assert found["withers"] == (3.0, 9.0)
    assert {"left_carpus", "left_hock", "tail_base"} <= set(found)
