"""Debian's own PostgreSQL and Redis, as a stable with servers of its own has them: on a port, behind a password.

They are started by the tests, on loopback and in folders that go with them; no service of the machine is used or touched.
"""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Protocol

import pytest
import valkey
from benchmarks.yard import free_port, until
from sqlalchemy.exc import OperationalError
from valkey.exceptions import ValkeyError

from barnhand.hub.embedded import EmbeddedHub
from barnhand.store.database import connect

KINDS = ("embedded", pytest.param("debian", marks=pytest.mark.servers))
"""Parameters of the fixture ``server_kind`` for the rooms whose tests are to pass on both."""

PASSWORD = "hay and oats"  # of servers that live for one run of the tests; a space must survive the address
ESCAPED = PASSWORD.replace(" ", "%20")


class HubServer(Protocol):
    """A hub that a test may take away and bring back."""

    @property
    def url(self) -> str: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


def execute(url: str, statement: str) -> None:
    """Run one statement outside a transaction."""
    engine = connect(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _newest_postgres() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.skip("no Debian PostgreSQL; install it with: apt-get install postgresql")
    return found[-1].parent


def _unprivileged() -> dict[str, Any]:
    """Who runs PostgreSQL, which refuses root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL refuses root, and there is no user postgres to run it as")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class DebianPostgres:
    """A PostgreSQL with a user ``barnhand`` who may make databases, and may no more than that.

    ``folder`` must be one that others may pass through.
    """

    def __init__(self, folder: Path) -> None:
        self._bin, self._user = _newest_postgres(), _unprivileged()
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._url("barnhand")

    def start(self) -> None:
        """Start the server, making its data the first time."""
        data = self._folder / "data"
        fresh = not data.exists()
        if fresh:
            self._make(data)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._bin / "postgres", "-D", data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"),
                    # These rows need not outlive a power cut, and nobody waits for the disk.
                    *("-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "lc_messages=C"),
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._user,
            )
        until(self._answers, 30, "PostgreSQL answers")
        if fresh:
            execute(self._url("postgres"), f"create role barnhand login createdb password '{PASSWORD}'")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server; SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def _make(self, data: Path) -> None:
        self._folder.mkdir(exist_ok=True)
        word = self._folder / "password"
        word.write_text(PASSWORD)
        if self._user:
            for path in (self._folder, word):
                os.chown(path, self._user["user"], self._user["group"])
        order = [self._bin / "initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={word}", "--no-sync"]
        subprocess.run(order, check=True, capture_output=True, cwd=self._folder, **self._user)

    def _url(self, user: str) -> str:
        return f"postgresql://{user}:{ESCAPED}@127.0.0.1:{self.port}/postgres"

    def _answers(self) -> bool:
        try:
            execute(self._url("postgres"), "select 1")
        except OperationalError:
            return False
        return True


class DebianRedis:
    """A Redis that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("redis-server")
        if found is None:
            pytest.skip("no redis-server; install it with: apt-get install redis-server")
        self._binary, self._folder = found, folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{ESCAPED}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, empty."""
        self._folder.mkdir(exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--requirepass", PASSWORD),
                    *("--dir", str(self._folder), "--save", "", "--appendonly", "no"),
                ],
                stdout=log,
                stderr=log,
            )
        until(self._answers, 20, "Redis answers")

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def _answers(self) -> bool:
        with valkey.Valkey.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except ValkeyError:
                return False


def hub_of(kind: str, folder: Path) -> HubServer:
    """A hub that is not started yet."""
    return EmbeddedHub(folder) if kind == "embedded" else DebianRedis(folder)
