"""Cameras for tests and the demonstration: an ``RtspServer`` on a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any

from barnhand.sources.clip import Clip, load_clip
from barnhand.sources.rtsp_server import RtspServer


class FakeCamera:
    """Serves clips as live cameras for as long as it is entered; can be switched off and on, on the same port.

    >>> with FakeCamera({"stall": Path("trot.mp4")}) as camera:  # doctest: +SKIP
    ...     camera.url("stall")
    'rtsp://127.0.0.1:41234/stall'
    """

    def __init__(
        self, clips: dict[str, Path | Clip], *, user: str | None = None, password: str | None = None, port: int = 0
    ) -> None:
        self._clips: dict[str, Path | Clip] = {n: load_clip(c) if isinstance(c, Path) else c for n, c in clips.items()}
        self._user, self._password = user, password
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-camera", daemon=True)
        self._server: RtspServer | None = None

    def __enter__(self) -> "FakeCamera":
        self._thread.start()
        self.switch_on()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.switch_off()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def port(self) -> int:
        """The port it listens on; stays the same when switched off and on."""
        return self._port

    def url(self, name: str) -> str:
        """A camera's address, without a password."""
        return f"rtsp://127.0.0.1:{self._port}/{name}"

    def switch_on(self) -> None:
        """Start serving."""
        self._server = RtspServer(self._clips, port=self._port, user=self._user, password=self._password)
        self._port = self._wait(self._server.start())

    def switch_off(self) -> None:
        """Stop as if the plug were pulled: every connection ends."""
        if self._server is not None:
            self._wait(self._server.stop())
            self._server = None

    def change(self, name: str, clip: Path | Clip) -> None:
        """Have a camera go on with another clip, e.g. of another resolution, after its current pass."""
        loaded = load_clip(clip) if isinstance(clip, Path) else clip
        self._call(lambda server: server.cameras[name].change(loaded))

    def restart_timestamps(self, name: str) -> None:
        """Have a camera begin its RTP counters anew."""
        self._call(lambda server: server.cameras[name].restart_timestamps())

    def freeze(self, name: str, frozen: bool = True) -> None:
        """Have a camera keep its connections open and send nothing."""
        self._call(lambda server: setattr(server.cameras[name], "frozen", frozen))

    def _call(self, act: Callable[[RtspServer], None]) -> None:
        server = self._server
        if server is None:
            raise RuntimeError("the fake camera is switched off")

        async def run() -> None:
            act(server)

        self._wait(run())

    def _wait(self, task: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(20)
