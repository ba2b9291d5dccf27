"""Identities over crossings, occlusions, a moving camera, rates and restarts, in simulated scenes with known truth."""

import base64
import json
from collections.abc import Callable, Mapping

import cv2
import numpy as np
import pytest

from barnhand.core.detection import Detections
from barnhand.core.frame import Frame, Image
from barnhand.core.geometry import Floats, iou
from barnhand.core.time import SECOND_US
from barnhand.track import PALETTE, Tracker, TrackOptions
from barnhand.track.kalman import Ints

START_US = 1_800_000_000 * SECOND_US
Where = Callable[[float], Mapping[str, tuple[float, float]]]
"""Seconds → horse → centre, px; a horse left out is not detected."""

LOOKS = {
    name: np.asarray(v / np.linalg.norm(v), np.float32)
    for name, v in zip(("bay", "grey", "pinto"), np.random.default_rng(0).normal(size=(3, 32)) + 0.6, strict=True)
}


def ground() -> Image:
    rng = np.random.default_rng(5)
    coarse = rng.integers(40, 220, (24, 120, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (2400, 360), interpolation=cv2.INTER_CUBIC), np.uint8)


GROUND = ground()
HALF = np.array([50, 35], np.float32)


def picture(seconds: float, pan: float = 0.0) -> Frame:
    left = round(pan * seconds) + 600
    return Frame("cam", START_US + round(seconds * SECOND_US), round(seconds * 90000), GROUND[:, left : left + 640].copy())


def play(
    tracker: Tracker, where: Where, times: list[float], *, looks: bool = True, pan: float = 0.0, seed: int = 1
) -> list[dict[str, int]]:
    """Horse → track id in each picture, by the box it overlaps."""
    rng = np.random.default_rng(seed)
    found = []
    for t in times:
        truth = where(t)
        names = list(truth)
        centres = np.array([truth[name] for name in names], np.float32).reshape(-1, 2)
        boxes = np.concatenate([centres - HALF, centres + HALF], 1) + rng.normal(size=(len(names), 4)) * 1.5
        detections = Detections(boxes.astype(np.float32), np.full(len(names), 0.9, np.float32))

        def look(which: Ints, names: list[str] = names) -> Floats:
            rows = np.stack([LOOKS[names[k]] + rng.normal(size=32) * 0.06 for k in which])
            return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

        tracks = [t for t in tracker.update(picture(t, pan), detections, look if looks else None) if t.seen]
        if not tracks or not names:
            found.append({})
            continue
        match = iou(detections.boxes, np.stack([track.box for track in tracks]))
        found.append(
            {name: tracks[int(k)].track_id for name, k, v in zip(names, match.argmax(1), match.max(1), strict=True) if v > 0.4}
        )
    return found


def times(seconds: float, fps: float, start: float = 0.0) -> list[float]:
    return (start + np.arange(round(seconds * fps)) / fps).tolist()


def ids(found: list[dict[str, int]], name: str) -> set[int]:
    return {row[name] for row in found if name in row}


def crossing(t: float) -> dict[str, tuple[float, float]]:
    """Two horses pass each other; while they overlap by more than half, the one behind is not detected."""
    bay, grey = (80 + 50 * t, 200.0), (560 - 50 * t, 190.0)
    return {"bay": bay} if abs(bay[0] - grey[0]) < 50 else {"bay": bay, "grey": grey}


@pytest.mark.parametrize("fps", [5, 25])
@pytest.mark.parametrize("looks", [True, False], ids=["with looks", "by position alone"])
def test_two_horses_cross(fps: float, looks: bool) -> None:
    found = play(Tracker(), crossing, times(9.6, fps), looks=looks)
    assert len(ids(found, "bay")) == 1
    assert len(ids(found, "grey")) == 1
    assert ids(found, "bay") != ids(found, "grey")


