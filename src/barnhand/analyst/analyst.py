"""The worker: live fragments of several cameras to observations, recordings in between. See ``docs/design/analyst.md``."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from barnhand.analyst.camera import Camera
from barnhand.analyst.history import ChunkQueue, History, live_id
from barnhand.analyst.options import AnalystOptions
from barnhand.analyst.pipeline import Pipeline
from barnhand.analyst.rate import RateKeeper
from barnhand.analyst.stages import Stages
from barnhand.core.detection import Detections
from barnhand.core.errors import BarnHandError, HubError
from barnhand.core.frame import Frame
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.observation import Observation
from barnhand.core.stream import Cause, Status, Stream, StreamState
from barnhand.core.time import SECOND_US, Clock
from barnhand.core.track import Track
from barnhand.identity.gallery import Gallery

_LOG = logging.getLogger(__name__)
AWAY_S = 0.5


class LiveFragments(Protocol):
    """A reader of several streams' fragments (``hub.LiveReader``)."""

    def add(self, stream_id: str) -> None:
        """Follow one more stream."""

    def remove(self, stream_id: str) -> None:
        """Follow it no longer."""

    def skip_to_newest(self, stream_id: str) -> None:
        """Leave out what is queued."""

    def read(self, block_ms: int = 1000, count: int = 256) -> Sequence[InitSegment | Fragment]:
        """What came since the last read."""


class LiveHub(Protocol):
    """What an analyst needs of the hub (``hub.Hub``). Every method may raise ``HubError``."""

    def live(self, stream_ids: Iterable[str] = ()) -> LiveFragments:
        """A reader of fragments."""

    def publish_observation(self, observation: Observation) -> None:
        """To the page."""

    def publish_state(self, state: StreamState, role: str = "recorder") -> None:
        """How a camera's analysis is doing."""

    def publish_event(self, name: str, payload: Mapping[str, Any]) -> None:
        """Tell everybody."""

    def save_checkpoint(self, name: str, data: bytes) -> None:
        """Keep for a successor."""

    def load_checkpoint(self, name: str) -> bytes | None:
        """What a predecessor kept."""


