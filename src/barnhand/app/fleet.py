"""Which worker does what: one recorder and one analyst a camera, spread over this machine's processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from barnhand.app.child import Child
from barnhand.core.stream import Stream
from barnhand.core.time import Clock


def share(streams: Sequence[Stream], workers: int, before: Mapping[str, int]) -> dict[str, int]:
    """Stream id → worker: streams stay where they are, new ones go to the worker with the fewest."""
    shares = {stream.id: before[stream.id] for stream in streams if before.get(stream.id, workers) < workers}
    for stream in streams:
        if stream.id not in shares:
            load = [list(shares.values()).count(worker) for worker in range(workers)]
            shares[stream.id] = load.index(min(load))
    return shares


def instruction(streams: Sequence[Stream]) -> dict[str, Any]:
    """The streams of one worker as it is told them, passwords included: only ever sent over a pipe."""
    return {
        "streams": [
            {
                "id": stream.id,
                "name": stream.name,
                "source_type": stream.source_type.value,
                "source_url": stream.source_url,
                "config": dict(stream.config),
                "secret": stream.secret,
            }
            for stream in streams
        ]
    }


class Fleet:
    """The worker processes of this machine."""

    def __init__(self, configuration: Mapping[str, Any], logs: Path, analysts: int, clock: Clock) -> None:
        self._recorder = Child("recorder", "recorder", configuration, logs, clock)
        self._analysts = [
            Child(f"analyst-{n}", "analyst", {**configuration, "worker": n}, logs, clock) for n in range(analysts)
        ]
        self._others = [Child(role, role, configuration, logs, clock) for role in ("api", "writer", "transcoder")]
        self._shares: dict[str, int] = {}

    @property
    def children(self) -> list[Child]:
        """All of them, recorder first: nothing is more urgent than recording."""
        return [self._recorder, *self._others, *self._analysts]

    def start(self) -> None:
        """Start every process."""
        for child in self.children:
            child.start()

    def assign(self, streams: Sequence[Stream]) -> None:
        """Tell every worker which streams are its own."""
        self._recorder.instruct(instruction(streams))
        if not self._analysts:
            return
        self._shares = share(streams, len(self._analysts), self._shares)
        for number, child in enumerate(self._analysts):
            child.instruct(instruction([stream for stream in streams if self._shares[stream.id] == number]))

    def watch(self) -> None:
        """Start again what died."""
        for child in self.children:
            child.watch()

    def stop(self) -> None:
        """End all: side by side what only reads, then the recorder, then the writer, so that the last rows are written."""
        writer = next(child for child in self._others if child.name == "writer")
        readers = [child for child in self.children if child not in {writer, self._recorder}]
        for child in readers:
            child.ask_to_stop()
        for child in [*readers, self._recorder, writer]:
            child.stop()
