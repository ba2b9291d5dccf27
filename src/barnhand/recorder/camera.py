"""One camera: connect, cut, write, publish; and when it goes away say why and try again."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from barnhand.core.chunk import Gap
from barnhand.core.errors import BarnHandError, SourceError
from barnhand.core.media import Codec, InitSegment
from barnhand.core.stream import Cause, SourceType, Status, Stream, StreamState
from barnhand.core.time import PTS_HZ, SECOND_US, Clock
from barnhand.fragments.writer import FragmentWriter
from barnhand.recorder.backoff import Backoff
from barnhand.recorder.chunkfile import ChunkFile
from barnhand.recorder.journal import Journal, save_journal
from barnhand.recorder.options import RecorderOptions
from barnhand.recorder.outlet import Outlet
from barnhand.recorder.recover import recover
from barnhand.recorder.rows import Rows
from barnhand.recorder.timeline import Placed, Timeline
from barnhand.sources.open import open_source
from barnhand.sources.source import Source

_LOG = logging.getLogger(__name__)
_STEADY_S = 5.0  # a camera that delivered for as long is tried again at once when it goes away
_SEAM_US = SECOND_US // 5  # a shorter hole between two recordings is none
_NAMES = {Codec.H264: "H.264", Codec.HEVC: "H.265", Codec.AAC: "AAC"}


@dataclass(frozen=True)
class Surroundings:
    """What all cameras of a recorder share. ``full`` is called when the disk takes no more."""

    folder: Path
    outlet: Outlet
    rows: Rows
    clock: Clock
    options: RecorderOptions
    full: Callable[[], None]


class CameraRecorder:
    """Records one stream on a thread of its own until ``stop``.

    ``before`` is an earlier recorder of the same stream, which has to end first.
    """

    def __init__(self, stream: Stream, around: Surroundings, before: "CameraRecorder | None" = None) -> None:
        self.stream = stream
        self._around = around
        self._before = before
        self._stop = threading.Event()
        self._lock = threading.RLock()  # the thread's own; ``stop`` takes it only when the thread hangs in a read
        self._ended = False
        self._journal = Journal()
        self._timeline: Timeline | None = None
        self._writer: FragmentWriter | None = None
        self._init: InitSegment | None = None
        self._told_s = 0.0
        self._chunk: ChunkFile | None = None
        self._seam = True
        self._full = False
        self._state: StreamState | None = None
        self._thread = threading.Thread(target=self._run, name=f"record-{stream.id[:8]}", daemon=True)
        self._thread.start()

    @property
    def state(self) -> StreamState | None:
        """What was last told."""
        return self._state

    @property
    def writing(self) -> str | None:
        """Path of the chunk being written, relative to the recordings."""
        chunk = self._chunk
        return chunk.row.path if chunk is not None else None

    def sync(self) -> None:
        """Force what is written to the disk; called by another thread."""
        chunk = self._chunk
        if chunk is not None:
            chunk.sync()

    def ask_to_stop(self) -> None:
        """Have the thread end at its next packet."""
        self._stop.set()

    def finish(self, timeout_s: float, *, cause: Cause = Cause.STOPPED) -> None:
        """Wait for the thread; close the chunk even when the thread hangs in a read.

        With ``Cause.STOPPED`` somebody switched the camera off, and the gap that begins is on record at once.
        """
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._close_chunk()
            if cause is Cause.STOPPED:
                self._open_gap(Cause.STOPPED, "switched off")
                self._tell(Status.INACTIVE, Cause.STOPPED, "switched off")
            else:
                self._tell(Status.INACTIVE, cause, "BarnHand is restarting")

    def _run(self) -> None:
        if self._before is not None:
            self._before.finish(30.0, cause=Cause.RESTARTED)
            self._before = None
        backoff = Backoff()
        try:
            with self._lock:
                self._journal = recover(self._around.folder, self.stream.id, self._around.rows)
        except OSError as error:
            _LOG.warning("stream %s: what was recorded before cannot be looked at (%s)", self.stream.id, error)
        if self._state is None:
            self._tell(Status.INACTIVE, Cause.CONNECTING, "connecting")
        while not self._stop.is_set():
            failure = self._attempt(backoff)
            if self._stop.is_set():
                return
            with self._lock:
                if self._ended:
                    return
                self._fail(failure)
            self._stop.wait(backoff.delay(Cause(failure.cause)))

    def _attempt(self, backoff: Backoff) -> SourceError:
        clock = self._around.clock
        stream = self.stream
        if stream.source_type is SourceType.FILE:
            # A file that is recorded is a camera: it runs in real time, whatever its settings say for analysis.
            stream = replace(stream, config={**stream.config, "pace": True})
        try:
            with open_source(stream, self._around.options.source, clock) as source:
                return self._follow(source, backoff)
        except SourceError as error:
            return error
        except BarnHandError as error:
            return SourceError(str(error), Cause.DAMAGED)
        except Exception:  # noqa: BLE001 - a worker's edge: one camera's trouble is not the others'
            _LOG.exception("stream %s: recording failed and is started again", self.stream.id)
            return SourceError("recording failed and is started again; the log says why", Cause.DAMAGED)

    def _follow(self, source: Source, backoff: Backoff) -> SourceError:
        clock = self._around.clock
        timeline = Timeline(self._around.options.timeline, self._journal.end_pts)
        begun = clock.monotonic()
        steady = False
        self._writer = None
        try:
            for packet in source.packets():
                now = clock.monotonic()
                with self._lock:
                    if self._stop.is_set():
                        break
                    for placed in timeline.place(packet, now):
                        self._take(placed, source, now)
                if not steady and now - begun > _STEADY_S:
                    steady = True
                    backoff.succeeded()
            return SourceError("stopped", Cause.STOPPED)
        finally:
            with self._lock:
                if not self._ended:
                    for placed in timeline.flush(clock.monotonic()):
                        self._take(placed, source, clock.monotonic())
                    self._close_chunk()

    def _take(self, placed: Placed, source: Source, now: float) -> None:
        packet = placed.packet
        key = packet.video and packet.key
        if key and (placed.fresh or self._writer is None or self._writer.video != source.video):
            self._begin_run(placed, source, now)
        writer = self._writer
        if writer is None or (not packet.video and writer.audio is None):
            return
        fragment = writer.fragment(packet, pts=placed.pts, dts=placed.dts, wall_us=placed.wall_us, duration=placed.duration)
        chunk = self._chunk
        try:
            if key and (chunk is None or fragment.pts - chunk.row.start_pts >= self._around.options.chunk_s * PTS_HZ):
                self._close_chunk(fragment.pts)
                self._publish_init(now)
                assert self._init is not None
                self._chunk = ChunkFile(self._around.folder, self._init, fragment, discontinuity=self._seam)
                self._opened_chunk()
            elif chunk is not None:
                chunk.write(fragment)
        except OSError as error:
            self._disk_failed(error)
        self._around.outlet.put(fragment)

    def _begin_run(self, placed: Placed, source: Source, now: float) -> None:
        self._close_chunk()
        self._seam = True
        run = max(placed.wall_us, self._journal.run + 1)
        self._journal = replace(self._journal, run=run)
        self._writer = FragmentWriter(self.stream.id, run, source.video, source.audio)
        self._init = self._writer.init(placed.wall_us)
        self._told_s = float("-inf")
        self._publish_init(now)
        if not self._full:
            self._tell_recording()

    def _publish_init(self, now: float) -> None:
        """Now and then again, in front of a key frame, should the hub have been replaced without anybody noticing."""
        if self._init is not None and now - self._told_s >= self._around.options.refresh_s:
            self._told_s = now
            self._around.outlet.put(self._init)

    def _opened_chunk(self) -> None:
        chunk = self._chunk
        assert chunk is not None
        row = chunk.current()
        self._close_gap(row.start_us)
        self._journal = replace(self._journal, open=row)
        self._save()
        self._around.rows.chunk(row)
        self._seam = False
        if self._full:
            self._full = False
            self._tell_recording()

    def _close_chunk(self, follows: int | None = None) -> None:
        chunk, self._chunk = self._chunk, None
        if chunk is None:
            return
        row = chunk.close(follows)
        self._journal = self._journal.ended(row)
        self._save()
        self._around.rows.chunk(row)
        self._around.outlet.put(("chunk:created", asdict(row)))
        self._seam = self._seam or follows is None

    def _disk_failed(self, error: OSError) -> None:
        self._close_chunk()
        self._seam = True
        message = f"the disk takes no more recordings ({error.strerror}); room is being made"
        self._open_gap(Cause.DISK_FULL, message)
        if not self._full:
            self._full = True
            _LOG.warning("stream %s: %s", self.stream.id, message)
            self._tell(Status.ERROR, Cause.DISK_FULL, message)
        self._around.full()

    def _fail(self, failure: SourceError) -> None:
        cause = Cause(failure.cause)
        self._full = False
        self._open_gap(cause, str(failure))
        self._tell(Status.ERROR, cause, str(failure))

    def _open_gap(self, cause: Cause, message: str) -> None:
        gap = self._journal.gap
        if gap is not None and (gap.cause, gap.message) == (cause, message):
            return
        start_us = gap.start_us if gap else self._journal.end_us or self._around.clock.wall_us()
        gap = Gap(self.stream.id, start_us, None, cause, message)
        self._journal = replace(self._journal, gap=gap)
        self._save()
        self._around.rows.gap(gap)

    def _close_gap(self, end_us: int) -> None:
        gap = self._journal.gap
        if gap is None and self._seam and self._journal.end_us and end_us - self._journal.end_us > _SEAM_US:
            gap = Gap(self.stream.id, self._journal.end_us, None, Cause.RESTARTED, "BarnHand was restarted")
        if gap is not None:
            self._around.rows.gap(replace(gap, end_us=max(end_us, gap.start_us)))
            self._journal = replace(self._journal, gap=None)

    def _save(self) -> None:
        try:
            save_journal(self._around.folder / self.stream.id, self._journal)
        except OSError as error:
            _LOG.debug("stream %s: the journal cannot be written (%s)", self.stream.id, error)

    def _tell_recording(self) -> None:
        if self._init is None:
            return
        video, audio = self._init.video, self._init.audio
        details = {
            "codec": video.codec.value,
            "width": video.width,
            "height": video.height,
            "audio": audio is not None,
            "mime": self._init.mime,
            "run": self._init.run,
        }
        message = f"recording {video.width} × {video.height} {_NAMES[video.codec]}"
        self._tell(Status.ACTIVE, Cause.NONE, message, details)

    def _tell(self, status: Status, cause: Cause, message: str, details: Mapping[str, Any] | None = None) -> None:
        """Publish the state when it is another one; ``since_us`` is kept while only the words change."""
        old = self._state
        if old is not None and (old.status, old.cause, old.message, old.details) == (status, cause, message, details or {}):
            return
        since_us = old.since_us if old and (old.status, old.cause) == (status, cause) else self._around.clock.wall_us()
        self._state = StreamState(self.stream.id, status, cause, message, since_us, details or {})
        self._around.outlet.put(self._state)
        if old is None or (old.status, old.cause) != (status, cause):
            event = {Status.ACTIVE: "stream:started", Status.ERROR: "stream:error"}.get(status, "stream:stopped")
            if cause is not Cause.CONNECTING:
                self._around.outlet.put((event, self._state.to_dict()))
