"""ISO base media boxes (ISO/IEC 14496-12): building and walking them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """Where a box lies in a buffer: it starts at ``start``, its content at ``body``, the next box at ``end``."""

    kind: bytes
    start: int
    body: int
    end: int


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box with its 32-bit length."""
    size = 8 + sum(map(len, parts))
    return struct.pack(">I4s", size, kind) + b"".join(parts)


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version (8 bits) and flags (24 bits)."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes of ``data[start:end]``, one level, in order.

    A box that claims to reach past the end, or whose length is smaller than its own header, ends the walk.
    """
    stop = len(data) if end is None else end
    while start + 8 <= stop:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1 and start + 16 <= stop:
            size = struct.unpack_from(">Q", data, start + 8)[0]
            body = start + 16
        if size < body - start or start + size > stop:
            return
        yield Box(kind, start, body, start + size)
        start += size


def find(data: bytes, path: str, start: int = 0, end: int | None = None) -> Box | None:
    """The first box at a path such as ``moov/trak/mdia``, or ``None``."""
    name, _, rest = path.partition("/")
    for item in walk(data, start, end):
        if item.kind == name.encode("ascii"):
            if not rest:
                return item
            inner = find(data, rest, item.body, item.end)
            if inner is not None:
                return inner
    return None
