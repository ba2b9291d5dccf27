"""What a recorder that was killed left behind is measured and its row closed; docs/design/fragments.md, "Recovering"."""

import logging
import os
from dataclasses import replace
from pathlib import Path

from barnhand.core.chunk import Chunk
from barnhand.core.errors import DamagedMediaError
from barnhand.core.time import wall_of_pts
from barnhand.fragments.naming import chunk_id, parse_chunk_path
from barnhand.fragments.reader import Extent, measure
from barnhand.recorder.journal import Journal, load_journal, save_journal
from barnhand.recorder.rows import Rows

_LOG = logging.getLogger(__name__)


def recover(recordings: Path, stream_id: str, rows: Rows) -> Journal:
    """Close what an earlier run of this stream left open; returns the journal to go on with."""
    folder = recordings / stream_id
    journal = load_journal(folder)
    found = sorted(_left_behind(recordings, folder, journal))
    for start_us, path in found:
        known = journal.open if journal.open is not None and recordings / journal.open.path == path else None
        try:
            extent = measure(path, stream_id)
        except (FileNotFoundError, DamagedMediaError):
            extent = None
        if extent is None:
            _LOG.info("stream %s: %s holds no whole picture and is removed", stream_id, path.name)
            rows.deleted(chunk_id(stream_id, start_us))
            path.unlink(missing_ok=True)
            continue
        if extent.size > extent.bytes:
            os.truncate(path, extent.bytes)
        chunk = describe(recordings, path, extent, start_us, discontinuity=known.discontinuity if known else True)
        rows.chunk(chunk)
        journal = journal.ended(chunk)
    if journal.open is not None:
        # Its file is gone, or was none: the row must not name it.
        rows.deleted(journal.open.id)
        journal = replace(journal, open=None)
    if found:
        save_journal(folder, journal)
    return journal


def describe(recordings: Path, path: Path, extent: Extent, start_us: int, *, discontinuity: bool) -> Chunk:
    """The closed row of a chunk file, made from the file alone."""
    init = extent.init
    return Chunk(
        id=chunk_id(init.stream_id, start_us),
        stream_id=init.stream_id,
        path=str(path.relative_to(recordings)),
        run=init.run,
        start_us=start_us,
        end_us=max(wall_of_pts(extent.end_pts), start_us),
        start_pts=extent.start_pts,
        end_pts=extent.end_pts,
        bytes=extent.bytes,
        init_bytes=extent.init_bytes,
        frames=extent.frames,
        codec=init.video.codec.value,
        mime=init.mime,
        width=init.video.width,
        height=init.video.height,
        discontinuity=discontinuity,
        closed=True,
    )


def _left_behind(recordings: Path, folder: Path, journal: Journal) -> "set[tuple[int, Path]]":
    """The file named open, and those of the newest day that begin after the journal's end: a crash may come before it."""
    found: set[tuple[int, Path]] = set()
    if journal.open is not None and (recordings / journal.open.path).is_file():
        found.add((journal.open.start_us, recordings / journal.open.path))
    days = sorted((day for day in folder.iterdir() if day.is_dir()), reverse=True)[:2] if folder.is_dir() else []
    later = set()
    for day in days:
        for path in day.iterdir():
            named = parse_chunk_path(str(path.relative_to(recordings)))
            if named is not None and named[1] >= journal.end_us:
                later.add((named[1], path))
    # Without a journal only the newest file can be unfinished; the others have their rows or are found by the check.
    return found | (later if journal.end_us else set(sorted(later)[-1:]))
