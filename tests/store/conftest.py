from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.servers import KINDS
from tests.store_rows import NOON_US

from barnhand.core.stream import SourceType
from barnhand.core.time import FakeClock
from barnhand.store.addresses import Address
from barnhand.store.database import connect
from barnhand.store.secrets import SecretBox
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer


@pytest.fixture(params=KINDS)
def server_kind(request: pytest.FixtureRequest) -> str:
    """Every test here runs on both."""
    return str(request.param)


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


@pytest.fixture
def stream(store: Store) -> str:
    """Id of a camera."""
    made = store.streams.create(name="Box 1", source_type=SourceType.RTSP, address=Address("rtsp://camera/1"))
    return made.id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def spool(folder: Path, clock: FakeClock) -> Iterator[Spool]:
    made = Spool(folder, clock=clock)
    yield made
    made.close()


@pytest.fixture
def writer(folder: Path, engine: Engine, clock: FakeClock) -> Writer:
    return Writer(folder, engine, clock)
