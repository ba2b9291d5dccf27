"""The live WebSocket's messages, as docs/design/architecture.md writes them down."""

import struct
from enum import IntEnum

import orjson

from barnhand.core.conversion import ConversionState
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.time import pts_of_wall


class Kind(IntEnum):
    """First byte of a binary message."""

    DELTA = 0
    KEY = 1
    INIT = 2
    AUDIO = 3


_HEADER = struct.Struct(">B7xQQ")
HEADER_BYTES = _HEADER.size


def header(kind: Kind, wall_us: int, pts: int) -> bytes:
    """24 bytes: kind, 7 zero bytes, ``wall_us`` and ``pts`` as big-endian u64."""
    return _HEADER.pack(kind, wall_us, pts)


def head(init: InitSegment) -> tuple[str, bytes]:
    """What a run begins with: a text message that says what follows, then the init segment."""
    text = {
        "type": "init",
        "run": init.run,
        "mime": init.mime,
        "width": init.video.width,
        "height": init.video.height,
    }
    return orjson.dumps(text).decode(), header(Kind.INIT, init.wall_us, pts_of_wall(init.wall_us)) + init.data


def conversion(state: ConversionState) -> str:
    """The text message that says what becomes of the wish for another codec."""
    return orjson.dumps({"type": "conversion", **state.to_dict()}).decode()


def encode(fragment: Fragment) -> bytes:
    """A fragment as one binary message."""
    kind = Kind.AUDIO if not fragment.video else Kind.KEY if fragment.key else Kind.DELTA
    return header(kind, fragment.wall_us, fragment.pts) + fragment.data
