"""A small file beside a stream's recordings: what a recorder that starts again has to know, with no database at hand."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from barnhand.core.chunk import Chunk, Gap
from barnhand.core.stream import Cause

NAME = "recorder.json"


@dataclass(frozen=True)
class Journal:
    """``end_us``/``end_pts``: where the recording ends; ``run``: the last one; ``open``: the chunk being written; ``gap``:
    the gap that lasts.
    """

    end_us: int = 0
    end_pts: int = 0
    run: int = 0
    open: Chunk | None = None
    gap: Gap | None = None

    def ended(self, chunk: Chunk) -> "Journal":
        """After a chunk was closed."""
        return replace(self, end_us=chunk.end_us, end_pts=chunk.end_pts, run=chunk.run, open=None)


def load_journal(folder: Path) -> Journal:
    """The journal of a stream's folder; an empty one when there is none or it cannot be read."""
    try:
        data = json.loads((folder / NAME).read_text("utf-8"))
        gap = data["gap"]
        return Journal(
            int(data["end_us"]),
            int(data["end_pts"]),
            int(data["run"]),
            Chunk(**data["open"]) if data["open"] else None,
            Gap(**{**gap, "cause": Cause(gap["cause"])}) if gap else None,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Journal()


def save_journal(folder: Path, journal: Journal) -> None:
    """Replace the journal in one step. Raises ``OSError`` when the disk takes no more."""
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(asdict(journal), separators=(",", ":"))
    draft = folder / f".{NAME}.new"
    try:
        draft.write_text(data, "utf-8")
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    draft.replace(folder / NAME)
