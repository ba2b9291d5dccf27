"""A recorded camera: fragments of blob pictures, and a hub that plays them by a ``FakeClock``.

The real hub is tried in ``test_analyst_hub``; this one decides what arrives when, so that load and lag can be told exactly.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from tests.analyst.blobs import HEIGHT, START_US, WIDTH, Box, paint

from barnhand.core.errors import HubError, SourceError
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.observation import Observation
from barnhand.core.stream import SourceType, Stream, StreamState
from barnhand.core.time import SECOND_US, FakeClock, pts_of_wall
from barnhand.fragments.writer import FragmentWriter
from barnhand.sources.file import FileSource
from barnhand.sources.options import SourceOptions

FPS = 25
Scene = Callable[[float], Mapping[str, Box]]


def record(
    path: Path, scene: Scene, seconds: float, stream_id: str = "cam", *, gop: int = FPS, start_us: int = START_US, run: int = 1
) -> list[InitSegment | Fragment]:
    """A scene as a recorder would publish it: an init segment, then a fragment a picture, H.264 at 25 fps."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "18", "g": str(gop)})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.time_base = Fraction(1, FPS)
        video.codec_context.thread_count = 1
        for number in range(round(seconds * FPS)):
            picture = av.VideoFrame.from_ndarray(paint(scene(number / FPS)), format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
    stream = Stream(stream_id, "tape", SourceType.FILE, str(path), {"loop": False, "pace": False})
    source = FileSource(stream, SourceOptions(), FakeClock())
    writer = FragmentWriter(stream_id, run, source.video)
    segments: list[InitSegment | Fragment] = [writer.init(start_us)]
    try:
        for number, packet in enumerate(source.packets()):
            wall_us = start_us + number * SECOND_US // FPS
            pts = pts_of_wall(wall_us)
            segments.append(writer.fragment(packet, pts=pts, dts=pts, wall_us=wall_us))
    except SourceError:
        pass  # the tape ends
    return segments


class TapeHub:
    """Plays tapes: a read waits (on the fake clock) for what is due. Keeps all that is published."""

    def __init__(self, tapes: Iterable[Sequence[InitSegment | Fragment]], clock: FakeClock, most: int = 256) -> None:
        self.clock = clock
        self.most = most
        self.queue = sorted((s for tape in tapes for s in tape), key=lambda s: s.wall_us)
        self.observations: list[Observation] = []
        self.states: list[StreamState] = []
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.checkpoints: dict[str, bytes] = {}
        self.skips = 0
        self.away_reads = 0
        self.ended = threading.Event()

    def live(self, stream_ids: Iterable[str] = ()) -> "TapeReader":
        reader = TapeReader(self)
        for stream_id in stream_ids:
            reader.add(stream_id)
        return reader

    def publish_observation(self, observation: Observation) -> None:
        self.observations.append(observation)

    def publish_state(self, state: StreamState, role: str = "recorder") -> None:
        assert role == "analyst"
        self.states.append(state)

    def publish_event(self, name: str, payload: Mapping[str, Any]) -> None:
        self.events.append((name, payload))

    def save_checkpoint(self, name: str, data: bytes) -> None:
        self.checkpoints[name] = data

    def load_checkpoint(self, name: str) -> bytes | None:
        return self.checkpoints.get(name)


class TapeReader:
    """The reader's end; each read costs at least a millisecond of fake time."""

    def __init__(self, hub: TapeHub) -> None:
        self._hub = hub
        self._joined: set[str] = set()

    def add(self, stream_id: str) -> None:
        self._joined.add(stream_id)

    def remove(self, stream_id: str) -> None:
        self._joined.discard(stream_id)

    def skip_to_newest(self, stream_id: str) -> None:
        hub = self._hub
        hub.skips += 1
        due = [k for k, s in enumerate(hub.queue) if s.stream_id == stream_id and s.wall_us <= hub.clock.wall_us()]
        keys = [k for k in due if isinstance(hub.queue[k], Fragment) and hub.queue[k].key]  # type: ignore[union-attr]
        if keys:
            gone = {k for k in due if k < keys[-1]}
            hub.queue = [s for k, s in enumerate(hub.queue) if k not in gone]

    def read(self, block_ms: int = 1000, count: int = 256) -> list[InitSegment | Fragment]:
        hub = self._hub
        hub.clock.advance(0.001)
        if hub.away_reads:
            hub.away_reads -= 1
            raise HubError("the hub does not answer; it is tried again")
        if not hub.queue:
            hub.ended.set()
            hub.clock.advance(block_ms / 1000)
            return []
        wait = (hub.queue[0].wall_us - hub.clock.wall_us()) / SECOND_US
        if wait > 0:
            hub.clock.advance(min(wait, block_ms / 1000))
        due = [s for s in hub.queue[: min(count, hub.most)] if s.wall_us <= hub.clock.wall_us()]
        hub.queue = hub.queue[len(due) :]
        return [s for s in due if s.stream_id in self._joined]


class Shelf:
    """Where rows go."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Mapping[str, Any]]] = []

    def append(self, kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self.rows += [(kind, dict(row)) for row in rows]

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [row for k, row in self.rows if k == kind]


def camera(stream_id: str = "cam") -> Stream:
    return Stream(stream_id, stream_id, SourceType.RTSP, "rtsp://127.0.0.1/x")
