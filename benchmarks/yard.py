"""A BarnHand of one's own to measure and to hurt: real processes, real cameras over RTSP, on loopback."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

PASSWORD = "the quick brown mare"  # of an account on a database that lives for one test


def free_port() -> int:
    """A TCP port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true value of ``condition``; ``AssertionError`` naming ``what`` when the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"within {seconds:.0f} s not: {what}"
        time.sleep(0.05)


class Cameras:
    """The project's own RTSP server in a process of its own, so that a test can take it away and bring it back."""

    def __init__(self, clips: Mapping[str, Path], port: int | None = None) -> None:
        self._clips = clips
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve; the cameras are the same after a restart."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "barnhand.app.worker", "cameras"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdin is not None
        order = {"clips": {name: str(path) for name, path in self._clips.items()}, "port": self.port}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        until(self._listening, 20, "the cameras answer")

    def stop(self) -> None:
        """Take the cameras away, at once, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None

    def url(self, name: str) -> str:
        """Address of a camera."""
        return f"rtsp://127.0.0.1:{self.port}/{name}"

    def _listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Yard:
    """``barnhand up`` on a folder of its own, with an administrator signed in."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("BARNHAND_")},
            "BARNHAND_DATA": str(folder),
            "BARNHAND_PORT": str(self.port),
            "NO_COLOR": "1",
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(base_url=self.address, timeout=10, trust_env=False)
        self.output = folder.parent / f"{folder.name}.out"

    def __enter__(self) -> Self:
        self.start()
        self.sign_in()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self, *, wait: bool = True) -> float:
        """Start and, unless told otherwise, wait until the page answers; seconds that took."""
        begun = time.monotonic()
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "barnhand", "up"],
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        if wait:
            until(self.ready, 60, f"the page answers; see {self.output}")
        return time.monotonic() - begun

    def ready(self) -> bool:
        """Whether database, hub and page answer."""
        try:
            return self.client.get("/readyz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def token(self) -> str:
        """The token of the one-time link that was printed."""

        def printed() -> str | None:
            found = re.findall(r"token=([\w-]+)", self.output.read_text())
            return found[-1] if found else None

        return str(until(printed, 10, "the one-time link is printed"))

    def sign_in(self) -> None:
        """Make the first administrator with the one-time link, then sign in as a script does."""
        account = {"email": "owner@yard.example", "password": PASSWORD}
        self.client.post("/v1/setup", json={"token": self.token(), **account}).raise_for_status()
        answer = self.client.post("/v1/session", json={**account, "bearer": True})
        answer.raise_for_status()
        self.client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        self.client.cookies.clear()

    def add(self, name: str, url: str, **more: Any) -> str:
        """Add and start a camera; its id."""
        config = {"name": name, "source_type": url.split(":", maxsplit=1)[0], "source_url": url, "start": True, **more}
        answer = self.client.post("/v1/streams", json=config)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return str(answer.json()["id"])

    def stream(self, stream_id: str) -> dict[str, Any]:
        """A camera as the api tells it."""
        answer = self.client.get(f"/v1/streams/{stream_id}")
        answer.raise_for_status()
        return dict(answer.json())

    def chunks(self, stream_id: str) -> list[dict[str, Any]]:
        """Its chunks, oldest first."""
        answer = self.client.get(f"/v1/streams/{stream_id}/chunks", params={"limit": 1000})
        answer.raise_for_status()
        return sorted(answer.json(), key=lambda chunk: int(chunk["start_us"]))

    def processes(self) -> dict[str, int]:
        """Name → process id of everything that runs: ``guardian``, ``supervisor``, the workers, ``postgres``, ``valkey``."""
        assert self._process is not None
        found = {"guardian": self._process.pid}
        for process in psutil.process_iter(["pid", "cmdline", "environ"]):
            command = process.info["cmdline"] or []
            mine = (process.info["environ"] or {}).get("BARNHAND_DATA") == str(self.folder)
            if mine and "barnhand.app.worker" in command:
                role = command[-1]
                found[role if role not in found else f"{role}-{process.pid}"] = process.pid
            elif mine and command[-3:] == ["-m", "barnhand", "up"] and process.pid != self._process.pid:
                found["supervisor"] = process.pid
            elif command and "postgres" in Path(command[0]).name and str(self.folder) in " ".join(command):
                found["postgres"] = process.pid
            elif command and "valkey-server" in command[0] and str(self.folder) in " ".join(command):
                found["valkey"] = process.pid
        return found

    def kill(self, name: str) -> int:
        """Kill -9 one process; the id it had."""
        pid = self.processes()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self) -> None:
        """Ctrl-C, as at a terminal; nothing may be left running."""
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"Ctrl-C did not stop it within a minute; running: {self.processes()}; {self.output} says:\n"
                + self.output.read_text()[-2000:]
            ) from None
        left = {name: pid for name, pid in self.processes().items() if name != "guardian"}
        self._process = None
        assert left == {}, f"still running: {left}"