class Rows(Protocol):
    """Where rows go (``store.Spool``)."""

    def append(self, kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows of one kind."""


class Analyst:
    """Analyses the streams it is given, in one thread of its own; the networks are shared by all of them.

    ``stages`` is called once, in that thread: loading networks takes seconds. ``gallery`` names horses (none: nobody is
    named). With ``chunks`` and ``recordings``, what was not analysed live is analysed when there is time.
    """

    def __init__(
        self,
        hub: LiveHub,
        spool: Rows,
        stages: Callable[[], Stages],
        clock: Clock,
        options: AnalystOptions | None = None,
        *,
        gallery: Gallery | None = None,
        chunks: ChunkQueue | None = None,
        recordings: Path | None = None,
    ) -> None:
        self._hub = hub
        self._spool = spool
        self._stages = stages
        self._clock = clock
        self._options = options or AnalystOptions()
        self._gallery = gallery
        self._chunks = chunks
        self._recordings = recordings
        self._wanted: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def reconcile(self, streams: Sequence[Stream]) -> None:
        """Analyse exactly these streams from now on."""
        with self._lock:
            self._wanted = {stream.id for stream in streams}
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="analyst", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Save where every camera is and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=20)

    def alive(self) -> bool:
        """Whether it works; false before the first ``reconcile``, after ``stop`` and when it failed."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        try:
            work = _Work(self._hub, self._spool, self._stages(), self._clock, self._options, self._gallery)
            if self._chunks is not None and self._recordings is not None and self._options.history:
                work.look_back(self._chunks, self._recordings)
            while not self._stop.is_set():
                with self._lock:
                    wanted = set(self._wanted)
                work.round(wanted)
            work.close()
        except Exception:  # noqa: BLE001 - the edge of a worker
            _LOG.exception("the analyst failed; its process should end and be started again")


class _Work:
    """What the analyst's thread does, one round after another."""

    def __init__(
        self, hub: LiveHub, spool: Rows, stages: Stages, clock: Clock, options: AnalystOptions, gallery: Gallery | None
    ) -> None:
        self._hub, self._spool, self._stages, self._clock, self._options = hub, spool, stages, clock, options
        self._gallery = gallery
        self._reader = hub.live(())
        self._rate = RateKeeper(options.fps, options.least_fps)
        self._cameras: dict[str, Camera] = {}
        self._ended: dict[str, dict[int, Track]] = {}
        self._saved_at = self._told_at = clock.monotonic()
        self._since_us: dict[str, int] = {}
        self._history: History | None = None
        self._away = False

    def look_back(self, queue: ChunkQueue, recordings: Path) -> None:
        """Analyse recordings too."""
        self._history = History(queue, recordings, self._clock, self._options, self._historic, self._keep)

    def round(self, wanted: set[str]) -> None:
        """Read what came, look at one picture of each camera that has one, tidy up."""
        self._follow(wanted)
        waiting = any(camera.waiting is not None for camera in self._cameras.values())
        if self._cameras:
            busy = self._history is not None and self._history.busy and self._has_time()
            self._take(1 if waiting or busy else 100)
        else:
            self._clock.sleep(0.1)
        began = self._clock.monotonic()
        if self._look():
            self._rate.worked(self._clock.monotonic() - began)
        elif self._history is not None and self._has_time():
            self._history.step({name: camera.coverage for name, camera in self._cameras.items()})
        self._tidy()

    def close(self) -> None:
        """Save all."""
        self._save()
        if self._history is not None:
            self._history.close()

    def _has_time(self) -> bool:
        return self._rate.load < 0.7

    def _follow(self, wanted: set[str]) -> None:
        for stream_id in set(self._cameras) - wanted:
            self._reader.remove(stream_id)
            self._bury(stream_id, self._ended.pop(stream_id, {}), ())
            del self._cameras[stream_id]
        for stream_id in sorted(wanted - set(self._cameras)):
            first = live_id(self._clock.wall_us())
            pipeline = Pipeline(self._stages, self._gallery, self._options.pipeline, first)
            camera = Camera(stream_id, pipeline, self._options)
            try:
                saved = self._hub.load_checkpoint(_name(stream_id))
            except HubError:
                return  # without its checkpoint a camera would take ids anew: it waits for the hub
            if saved is not None:
                camera.resume(saved, self._options)
            self._cameras[stream_id] = camera
            self._since_us[stream_id] = self._clock.wall_us()
            self._reader.add(stream_id)

    def _take(self, block_ms: int) -> None:
        try:
            segments = self._reader.read(block_ms)
        except HubError as error:
            if not self._away:
                _LOG.warning("%s", error)
            self._away = True
            self._clock.sleep(AWAY_S)
            return
        self._away = False
        began = self._clock.monotonic()
        now_us = self._clock.wall_us()
        newest_key = {s.stream_id: k for k, s in enumerate(segments) if isinstance(s, Fragment) and s.key}
        for k, segment in enumerate(segments):
            camera = self._cameras.get(segment.stream_id)
            if camera is None:
                continue
            if k < newest_key.get(segment.stream_id, 0) and camera.is_old(segment, now_us):
                continue  # a newer group is here already: nothing of this one is looked at, so nothing of it is decoded
            try:
                if camera.take(segment, now_us, self._rate.period_us):
                    self._rate.dropped()
            except BarnHandError as error:
                _LOG.warning("stream %s: %s", segment.stream_id, error)
        for stream_id, camera in self._cameras.items():
            if camera.should_skip(now_us):
                _LOG.info("stream %s: %.1f s behind, going on from the newest key frame", stream_id, camera.lag_us / SECOND_US)
                self._reader.skip_to_newest(stream_id)
        self._rate.worked(self._clock.monotonic() - began)

    def _look(self) -> bool:
        """Look at one waiting picture of each camera, the longest waiting first; false when there was none."""
        waiting = [camera for camera in self._cameras.values() if camera.waiting is not None]
        waiting.sort(key=lambda camera: camera.waiting.wall_us if camera.waiting else 0)
        for start in range(0, len(waiting), self._options.together):
            batch = waiting[start : start + self._options.together]
            now_us = self._clock.wall_us()
            pictures = [(camera, frame) for camera in batch if (frame := camera.pop(now_us)) is not None]
            found: Sequence[Detections | None] = [None] * len(pictures)
            if len(pictures) > 1:
                found = self._stages.detect.detect([frame.image for _, frame in pictures])
            for (camera, frame), detections in zip(pictures, found, strict=True):
                self._observe(camera, frame, detections)
        return bool(waiting)

    def _observe(self, camera: Camera, frame: Frame, detections: Detections | None) -> None:
        try:
            observation = camera.pipeline.process(frame, detections)
        except Exception:  # noqa: BLE001 - the edge of a worker: one bad picture must not end the other cameras
            _LOG.exception("stream %s: the picture of %d cannot be analysed", camera.stream_id, frame.wall_us)
            return
        camera.analysed += 1
        camera.horses = len(observation.horses)
        camera.coverage.add(frame.wall_us)
        try:
            self._hub.publish_observation(observation)
        except HubError:
            _LOG.debug("stream %s: an observation was not told, the hub is away", camera.stream_id)
        self._keep(observation)
        before = self._ended.get(camera.stream_id, {})
        self._bury(camera.stream_id, before, camera.pipeline.tracks)
        self._ended[camera.stream_id] = {track.track_id: track for track in camera.pipeline.tracks}

    def _keep(self, observation: Observation) -> None:
        self._append("observation", [observation.to_dict()])

    def _bury(self, stream_id: str, before: Mapping[int, Track], now: Sequence[Track]) -> None:
        """Rows of the tracks that ended."""
        living = {track.track_id for track in now}
        rows = [
            {"stream_id": stream_id, "track_id": k, "horse_id": None, "started_us": t.started_us, "ended_us": t.last_seen_us}
            for k, t in before.items()
            if k not in living
        ]
        if rows:
            self._append("track", rows)

    def _append(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._spool.append(kind, rows)
        except BarnHandError as error:
            _LOG.error("rows of kind %s are lost: %s", kind, error)

    def _historic(self, first_id: int) -> Pipeline:
        return Pipeline(self._stages, self._gallery, self._options.pipeline, first_id, lane="history")

    def _tidy(self) -> None:
        now = self._clock.monotonic()
        before = self._rate.fps
        if self._rate.tick(now) and abs(self._rate.fps - before) > 0.05:
            self._tell_rate()
        if now - self._saved_at >= self._options.checkpoint_s:
            self._saved_at = now
            self._save()
        if now - self._told_at >= self._options.state_s:
            self._told_at = now
            self._tell()

    def _save(self) -> None:
        try:
            for stream_id, camera in self._cameras.items():
                if camera.analysed:
                    self._hub.save_checkpoint(_name(stream_id), camera.checkpoint())
        except HubError:
            _LOG.debug("the tracks were not saved, the hub is away")

    def _tell_rate(self) -> None:
        payload = {"fps": round(self._rate.fps, 2), "target_fps": self._rate.target, "load": round(self._rate.load, 2)}
        try:
            self._hub.publish_event("analyst:rate", {**payload, "stream_ids": sorted(self._cameras)})
        except HubError:
            _LOG.debug("the new rate %s was not told, the hub is away", payload)

    def _tell(self) -> None:
        slower = self._rate.fps < 0.95 * self._rate.target
        rate = (
            f"The machine is busy: {self._rate.fps:.1f} instead of {self._rate.target:g} pictures a second are analysed."
            if slower
            else f"{self._rate.target:g} pictures a second are analysed."
        )
        try:
            for stream_id, camera in self._cameras.items():
                analysed, dropped = camera.since_told()
                if analysed:
                    message = rate
                elif dropped:
                    message = "The machine is busy: no picture could be analysed in time."
                else:
                    message = "No picture came to be analysed."
                details = {
                    "fps": round(self._rate.fps, 2),
                    "target_fps": self._rate.target,
                    "load": round(self._rate.load, 2),
                    "lag_ms": camera.lag_us // 1000,
                    "analysed": camera.analysed,
                    "dropped": camera.dropped,
                    "horses": camera.horses,
                }
                state = StreamState(stream_id, Status.ACTIVE, Cause.NONE, message, self._since_us[stream_id], details)
                self._hub.publish_state(state, role="analyst")
        except HubError:
            _LOG.debug("the cameras' state was not told, the hub is away")


def _name(stream_id: str) -> str:
    return f"analyst:{stream_id}"
