"""The api with real servers behind it, as the tests use it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_socket

from barnhand.api.services import ApiServices
from barnhand.core.stream import Cause, SourceType, Status, StreamState
from barnhand.core.time import FakeClock
from barnhand.hub.hub import Hub
from barnhand.store.addresses import split
from barnhand.store.records import Role
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer

PASSWORD = "correct horse battery"


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The app on a port of the loopback interface; its host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@dataclass
class Service:
    """The api with real servers behind it, and the ends that feed it."""

    address: str
    app: FastAPI
    services: ApiServices = field(repr=False)
    hub: Hub
    clock: FakeClock
    spool: Spool
    writer: Writer

    @property
    def store(self) -> Store:
        return self.services.store

    @property
    def recordings(self) -> Path:
        return self.services.recordings

    def client(self, token: str | None = None) -> httpx.Client:
        """Somebody without a cookie; with ``token`` a script."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"http://{self.address}", headers=headers)

    def token(self, role: Role = Role.ADMIN) -> str:
        """A session of a new person with this role."""
        user = self.store.users.create(f"{uuid4().hex}@barn.test", "no password", role)
        token, _ = self.app.state.barnhand.sessions.issue(user.id, user.email, role, cookie=False)
        return str(token)

    def signed_in(self, role: Role = Role.ADMIN) -> httpx.Client:
        """A script of somebody with this role."""
        return self.client(self.token(role))

    def socket(self, path: str, token: str | None = None, **options: Any) -> ClientConnection:
        """An open WebSocket."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return open_socket(f"ws://{self.address}{path}", additional_headers=headers, proxy=None, **options)

    def camera(self, name: str = "Box 1", url: str = "rtsp://camera/1") -> str:
        """Id of a new camera."""
        return self.store.streams.create(name=name, source_type=SourceType.RTSP, address=split(SourceType.RTSP, url)).id

    def copy(self) -> None:
        """Bring what is spooled to the database."""
        while self.writer.step():
            pass


def state_of(
    stream_id: str, status: Status = Status.ACTIVE, cause: Cause = Cause.NONE, message: str = "recording"
) -> StreamState:
    """What a recorder tells."""
    return StreamState(stream_id, status, cause, message, 1)


def closed_with(connection: ClientConnection) -> int:
    """The code a WebSocket is closed with."""
    with suppress(ConnectionClosed):
        while True:
            connection.recv(timeout=10)
    assert connection.close_code is not None
    return connection.close_code
