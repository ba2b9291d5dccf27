"""The contract's events of a chunk, on a real hub."""

from pathlib import Path

import pytest

from barnhand.app.verdicts import tell_verdicts
from barnhand.core.chunk import ChunkState
from barnhand.hub.embedded import EmbeddedHub
from barnhand.hub.hub import Hub
from barnhand.store.writer import Verdict

GOOD = Verdict("c1", "box", 10, 20, ChunkState.ANALYSED, None)
BAD = Verdict("c2", "box", 20, 30, ChunkState.FAILED, "a cut file")


def test_a_chunk_is_processed_and_ready_unless_it_failed(tmp_path: Path) -> None:
    server = EmbeddedHub(tmp_path)
    server.start()
    hub = Hub(server.url)
    try:
        events = hub.events()
        events.read(block_ms=1)
        tell_verdicts(hub, [GOOD, BAD])
        told = [(name, payload["id"], payload["stream_id"], payload["state"]) for name, payload in events.read(block_ms=1000)]
    finally:
        hub.close()
        server.stop()
    assert told == [
        ("chunk:processed", "c1", "box", "analysed"),
        ("chunk:ready", "c1", "box", "analysed"),
        ("chunk:processed", "c2", "box", "failed"),
    ]


def test_a_hub_that_is_away_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub("redis://127.0.0.1:1")
    caplog.set_level("DEBUG", "barnhand.app.verdicts")
    tell_verdicts(hub, [GOOD])
    hub.close()
    assert "was not told" in caplog.text
