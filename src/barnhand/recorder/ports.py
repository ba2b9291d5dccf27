"""What the recorder needs of the world; the hub and the spool fit, and so do a test's lists."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from barnhand.core.media import Fragment, InitSegment
from barnhand.core.stream import StreamState


class Publisher(Protocol):
    """Where live pictures go; any method may raise or block, recording does not notice."""

    def publish_init(self, init: InitSegment) -> None:
        """A run begins."""

    def publish_fragments(self, fragments: Sequence[Fragment]) -> None:
        """Pictures and sound in order."""

    def publish_state(self, state: StreamState) -> None:
        """What a stream does now."""

    def publish_event(self, name: str, payload: Mapping[str, Any]) -> None:
        """Something happened."""


class RowSpool(Protocol):
    """Where rows go: durable, in order."""

    def append(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows; raises when the disk takes no more."""


class Protected(Protocol):
    """Which chunks retention leaves alone."""

    def __call__(self, path: str) -> bool:
        """Whether the chunk at this path (relative to the recordings) is to be kept."""
