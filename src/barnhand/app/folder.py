"""The data folder: where everything BarnHand keeps has its place."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from barnhand.core.errors import ConfigurationError


@dataclass(frozen=True)
class DataFolder:
    """Paths below ``root``; see docs/design/architecture.md."""

    root: Path

    @property
    def recordings(self) -> Path:
        """Chunk files, a folder a stream and a day."""
        return self.root / "recordings"

    @property
    def spool(self) -> Path:
        """Rows on their way to the database."""
        return self.root / "spool"

    @property
    def postgres(self) -> Path:
        """The embedded database."""
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        """The embedded hub."""
        return self.root / "valkey"

    @property
    def secrets(self) -> Path:
        """Keys, readable by their owner alone."""
        return self.root / "secrets"

    @property
    def models(self) -> Path:
        """Networks pulled or added."""
        return self.root / "models"

    @property
    def cache(self) -> Path:
        """Streams and gallery as last known, for a start without the database."""
        return self.root / "cache"

    @property
    def converted(self) -> Path:
        """Recordings made H.264 for those who cannot play them: copies, bounded, never counted as recordings."""
        return self.cache / "converted"

    @property
    def lock(self) -> "Lock":
        """What BarnHand holds while it runs on this folder."""
        return Lock(self.run / "barnhand.lock")

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Locks and the address of what runs."""
        return self.root / "run"

    def prepare(self) -> None:
        """Make the folders. Raises ``ConfigurationError`` when the place cannot be written."""
        try:
            # The embedded database runs as a user of its own when started by root: it must be able to pass through.
            self.root.mkdir(parents=True, exist_ok=True, mode=0o755)
            for path in (self.recordings, self.spool, self.models, self.cache, self.logs, self.run):
                path.mkdir(exist_ok=True, mode=0o750)
            self.secrets.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {self.root} cannot be used ({error.strerror}); set BARNHAND_DATA to a folder you can write"
            ) from error


class Lock:
    """A lock on a file, held by one process and given back by its death. The file holds the holder's process id."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> int | None:
        """Take the lock and return ``None``, or return the process id of the one who holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            return int(holder) if holder.isdigit() else 0
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return None

    def held(self) -> bool:
        """Whether another process holds it."""
        if self.take() is not None:
            return True
        self.give_back()
        return False

    def give_back(self) -> None:
        """Let others have it."""
        if self._file is not None:
            self._file.close()
            self._file = None
