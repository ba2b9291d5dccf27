from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.transcode.bench import Bench

from barnhand.hub.embedded import EmbeddedHub


@pytest.fixture(scope="session")
def hub_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedHub]:
    server = EmbeddedHub(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where clips are kept that several tests use."""
    return Path(tmp_path_factory.mktemp("films"))


@pytest.fixture
def bench(hub_server: EmbeddedHub, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(hub_server.url, tmp_path)
    yield made
    made.close()
