"""The chunks that wait to be analysed, as an analyst sees them."""

from barnhand.core.chunk import Chunk, ChunkState
from barnhand.store.chunks import Chunks
from barnhand.store.spool import Spool


class AnalysisQueue:
    """Reads what is pending from the database; says how it ended through the spool, so that no verdict is lost."""

    def __init__(self, chunks: Chunks, spool: Spool) -> None:
        self._chunks = chunks
        self._spool = spool

    def pending(self, limit: int) -> list[Chunk]:
        """Closed chunks, oldest first, that are pending or failed fewer than three times.

        Raises ``StoreError`` while the database is away.
        """
        return [stored.chunk for stored in self._chunks.pending(limit)]

    def mark(self, chunk_id: str, state: ChunkState, cause: str | None) -> None:
        """Say how the analysis of a chunk ended; a cause goes with a failure. Raises ``SpaceError`` on a full disk."""
        self._spool.append("chunk_analysed", [{"id": chunk_id, "state": state.value, "cause": cause}])
