"""The transcoder: converts the cameras that are wished for, and makes the files that are asked for."""

import logging
import threading
from pathlib import Path

from barnhand.core.conversion import JobKind, MediaAnswer, MediaJob
from barnhand.core.errors import BarnHandError, HubError, MediaError
from barnhand.core.time import Clock
from barnhand.hub.hub import Hub
from barnhand.transcode.cache import Cache, used
from barnhand.transcode.files import convert_chunk, cut_clip
from barnhand.transcode.live import LiveConversion, Slots
from barnhand.transcode.options import TranscodeOptions

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.2  # seconds between looks at the wishes: how long the first viewer waits at most
_SWEEP_S = 60.0
_AGAIN_S = 0.5  # before another attempt while the hub is away


class Transcoder:
    """Reads the hub and the recordings, writes to the hub and into ``folder``; recording never waits for it."""

    def __init__(self, hub: Hub, recordings: Path, folder: Path, clock: Clock, options: TranscodeOptions) -> None:
        self._hub = hub
        self._desk = hub.conversions()
        self._recordings = recordings
        self._clock = clock
        self._options = options
        self._slots = Slots(options.live)
        self._live: dict[str, LiveConversion] = {}
        self._wanted_at: dict[str, float] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._cache = Cache(folder, recordings, clock, options)

    def run(self, stop: threading.Event) -> None:
        """Until told to stop. Live conversions have a thread each; chunks and clips one each, made one after another."""
        self._cache.start_over()
        # A clip takes as long as many chunks, and somebody who plays a recording should not wait for it.
        makers = [
            threading.Thread(target=self._make_files, args=(kind, stop), name=f"make {kind}", daemon=True) for kind in JobKind
        ]
        for maker in makers:
            maker.start()
        swept = float("-inf")
        while not stop.wait(_LOOK_S):
            try:
                self._follow(self._desk.wishes())
            except HubError as error:
                _LOG.warning("what is wished for is not known: %s", error)
                stop.wait(_AGAIN_S)
            if self._clock.monotonic() - swept > _SWEEP_S:
                swept = self._clock.monotonic()
                self._cache.sweep()
        for conversion in self._live.values():
            conversion.stop()
        for maker in makers:
            maker.join(2.0)  # a file that is being made is left unfinished: nobody waits for it any more

    @property
    def converting(self) -> list[str]:
        """The streams that are followed now."""
        return sorted(self._live)

    def _follow(self, wishes: list[str]) -> None:
        now = self._clock.monotonic()
        for stream_id in wishes:
            self._wanted_at[stream_id] = now
            if stream_id not in self._live:
                self._live[stream_id] = LiveConversion(self._hub, stream_id, self._slots, self._clock, self._options)
                self._live[stream_id].start()
        for stream_id in [name for name, at in self._wanted_at.items() if now - at > self._options.linger_s]:
            del self._wanted_at[stream_id]
            self._live.pop(stream_id).stop()

    def _make_files(self, kind: JobKind, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                job = self._desk.next_job(kind, 1)
                if job is not None:
                    self._desk.finish(job, self._answer(job))
            except HubError:
                stop.wait(_AGAIN_S)

    def _answer(self, job: MediaJob) -> MediaAnswer:
        try:
            made = self._make(job)
        except BarnHandError as error:
            _LOG.warning("stream %s: %s", job.stream_id, error)
            return MediaAnswer.of_error(error)
        except Exception:  # noqa: BLE001 - a worker's edge
            _LOG.exception("stream %s: a file could not be made of its recordings", job.stream_id)
            return MediaAnswer.of_error(MediaError("this recording cannot be converted; the log of the transcoder says why"))
        return MediaAnswer(str(made.relative_to(self._cache.folder)))

    def _make(self, job: MediaJob) -> Path:
        if job.start_us is None or job.end_us is None:
            return self._chunk(job.stream_id, job.paths[0])
        start_us, end_us = job.start_us, job.end_us
        parts = [self._chunk(job.stream_id, path) if path in job.convert else self._recordings / path for path in job.paths]
        clip = self._cache.clip(job.id)
        self._cache.put(clip, lambda new: cut_clip(parts, new, start_us, end_us))
        return clip

    def _chunk(self, stream_id: str, path: str) -> Path:
        target = self._cache.chunk(path)
        if target.exists():
            used(target)
        else:
            source = self._recordings / path
            self._cache.put(target, lambda new: convert_chunk(source, new, stream_id, self._options))
        return target