@pytest.mark.parametrize("away", [2.0, 8.0])
def test_a_horse_behind_a_wall_is_taken_up_again(away: float) -> None:
    def where(t: float) -> dict[str, tuple[float, float]]:
        seen = {"grey": (500.0, 120.0)}
        return seen if 4 < t < 4 + away else seen | {"bay": (100 + 20 * t, 250.0)}

    found = play(Tracker(), where, times(away + 8, 5))
    assert len(ids(found, "bay")) == 1
    assert len(ids(found, "grey")) == 1


def test_a_horse_away_for_longer_than_ten_seconds_is_a_new_track() -> None:
    found = play(Tracker(), lambda t: {} if 2 < t < 13 else {"bay": (300.0, 200.0)}, times(15, 5))
    assert len(ids(found, "bay")) == 2


def test_another_horse_at_the_place_of_a_lost_one_is_another_track() -> None:
    found = play(Tracker(), lambda t: {"bay": (300, 200)} if t < 4 else {} if t < 9 else {"grey": (330, 210)}, times(12, 5))
    assert ids(found, "bay") != ids(found, "grey")


def test_what_stands_in_front_of_a_horse_is_not_learnt_as_its_look() -> None:
    """The bay is seen alone, then with most of its picture covered by the grey, whose look the covered picture has."""
    boxes = np.array([[300, 165, 400, 235], [310, 165, 410, 235]], np.float32)
    tracker = Tracker()
    for k in range(120):
        seen = 1 if k < 20 else 2
        looks = np.stack([LOOKS["bay" if k < 20 else "grey"], LOOKS["grey"]])[:seen]
        tracker.update(picture(k / 5), Detections(boxes[:seen], np.full(seen, 0.9, np.float32)), looks)
    bay = json.loads(tracker.state())["lives"][0]
    known = np.frombuffer(base64.b64decode(bay["look"]), "<f4")
    assert known @ LOOKS["bay"] > 0.9 > known @ LOOKS["grey"]


@pytest.mark.parametrize("fps", [5, 25])
def test_a_panning_camera_moves_the_boxes_not_the_identities(fps: float) -> None:
    def where(t: float) -> dict[str, tuple[float, float]]:
        return {"bay": (520 - 200 * t % 400, 200.0), "grey": (620 - 200 * t % 400, 180.0)}

    tracker = Tracker()
    found = play(tracker, where, times(1.9, fps), looks=False, pan=200)
    assert len(ids(found, "bay")) == 1
    assert len(ids(found, "grey")) == 1
    assert tracker.camera_motion[0, 2] == pytest.approx(-200 / fps, abs=1.0)


def test_a_still_camera_does_not_move() -> None:
    tracker = Tracker()
    play(tracker, crossing, times(2, 5))
    assert np.array_equal(tracker.camera_motion, np.eye(2, 3))


def test_a_successor_keeps_ids_colours_and_who_was_hidden() -> None:
    first = Tracker()
    before = play(first, crossing, times(4.6, 5))
    state = first.state()
    second = Tracker.restore(state)
    assert second.state() == state
    after = play(second, crossing, times(5, 5, start=4.6))
    for name in ("bay", "grey"):
        assert ids(before, name) == ids(after, name)


@pytest.mark.parametrize("state", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"version": 99}'])
def test_a_foreign_checkpoint_is_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="checkpoint"):
        Tracker.restore(state)


def test_ids_only_grow_also_over_a_restart() -> None:
    tracker = Tracker(first_id=50)
    play(tracker, lambda _t: {"bay": (100, 100)}, times(1, 5))
    again = Tracker.restore(tracker.state())
    found = play(again, lambda _t: {"grey": (500, 300)}, times(2, 5, start=30))
    assert ids(found, "grey") == {51}
    assert json.loads(again.state())["next_id"] == 52


def update(tracker: Tracker, t: float, *boxes: tuple[float, float, float, float, float]) -> list[tuple[int, bool]]:
    rows = np.array(boxes, np.float32).reshape(-1, 5)
    tracks = tracker.update(picture(t), Detections(rows[:, :4], rows[:, 4]))
    return [(track.track_id, track.seen) for track in tracks]


