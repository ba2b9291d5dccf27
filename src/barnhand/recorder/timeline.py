"""Camera time to the epoch base: anchored on the least delay seen, monotonic, slewed gently; docs/design/time.md."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from barnhand.core.media import Packet
from barnhand.core.time import PTS_HZ, SECOND_US, pts_of_wall, wall_of_pts
from barnhand.recorder.options import TimelineOptions

_HELD = 512  # packets held while settling, whatever the clock says


@dataclass(frozen=True)
class Placed:
    """A packet with its place: ``pts``, ``dts`` and ``duration`` in 90 kHz ticks on the epoch base.

    ``fresh`` when a new run has to begin with it.
    """

    packet: Packet
    pts: int
    dts: int
    duration: int
    fresh: bool = False

    @property
    def wall_us(self) -> int:
        """When the picture was taken, as this timeline knows it."""
        return wall_of_pts(self.pts)


class Timeline:
    """Places the packets of one connection to one camera.

    ``floor`` is the end of what was recorded before (90 kHz, epoch base): a quick restart does not go back behind it.
    """

    def __init__(self, options: TimelineOptions, floor: int = 0) -> None:
        self._options = options
        self._floor = floor
        self._held: list[Packet] = []
        self._held_since = 0.0
        self._offset: int | None = None
        self._target = 0
        self._window: list[int] = []
        self._window_since = 0.0
        self._last: dict[bool, int] = {}  # the last dts given out, for video and for sound
        self._source: tuple[int, float] | None = None  # dts and monotonic time of the last video packet
        self._skew_us = 0
        self._pending = 0  # ticks to add at the next key frame
        self._steps: deque[int] = deque(maxlen=25)

    def place(self, packet: Packet, monotonic: float) -> Iterator[Placed]:
        """Take a packet read at ``packet.arrived_us`` and ``monotonic`` seconds; gives those whose place is known."""
        if self._offset is None:
            if not self._held:
                self._held_since = monotonic
                self._skew_us = _skew(packet, monotonic)
            self._held.append(packet)
            if monotonic - self._held_since < self._options.settle_s and len(self._held) < _HELD:
                return
            yield from self._settle(monotonic)
            return
        if packet.video:
            self._watch(packet, monotonic)
        placed = self._put(packet)
        if placed is not None:
            yield placed

    def flush(self, monotonic: float) -> Iterator[Placed]:
        """What is still held when the camera goes away before the start was settled."""
        if self._offset is None and self._held:
            yield from self._settle(monotonic)

    def _settle(self, monotonic: float) -> Iterator[Placed]:
        held, self._held = self._held, []
        pictures = [p for p in held if p.video] or held
        offset = min(pts_of_wall(p.arrived_us) - p.pts for p in pictures)
        behind = self._floor - (held[0].dts + offset)
        if 0 < behind <= self._options.back_s * PTS_HZ:
            offset += behind
        self._offset = self._target = offset
        self._window, self._window_since = [], monotonic
        self._source = (pictures[-1].dts, monotonic)
        for packet in held:
            placed = self._put(packet)
            if placed is not None:
                yield placed

    def _watch(self, packet: Packet, monotonic: float) -> None:
        """Notice what the clocks of camera and machine do, and set where the offset should go."""
        options = self._options
        assert self._offset is not None
        assert self._source is not None
        skew_us = _skew(packet, monotonic)
        jumped_us, self._skew_us = skew_us - self._skew_us, skew_us
        if abs(jumped_us) > options.jump_s * SECOND_US:
            self._window, self._window_since = [], monotonic
            if jumped_us > 0 or -jumped_us > options.back_s * SECOND_US:
                self._pending += jumped_us * 9 // 100
        last_dts, last_monotonic = self._source
        self._source = (packet.dts, monotonic)
        ahead = (packet.dts - last_dts) / PTS_HZ
        here = pts_of_wall(packet.arrived_us) - packet.pts
        # FFmpeg guesses the decoding times of cameras with B-frames, and may guess back by a picture or two.
        if ahead < -1 or ahead - (monotonic - last_monotonic) > options.leap_s:
            # The camera started its timestamps anew: go on where the picture is now, never before the last one.
            after = self._last.get(True, 0) + (min(self._steps) if self._steps else 1)
            self._offset = self._target = max(here, after - packet.dts)
            self._pending = 0
            self._window, self._window_since = [], monotonic
            return
        self._window.append(here)
        if monotonic - self._window_since >= options.window_s:
            self._target = min(self._window)
            self._window, self._window_since = [], monotonic
            if self._target - self._offset > options.leap_s * PTS_HZ and not self._pending:
                self._pending = self._target - self._offset  # the camera paused its clock: no slewing catches that up
        if self._target != self._offset and not self._pending:
            step = int(max(ahead, 0) * PTS_HZ * options.slew)
            self._offset += max(-step, min(step, self._target - self._offset))

    def _put(self, packet: Packet) -> Placed | None:
        assert self._offset is not None
        fresh = False
        last = self._last.get(packet.video)
        if packet.video and packet.key and self._pending:
            fresh, step = True, self._pending
            self._offset += step
            self._target = self._offset
            self._pending = 0
            if step < 0:
                last = None  # the clock was wrong by more than can be waited for: the new run begins in its past
                self._last.clear()
        dts, pts = packet.dts + self._offset, packet.pts + self._offset
        if not packet.video:
            video = self._last.get(True)
            if (last is not None and dts <= last) or (video is not None and abs(dts - video) > 10 * PTS_HZ):
                return None  # sound from before a jump
            self._last[False] = dts
            return Placed(packet, pts, dts, packet.duration)
        if last is not None:
            dts = max(dts, last + 1)
            self._steps.append(min(dts - last, PTS_HZ))
        self._last[True] = dts
        # The next picture's time is not known yet; a duration that is too short makes a player see a gap.
        duration = max(self._steps) if self._steps else packet.duration or 3600
        return Placed(packet, max(pts, dts), dts, duration, fresh)


def _skew(packet: Packet, monotonic: float) -> int:
    """Wall time less monotonic time, in microseconds: constant unless somebody sets the clock."""
    return packet.arrived_us - round(monotonic * SECOND_US)
