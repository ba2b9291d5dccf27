"""A yard to visit with a browser: the real API over real servers, and cameras that film the rendered target.

Only the recorder and the analyst are played: what they would publish is published here, frame by frame, so that a test
knows the truth about every picture and may delay, stop and restart at will.
"""

import os
import socket
import threading
from collections import deque
from dataclasses import asdict
from pathlib import Path

import argon2
import uvicorn
from tests.web.target import FRAME_TICKS, FRAME_US, FRAMES, Clip, observe

from barnhand.api.app import create_app
from barnhand.api.services import ApiServices
from barnhand.core.chunk import Chunk
from barnhand.core.media import Fragment
from barnhand.core.observation import Observation
from barnhand.core.stream import Cause, SourceType, Status, StreamState
from barnhand.core.time import SystemClock, pts_of_wall
from barnhand.fragments.naming import chunk_id, chunk_path
from barnhand.fragments.writer import FragmentWriter
from barnhand.hub.hub import Hub
from barnhand.store.addresses import split
from barnhand.store.database import connect
from barnhand.store.records import Role
from barnhand.store.secrets import SecretBox
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer

EMAIL, PASSWORD = "groom@example.org", "oats and hay at dawn"
ANALYSE_EVERY = 5


class Yard:
    """Starts at construction; ``close`` ends everything it began."""

    def __init__(self, database_url: str, hub_url: str, folder: Path) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.recordings = folder / "recordings"
        self.recordings.mkdir()
        self.hub = Hub(hub_url)
        self.hub_url = hub_url
        self._engine = connect(database_url)
        self._box = SecretBox.open(folder / "secrets")
        self.store = Store(self._engine, self._box)
        self.spool = Spool(folder / "spool")
        self._stop = threading.Event()
        self._writer = threading.Thread(target=Writer(folder / "spool", self._engine).run, args=(self._stop,), daemon=True)
        self._writer.start()
        self.port = free_port()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.cameras: list[Camera] = []
        self.start_api()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}"

    def start_api(self) -> None:
        """Serve; returns when it answers."""
        services = ApiServices(
            store=self.store,
            hub_url=self.hub_url,
            recordings=self.recordings,
            converted=self.folder / "cache" / "converted",
            secrets=self._box,
        )
        config = uvicorn.Config(create_app(services), port=self.port, log_level="warning", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            self.clock.sleep(0.02)

    def stop_api(self) -> None:
        """As if the process had been restarted: every connection is cut."""
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join()

    def close(self) -> None:
        """End everything."""
        for camera in self.cameras:
            camera.stop()
        self.stop_api()
        self._stop.set()
        self._writer.join()
        self.spool.close()
        self.hub.close()
        self.store.close()

    def person(self, role: Role = Role.ADMIN) -> None:
        """Somebody who may sign in with ``EMAIL`` and ``PASSWORD``."""
        self.store.users.create(EMAIL, argon2.PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD), role)

    def stream(self, name: str, *, status: Status = Status.ACTIVE) -> str:
        """The row of a camera; its id."""
        address = split(SourceType.RTSP, "rtsp://127.0.0.1/target")
        record = self.store.streams.create(name=name, source_type=SourceType.RTSP, address=address, status=status)
        return record.id

    def tell(self, stream_id: str, cause: Cause, message: str = "", status: Status = Status.ERROR) -> None:
        """A recorder's word about a camera."""
        state = StreamState(stream_id, status, cause, message, self.clock.wall_us())
        self.hub.publish_state(state)

    def camera(self, stream_id: str, clip: Clip, *, analysis_s: float = 0.4) -> "Camera":
        """A camera that films from now on."""
        camera = Camera(self, stream_id, clip, analysis_s)
        self.cameras.append(camera)
        camera.start()
        return camera

    def history(self, stream_id: str, clip: Clip, *, start_us: int, chunks: int, run: int = 1) -> list[Chunk]:
        """Recordings of the past with what was seen in them, 10 s a chunk, and their rows."""
        writer = FragmentWriter(stream_id, run, clip.video)
        made = []
        for number in range(chunks):
            first_us = start_us + number * FRAMES * FRAME_US
            first_pts = pts_of_wall(first_us)
            init = writer.init(first_us)
            path = chunk_path(stream_id, first_us)
            fragments = [_fragment(writer, clip, index, first_us, first_pts) for index in range(FRAMES)]
            file = self.recordings / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(init.data + b"".join(fragment.data for fragment in fragments))
            chunk = Chunk(
                id=chunk_id(stream_id, first_us),
                stream_id=stream_id,
                path=path,
                run=run,
                start_us=first_us,
                end_us=first_us + FRAMES * FRAME_US,
                start_pts=first_pts,
                end_pts=first_pts + FRAMES * FRAME_TICKS,
                bytes=file.stat().st_size,
                init_bytes=len(init.data),
                frames=FRAMES,
                codec=clip.video.codec.value,
                mime=init.mime,
                width=clip.video.width,
                height=clip.video.height,
                discontinuity=number == 0,
                closed=True,
            )
            self.spool.append("chunk", [asdict(chunk)])
            seen = [
                observe(stream_id, index, fragments[index].wall_us, fragments[index].pts)
                for index in range(0, FRAMES, ANALYSE_EVERY)
            ]
            self.spool.append("observation", [observation.to_dict() for observation in seen])
            made.append(chunk)
        self._wait_for(stream_id, made[-1])
        return made

    def gap(self, stream_id: str, start_us: int, end_us: int, cause: str, message: str) -> None:
        """A stretch that was not recorded, and why, in the database when this returns: the page asks every 10 s only."""
        row = {"stream_id": stream_id, "start_us": start_us, "end_us": end_us, "cause": cause, "message": message}
        self.spool.append("gap", [row])
        while not self.store.gaps.between(stream_id, start_us, end_us):
            self.clock.sleep(0.05)

    def _wait_for(self, stream_id: str, chunk: Chunk) -> None:
        """Until the writer has put the rows into the database."""
        while not self.store.chunks.between(stream_id, chunk.start_us, chunk.end_us):
            self.clock.sleep(0.05)
        while not self.store.detections.stretch(stream_id, chunk.end_us - 1_000_000, chunk.end_us, limit=1)[0]:
            self.clock.sleep(0.05)


