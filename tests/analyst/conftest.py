from collections.abc import Iterator
from pathlib import Path

import pytest

from barnhand.hub.embedded import EmbeddedHub


@pytest.fixture(scope="session")
def hub_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedHub]:
    server = EmbeddedHub(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()
