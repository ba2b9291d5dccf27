"""Where one reader is in one stream's fragments: which entries it may have, and what it missed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from barnhand.core.media import Fragment, InitSegment
from barnhand.hub.keys import Entry, read_fragment, read_init

Rows = Sequence[tuple[bytes, Entry]]


@dataclass
class LiveCursor:
    """A reader's place in ``live:{stream}``.

    A reader starts at the newest key-frame group and gets whole groups only: where trimming took entries it had not read
    (it was too slow), it goes on from the next key frame.
    """

    stream_id: str
    last_id: bytes = b"0"
    _run: int | None = field(default=None, repr=False)
    _sequence: int = field(default=-1, repr=False)
    _waiting: bool = field(default=True, repr=False)

    def join(self, init: Entry, rows: Rows) -> "list[InitSegment | Fragment]":
        """Start over at the newest group: ``init`` is the hash beside the stream, ``rows`` all entries held now."""
        self._waiting = True
        if rows:
            self.last_id = rows[-1][0]
        if not init:
            return []
        segment = read_init(self.stream_id, init)
        self._run = segment.run
        start = len(rows)
        for index in range(len(rows) - 1, -1, -1):
            fields = rows[index][1]
            if b"i" in fields or int(fields[b"r"]) != segment.run:
                break
            if int(fields[b"f"]) == 3:
                start = index
                break
        return [segment, *self._fragments(rows[start:])]

    def advance(self, rows: Rows) -> "list[InitSegment | Fragment]":
        """Entries that came after ``last_id``."""
        if rows:
            self.last_id = rows[-1][0]
        return list(self._fragments(rows))

    def _fragments(self, rows: Rows) -> "Iterable[InitSegment | Fragment]":
        for _, fields in rows:
            if b"i" in fields:
                segment = read_init(self.stream_id, fields)
                if segment.run == self._run:
                    continue  # said again, should the hub be a new one; this reader has it
                self._run, self._sequence, self._waiting = segment.run, -1, True
                yield segment
                continue
            fragment = read_fragment(self.stream_id, fields)
            if fragment.run != self._run:
                continue
            sequence = int(fields[b"s"])
            if not self._waiting and sequence != self._sequence + 1:
                self._waiting = True
            self._sequence = sequence
            if self._waiting and not (fragment.video and fragment.key):
                continue
            self._waiting = False
            yield fragment
