"""All cameras of one machine: started, stopped and changed as the list of streams says."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from barnhand.core.stream import Cause, Stream, StreamState
from barnhand.core.time import Clock
from barnhand.recorder.camera import CameraRecorder, Surroundings
from barnhand.recorder.options import RecorderOptions
from barnhand.recorder.outlet import Outlet
from barnhand.recorder.ports import Protected, Publisher, RowSpool
from barnhand.recorder.retention import Retention
from barnhand.recorder.rows import Rows

_LOG = logging.getLogger(__name__)
_ROOM = 64 << 20  # bytes to free when the disk ran full although no floor is set


class Recorder:
    """Records streams below ``folder`` until ``stop``; depends on nothing but the cameras and the disk.

    ``protected`` says which chunks retention leaves alone; by default those with a ``.keep`` file beside them.
    """

    def __init__(
        self,
        folder: Path,
        publisher: Publisher,
        spool: RowSpool,
        clock: Clock,
        options: RecorderOptions | None = None,
        *,
        protected: Protected | None = None,
    ) -> None:
        self._options = options or RecorderOptions()
        self._clock = clock
        self._lock = threading.Lock()
        self._cameras: dict[str, CameraRecorder] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._rows = Rows(spool)
        self._outlet = Outlet(publisher, clock, queue_bytes=self._options.queue_bytes, gather_s=self._options.gather_s)
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._full = False
        self._around = Surroundings(folder, self._outlet, self._rows, clock, self._options, self._make_room)
        self._retention = Retention(folder, self._rows, clock, self._options, protected)
        self._keeper = threading.Thread(target=self._keep, name="recorder-keeper", daemon=True)
        self._keeper.start()

    def reconcile(self, streams: Sequence[Stream]) -> None:
        """Record exactly these: start what is new, stop what is gone, restart what changed. Returns at once."""
        wanted = {stream.id: stream for stream in streams}
        with self._lock:
            gone = [camera for key, camera in self._cameras.items() if key not in wanted]
            for camera in gone:
                del self._cameras[camera.stream.id]
                camera.ask_to_stop()
                threading.Thread(target=self._bid_farewell, args=(camera,), daemon=True).start()
            for stream in wanted.values():
                before = self._cameras.get(stream.id)
                if before is not None and before.stream == stream:
                    continue
                if before is not None:
                    before.ask_to_stop()
                self._cameras[stream.id] = CameraRecorder(stream, self._around, before)

    def states(self) -> dict[str, StreamState]:
        """What each camera does now, by stream id."""
        with self._lock:
            cameras = dict(self._cameras)
        return {key: camera.state for key, camera in cameras.items() if camera.state is not None}

    def stop(self, timeout_s: float = 3.0) -> None:
        """End every recording with whole chunks and rows."""
        with self._lock:
            cameras, self._cameras = list(self._cameras.values()), {}
        for camera in cameras:
            camera.ask_to_stop()
        until = self._clock.monotonic() + timeout_s
        for camera in cameras:
            camera.finish(max(until - self._clock.monotonic(), 0.05), cause=Cause.RESTARTED)
        self._stopping.set()
        self._wake.set()
        self._keeper.join(timeout_s)
        self._rows.settle()
        self._outlet.close()

    def _bid_farewell(self, camera: CameraRecorder) -> None:
        camera.finish(30.0)
        self._outlet.forget(camera.stream.id)

    def _make_room(self) -> None:
        self._full = True
        self._wake.set()

    def _keep(self) -> None:
        """Syncs, retries rows, cleans up and tells states again, on a thread that no camera waits for."""
        cleaned = refreshed = synced = float("-inf")
        while not self._stopping.is_set():
            now = self._clock.monotonic()
            with self._lock:
                cameras = list(self._cameras.values())
            try:
                self._rows.settle()
                if self._full or now - cleaned >= self._options.clean_s:
                    need, self._full = (_ROOM if self._full else 0), False
                    cleaned = now
                    self._retention.clean({path for c in cameras if (path := c.writing)}, need_bytes=need)
                if now - synced >= self._options.sync_s:
                    synced = now
                    for camera in cameras:
                        camera.sync()
                if now - refreshed >= self._options.refresh_s:
                    refreshed = now
                    for camera in cameras:
                        if camera.state is not None:
                            self._outlet.put(camera.state)
            except Exception:  # noqa: BLE001 - a worker's edge: recording goes on without housekeeping
                _LOG.exception("the recorder's housekeeping failed and is tried again")
            self._wake.wait(1.0)
            self._wake.clear()
