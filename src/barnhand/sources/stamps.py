"""Fills in the timestamps a demuxer leaves out, so that every packet has both."""

import heapq
from collections import deque

from barnhand.core.media import Packet
from barnhand.core.time import PTS_HZ

_REORDER = 4  # pictures a camera may send ahead of their turn; two or three are usual, more would only cost early dts
_DEPTH = 8  # packets looked ahead at the start; reordering of cameras is two or three


class Stamper:
    """Hands packets on with ``pts`` and ``dts`` set.

    RTP carries no ``dts`` and the first packet of a session may lack its ``pts`` too. At the start packets are held until
    one has both, and the ones before it are counted back from there; later a missing stamp is the one before plus one
    step. ``dts`` is never after ``pts``.
    """

    def __init__(self) -> None:
        self._held: list[tuple[Packet, int | None, int | None]] = []
        self._last_dts: int | None = None
        self._steps: deque[int] = deque([3600], maxlen=9)

    def push(self, packet: Packet, pts: int | None, dts: int | None) -> list[Packet]:
        """Take a packet with what is known of its stamps; returns those that are now ready, in order."""
        if self._last_dts is not None:
            return [self._stamp(packet, pts, dts)]
        self._held.append((packet, pts, dts))
        if (pts is None or dts is None) and len(self._held) < _DEPTH:
            return []
        return self.flush()

    def flush(self) -> list[Packet]:
        """The packets still held, at the end."""
        held, self._held = self._held, []
        known = [pts for _, pts, _ in held if pts is not None]
        step = next((packet.duration for packet, _, _ in held if packet.duration), 3600)
        if not held:
            return []
        first = next((i for i, (_, _, dts) in enumerate(held) if dts is not None), None)
        anchor = held[first][2] if first is not None else None
        if first is None or anchor is None:
            first, anchor = 0, min(known, default=0) - step * sum(pts is None for _, pts, _ in held)
        early = min(known, default=anchor)
        missing = sum(pts is None for _, pts, _ in held[: first + 1])
        ready = []
        for index, (packet, pts, dts) in enumerate(held):
            if pts is None and index <= first:
                pts = early - missing * step
                missing -= 1
            guess = anchor - (first - index) * step if index <= first else dts
            ready.append(self._stamp(packet, pts, guess))
        return ready

    def _stamp(self, packet: Packet, pts: int | None, dts: int | None) -> Packet:
        step = packet.duration
        if dts is None or not step:
            step = sorted(self._steps)[len(self._steps) // 2]
        if dts is None:
            expected = (self._last_dts if self._last_dts is not None else (pts or 0) - step) + step
            dts = expected if pts is None else min(expected, pts)
        if pts is None:
            pts = dts
        dts = min(dts, pts)
        if self._last_dts is not None and 0 < dts - self._last_dts <= 90_000:
            self._steps.append(dts - self._last_dts)
        self._last_dts = dts
        return Packet(packet.video, pts, dts, packet.duration or step, packet.key, packet.data, packet.arrived_us)


class Reorder:
    """Decoding times for pictures that come out of order without any, as over RTP.

    The n-th picture decoded gets the time of the (n - 4)-th picture shown: always in order, never after its own ``pts``, and
    known at once. A camera that sends in order keeps ``dts = pts``. FFmpeg's guess is not used: it takes pyramids of
    B-frames for plain ones and then counts back.
    """

    def __init__(self, reorders: bool) -> None:
        self._reorders = reorders
        self._shown: list[int] = []
        self._last: Packet | None = None

    def stamp(self, packet: Packet) -> Packet:
        """The packet with its ``dts``; ``pts`` stays."""
        last = self._last
        restarted = last is None or abs(packet.pts - last.pts) > PTS_HZ
        if restarted:
            self._shown = []
        elif last is not None and packet.pts < last.pts:
            self._reorders = True
        if not self._reorders:
            dts = packet.pts
        else:
            if not self._shown:
                self._shown = [packet.pts - (_REORDER - index) * packet.duration for index in range(_REORDER)]
            dts = heapq.heappushpop(self._shown, packet.pts)
            if last is not None and not restarted:
                dts = max(dts, last.dts + 1)
        self._last = Packet(packet.video, packet.pts, dts, packet.duration, packet.key, packet.data, packet.arrived_us)
        return self._last
