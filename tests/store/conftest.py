from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from barnhand.core.time import FakeClock
from barnhand.store.database import connect
from barnhand.store.secrets import SecretBox
from barnhand.store.store import Store

NOON_US = 1_795_608_000_000_000
"""2026-11-25T12:00:00Z, a full hour."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON_US)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = connect(database_url)
    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine, clock: FakeClock, tmp_path: Path) -> Store:
    return Store(engine, SecretBox.open(tmp_path / "secrets"), clock)
