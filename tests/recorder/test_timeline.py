"""Camera time to wall time, with every clock going wrong: time is counted here, nothing waits."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from barnhand.core.media import Packet
from barnhand.core.time import SECOND_US, FakeClock, pts_of_wall, wall_of_pts
from barnhand.recorder.options import TimelineOptions
from barnhand.recorder.timeline import Placed, Timeline

OPTIONS = TimelineOptions()
FRAME = 3600


@dataclass
class Camera:
    """Sends a picture each 40 ms; ``stamp`` is its own clock, ``delay_s`` how late pictures arrive."""

    timeline: Timeline
    clock: FakeClock = field(default_factory=FakeClock)
    stamp: int = 1_000_000
    gop: int = 25
    rate: float = 1.0  # how fast the camera's clock runs
    count: int = 0

    def send(self, seconds: float, *, delay_s: float = 0.0, frame: int = FRAME) -> list[Placed]:
        """Pictures for so many seconds of camera time."""
        out: list[Placed] = []
        for _ in range(round(seconds * 90_000 / frame)):
            out += self.one(delay_s=delay_s, frame=frame)
        return out

    def one(self, *, delay_s: float = 0.0, frame: int = FRAME) -> Iterator[Placed]:
        arrived_us = self.clock.wall_us() + round(delay_s * SECOND_US)
        key = self.count % self.gop == 0
        packet = Packet(True, self.stamp, self.stamp, frame, key, b"", arrived_us)
        yield from self.timeline.place(packet, self.clock.monotonic() + delay_s)
        self.count += 1
        self.stamp += frame
        self.clock.advance(frame / 90_000 / self.rate)


def camera(floor: int = 0, **changes: object) -> Camera:
    return Camera(Timeline(OPTIONS, floor), **changes)  # type: ignore[arg-type]


def late_us(placed: Placed) -> int:
    """How much later than it arrived a picture is said to have been taken."""
    return placed.wall_us - placed.packet.arrived_us


def rises(placed: list[Placed]) -> bool:
    return all(a.dts < b.dts and a.wall_us <= b.wall_us for a, b in itertools.pairwise(placed))


def test_pictures_get_the_time_they_arrived_at() -> None:
    cam = camera()
    start_us = cam.clock.wall_us()
    placed = cam.send(10)
    assert len(placed) == 250
    assert placed[0].wall_us == pytest.approx(start_us, abs=20)
    assert all(b.pts - a.pts == FRAME for a, b in itertools.pairwise(placed))
    assert placed[-1].wall_us == wall_of_pts(placed[-1].pts)


def test_what_piled_up_while_connecting_does_not_make_it_late() -> None:
    cam = camera()
    cam.clock.advance(0.6)  # the first fifteen pictures wait 600 ms for the probe
    begun_us = cam.clock.wall_us()
    stamp = cam.stamp
    placed: list[Placed] = []
    for index in range(15):
        packet = Packet(True, stamp + index * FRAME, stamp + index * FRAME, FRAME, index == 0, b"", begun_us)
        placed += cam.timeline.place(packet, cam.clock.monotonic() + index * 0.001)
    cam.stamp += 15 * FRAME
    cam.count = 15
    placed += cam.send(2)
    assert placed[0].wall_us == pytest.approx(begun_us - 560_000, abs=50_000)
    assert late_us(placed[-1]) == pytest.approx(0, abs=50_000)


def test_pictures_that_arrive_late_keep_their_distance() -> None:
    cam = camera()
    chance = random.Random(1)
    placed = cam.send(1)
    for _ in range(500):
        placed += cam.one(delay_s=chance.uniform(0, 0.2))
    assert {b.pts - a.pts for a, b in itertools.pairwise(placed)} == {FRAME}


@pytest.mark.parametrize("rate", [1.0002, 0.9998])
def test_a_camera_clock_that_drifts_is_followed(rate: float) -> None:
    cam = camera(rate=rate)
    placed = cam.send(900)  # a quarter of an hour: 0.18 s of drift
    assert rises(placed)
    assert abs(late_us(placed[-1])) < 40_000
    steps = [b.pts - a.pts for a, b in itertools.pairwise(placed)]
    assert max(steps) <= FRAME * 1.003
    assert min(steps) >= FRAME * 0.997


def test_a_wall_clock_set_forward_begins_a_run_at_the_next_key_frame() -> None:
    cam = camera()
    placed = cam.send(3.48)
    cam.clock.jump(3600)
    after = cam.send(4)
    assert rises(placed + after)
    (index,) = [i for i, p in enumerate(after) if p.fresh]
    assert after[index].packet.key
    assert index <= 25
    assert late_us(after[-1]) == pytest.approx(0, abs=1000)


def test_a_wall_clock_set_back_a_little_is_waited_for() -> None:
    cam = camera()
    placed = cam.send(3)
    cam.clock.jump(-1)
    after = cam.send(300)
    assert rises(placed + after)
    assert not any(p.fresh for p in after)
    assert late_us(after[24]) == pytest.approx(1_000_000, abs=10_000)
    assert 300_000 < late_us(after[-1]) < 600_000  # 2 ms a second, once the jump has been seen for a window
    later = cam.send(300)
    assert late_us(later[-1]) == pytest.approx(0, abs=40_000)


def test_a_wall_clock_set_back_by_hours_begins_a_run_in_its_past() -> None:
    cam = camera()
    placed = cam.send(3)
    cam.clock.jump(-7200)
    after = cam.send(4)
    (index,) = [i for i, p in enumerate(after) if p.fresh]
    assert after[index].packet.key
    assert rises(placed + after[:index])
    assert rises(after[index:])
    assert late_us(after[-1]) == pytest.approx(0, abs=1000)


@pytest.mark.parametrize("stamp", [0, 50_000_000_000], ids=["back", "ahead"])
def test_a_camera_that_restarts_its_timestamps_goes_on_where_it_was(stamp: int) -> None:
    cam = camera()
    placed = cam.send(3)
    cam.stamp = stamp
    placed += cam.send(3)
    assert rises(placed)
    assert all(b.pts - a.pts <= FRAME + 100 for a, b in itertools.pairwise(placed))
    assert late_us(placed[-1]) == pytest.approx(0, abs=1000)


def test_a_stall_that_is_caught_up_is_no_restart() -> None:
    cam = camera()
    placed = cam.send(3)
    due = cam.clock.monotonic()
    for index in range(100):  # four seconds of pictures arrive at once, four seconds late
        cam.clock.advance(max(0.0, due + 4 - cam.clock.monotonic()))
        packet = Packet(True, cam.stamp, cam.stamp, FRAME, index % 25 == 0, b"", cam.clock.wall_us())
        placed += cam.timeline.place(packet, cam.clock.monotonic())
        cam.stamp += FRAME
    placed += cam.send(3)
    assert {b.pts - a.pts for a, b in itertools.pairwise(placed)} == {FRAME}


def test_an_outage_leaves_its_length() -> None:
    cam = camera()
    placed = cam.send(3)
    cam.clock.advance(8)
    cam.stamp += 8 * 90_000
    placed += cam.send(3)
    assert max(b.pts - a.pts for a, b in itertools.pairwise(placed)) == pytest.approx(8 * 90_000 + FRAME, abs=FRAME)
    assert late_us(placed[-1]) == pytest.approx(0, abs=1000)


def test_a_camera_that_paused_its_clock_is_set_right_after_a_while() -> None:
    cam = camera()
    placed = cam.send(3)
    cam.clock.advance(20)  # its clock stood still meanwhile
    placed += cam.send(70)
    assert rises(placed)
    assert sum(p.fresh for p in placed) == 1
    assert late_us(placed[-1]) == pytest.approx(0, abs=40_000)


def test_a_quick_restart_never_steps_back() -> None:
    first = camera()
    end = first.send(5)[-1]
    floor = end.pts + FRAME + 9000  # 100 ms ahead of what the clock says now
    second = camera(floor, clock=first.clock, stamp=77)
    placed = second.send(2)
    assert placed[0].dts == floor
    assert rises(placed)


def test_a_floor_far_ahead_is_a_clock_that_was_wrong() -> None:
    clock = FakeClock()
    cam = camera(pts_of_wall(clock.wall_us()) + 3600 * 90_000, clock=clock)
    assert cam.send(2)[0].wall_us == pytest.approx(clock.wall_us() - 2_000_000, abs=50_000)


def test_variable_frame_rate_keeps_its_times_and_durations_cover_them() -> None:
    cam = camera()
    placed: list[Placed] = []
    for frame in (FRAME, FRAME * 2, FRAME * 5, FRAME):
        placed += cam.send(4, frame=frame)
    steps = [b.pts - a.pts for a, b in itertools.pairwise(placed)]
    assert sorted(set(steps)) == [FRAME, FRAME * 2, FRAME * 5]
    gaps = [step - p.duration for p, step in zip(placed, steps, strict=False)]
    assert sum(gap > 0 for gap in gaps) <= 2  # only where it slows down, once each time


def test_pictures_out_of_order_keep_their_order() -> None:
    cam = camera()
    placed: list[Placed] = []
    for group in range(40):
        for pts, dts in ((3, 0), (1, 1), (2, 2)):
            base = group * 3 * FRAME
            packet = Packet(
                True, base + pts * FRAME, base + dts * FRAME, FRAME, group % 8 == 0 and pts == 3, b"", cam.clock.wall_us()
            )
            placed += cam.timeline.place(packet, cam.clock.monotonic())
            cam.clock.advance(0.04)
    assert all(a.dts < b.dts for a, b in itertools.pairwise(placed))
    shown = sorted(p.pts for p in placed)
    assert {b - a for a, b in itertools.pairwise(shown)} == {FRAME}
    # A picture cannot have been taken after it arrived.
    assert all(p.wall_us <= p.packet.arrived_us + 20 for p in placed)


def test_a_decoding_time_that_is_guessed_back_is_no_restart() -> None:
    cam = camera()
    placed = cam.send(2)
    for _ in range(20):
        packet = Packet(True, cam.stamp, cam.stamp - 4 * FRAME, FRAME, False, b"", cam.clock.wall_us())
        placed += cam.timeline.place(packet, cam.clock.monotonic())
        cam.stamp += FRAME
        cam.clock.advance(0.04)
        placed += cam.send(0.2)
    assert rises(placed)
    assert late_us(placed[-1]) == pytest.approx(0, abs=1000)


def test_sound_follows_the_picture_and_old_sound_is_dropped_after_a_restart() -> None:
    cam = camera()
    placed = cam.send(2)
    sound = Packet(False, cam.stamp, cam.stamp, 1920, True, b"", cam.clock.wall_us())
    (heard,) = cam.timeline.place(sound, cam.clock.monotonic())
    assert heard.pts - placed[-1].pts == FRAME
    assert list(cam.timeline.place(sound, cam.clock.monotonic())) == []  # the same again
    old = cam.stamp
    cam.stamp = 90_000_000_000
    cam.send(1)
    late = Packet(False, old + 9000, old + 9000, 1920, True, b"", cam.clock.wall_us())
    assert list(cam.timeline.place(late, cam.clock.monotonic())) == []


def test_what_is_held_at_the_start_is_given_when_the_camera_goes_away() -> None:
    cam = camera()
    assert cam.send(0.2) == []
    assert len(list(cam.timeline.flush(cam.clock.monotonic()))) == 5
    assert list(cam.timeline.flush(cam.clock.monotonic())) == []
