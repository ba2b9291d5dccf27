"""What ``barnhand check`` does: hold the files against the rows, mend what can be mended, look again."""

from collections.abc import Iterator
from dataclasses import dataclass

from barnhand.app.folder import DataFolder
from barnhand.core.time import SECOND_US, Clock
from barnhand.recorder import check as files
from barnhand.recorder.rows import Rows
from barnhand.store import check as rows
from barnhand.store.database import Database
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer

ON_THEIR_WAY_US = 120 * SECOND_US
"""While BarnHand runs, chunks younger than this are left out: they may be open, and their rows on the way."""


@dataclass(frozen=True)
class Line:
    """One thing that was wrong: what, where, and what was done or ``None`` when nothing could be."""

    what: str
    where: str
    done: str | None


def check(folder: DataFolder, store: Store, database: Database, clock: Clock, *, running: bool, mend: bool) -> Iterator[Line]:
    """Every broken invariant. With ``mend`` those that can be are mended; the rows for that go through the spool too."""
    writer = Writer(folder.spool, database.engine, clock)
    if not running:
        while writer.step():
            pass
    until_us = clock.wall_us() - ON_THEIR_WAY_US if running else clock.wall_us()
    spool = Spool(folder.spool)
    sink = Rows(spool)
    found = files.check(folder.recordings, (stored.chunk for stored in rows.chunk_rows(store)), until_us=until_us)
    for finding in list(found):
        done = None
        if mend and finding.act is not None:
            finding.act(sink)
            done = finding.mend
        yield Line(f"{finding.problem.value} ({finding.detail})", finding.path, done)
    spool.close()
    if not running:
        while writer.step():
            pass
    for row in rows.findings(database):
        yield Line(f"rows: {row.sentence}", row.stream_id, None)