def test_one_false_box_makes_no_horse() -> None:
    tracker = Tracker()
    assert update(tracker, 0.0, (100, 100, 200, 180, 0.9)) == []
    assert update(tracker, 0.2) == []
    assert update(tracker, 0.8) == []
    assert update(tracker, 1.0, (100, 100, 200, 180, 0.9)) == []
    assert update(tracker, 1.2, (100, 100, 200, 180, 0.9)) == [(1, True)]


def test_an_unsure_box_continues_a_horse_but_starts_none() -> None:
    tracker = Tracker()
    for k in range(4):
        update(tracker, k / 5, (100, 100, 200, 180, 0.9))
    assert update(tracker, 0.8, (102, 100, 202, 180, 0.2), (400, 100, 500, 180, 0.2)) == [(1, True)]
    assert update(tracker, 1.0, (104, 100, 204, 180, 0.05)) == [(1, False)]
    assert update(tracker, 1.2, (400, 100, 500, 180, 0.2)) == [(1, False)]


def test_a_second_box_on_the_same_horse_starts_none() -> None:
    tracker = Tracker()
    for k in range(10):
        found = update(tracker, k / 5, (100, 100, 200, 180, 0.9), (104, 102, 198, 183, 0.7))
    assert found == [(1, True)]


def test_two_streams_do_not_know_of_one_another() -> None:
    one, two = Tracker(), Tracker()
    for k in range(3):
        update(one, k / 5, (100, 100, 200, 180, 0.9))
        found = update(two, k / 5, (100, 100, 200, 180, 0.9))
    assert found == [(1, True)]


def test_living_tracks_have_different_colours_from_the_palette() -> None:
    assert len(set(PALETTE)) == 10
    tracker = Tracker(TrackOptions(keep_s=1))
    boxes = [(60 * k, 100, 60 * k + 50, 160, 0.9) for k in range(10)]
    for k in range(3):
        update(tracker, k / 5, *boxes)
    for k in range(3, 40):
        update(tracker, k / 5, *boxes[1:], (200, 250, 260, 320, 0.9))
    rows = np.array([*boxes[1:], (200, 250, 260, 320, 0.9)], np.float32)
    tracks = tracker.update(picture(8.2), Detections(rows[:, :4], rows[:, 4]))
    assert {track.track_id for track in tracks} == set(range(2, 12))
    assert {track.color for track in tracks} == set(PALETTE)


def test_a_clock_that_goes_back_is_survived() -> None:
    tracker = Tracker()
    for k in range(5):
        update(tracker, 100 + k / 5, (100, 100, 200, 180, 0.9))
    assert update(tracker, 50, (100, 100, 200, 180, 0.9)) == [(1, True)]


def test_appearance_is_asked_for_only_where_it_is_needed() -> None:
    tracker, asked = Tracker(), []

    def look(which: Ints) -> Floats:
        asked.append(len(which))
        return np.stack([LOOKS["bay"]] * len(which))

    for k in range(100):
        detections = Detections(np.array([[100, 100, 200, 180]], np.float32), np.array([0.9], np.float32))
        tracker.update(picture(k / 5), detections, look)
    assert sum(asked) < 35


def test_a_restart_after_hours_takes_nobody_for_who_stood_there_before() -> None:
    tracker = Tracker()
    before = play(tracker, lambda _t: {"bay": (300, 200)}, times(2, 5))
    again = Tracker.restore(tracker.state())
    after = play(again, lambda _t: {"grey": (300, 200)}, times(2, 5, start=5 * 3600), looks=False)
    assert ids(before, "bay").isdisjoint(ids(after, "grey"))


def test_the_box_of_a_seen_animal_is_nearer_to_what_is_seen_than_the_filters() -> None:
    tracker = Tracker()
    for k in range(6):
        update(tracker, k / 5, (100, 100, 200, 180, 0.9))
    rows = np.array([[120, 100, 220, 180]], np.float32)
    (track,) = tracker.update(picture(1.2), Detections(rows, np.array([0.9], np.float32)))
    assert 110 < track.box[0] < 120
    (later,) = tracker.update(picture(1.4), Detections.none())
    assert not later.seen
    assert later.box[0] > track.box[0]
