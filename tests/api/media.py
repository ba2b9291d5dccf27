"""Real video as a recorder would have cut it."""

import contextlib
from pathlib import Path
from typing import Any

from tests.sources.clips import KINDS, make_clip

from barnhand.core.errors import SourceError
from barnhand.core.media import Fragment, InitSegment, Packet
from barnhand.core.stream import SourceType, Stream
from barnhand.core.time import SystemClock, pts_of_wall, wall_of_pts
from barnhand.fragments.writer import FragmentWriter
from barnhand.sources.open import open_source
from barnhand.sources.options import SourceOptions


def film(
    folder: Path, stream_id: str, start_us: int, run: int = 7, *, kind: str = "plain", **changes: Any
) -> tuple[InitSegment, list[Fragment]]:
    """Two seconds, 320 × 240 at 25 pictures a second, a key frame a second, of a kind of ``tests.sources.clips``."""
    clip = folder / f"{'-'.join([kind, *map(str, changes.values())])}.mp4"
    if not clip.exists():
        make_clip(clip, **{**KINDS[kind], **changes})
    stream = Stream(stream_id, "Box 1", SourceType.FILE, str(clip), {"loop": False, "pace": False})
    fragments: list[Fragment] = []
    with open_source(stream, SourceOptions(), SystemClock()) as source:
        writer = FragmentWriter(stream_id, run, source.video, source.audio)
        init = writer.init(start_us)
        packets: list[Packet] = []
        with contextlib.suppress(SourceError):  # the end of the file
            packets.extend(source.packets())
        base = pts_of_wall(start_us)
        for packet in packets:
            pts = packet.pts + base
            fragments.append(writer.fragment(packet, pts=pts, dts=packet.dts + base, wall_us=wall_of_pts(pts)))
    return init, fragments