class Camera(threading.Thread):
    """Publishes the clip in real time, and what is seen in every fifth frame ``analysis_s`` later."""

    def __init__(self, yard: Yard, stream_id: str, clip: Clip, analysis_s: float) -> None:
        super().__init__(daemon=True, name=f"camera {stream_id}")
        self._yard = yard
        self._stream_id = stream_id
        self._clip = clip
        self._analysis_us = round(analysis_s * 1e6)
        self._over = threading.Event()
        # A number below 2^53 that differs from run to run, as the recorder's does.
        self._run_number = yard.clock.wall_us()

    def stop(self) -> None:
        """As if it were unplugged."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Film."""
        yard, stream_id = self._yard, self._stream_id
        writer = FragmentWriter(stream_id, self._run_number, self._clip.video)
        start_us = yard.clock.wall_us()
        start_pts = pts_of_wall(start_us)
        yard.hub.publish_init(writer.init(start_us))
        yard.tell(stream_id, Cause.NONE, status=Status.ACTIVE)
        analysing: deque[Observation] = deque()
        index = 0
        while not self._over.is_set():
            fragment = _fragment(writer, self._clip, index, start_us, start_pts)
            late = fragment.wall_us - yard.clock.wall_us()
            if late > 0:
                self._over.wait(late / 1e6)
            yard.hub.publish_fragments([fragment])
            if index % ANALYSE_EVERY == 0:
                analysing.append(observe(stream_id, index, fragment.wall_us, fragment.pts))
            while analysing and analysing[0].wall_us + self._analysis_us <= yard.clock.wall_us():
                yard.hub.publish_observation(analysing.popleft())
            index += 1


def _fragment(writer: FragmentWriter, clip: Clip, index: int, start_us: int, start_pts: int) -> Fragment:
    wall_us = start_us + index * FRAME_US
    pts = start_pts + index * FRAME_TICKS
    return writer.fragment(clip.packet(index, wall_us), pts=pts, dts=pts, wall_us=wall_us)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chromium() -> str | None:
    """The browser, or ``None`` where there is none."""
    path = os.environ.get("BARNHAND_TEST_CHROMIUM", "/usr/bin/chromium")
    return path if os.access(path, os.X_OK) else None
