"""One BarnHand and its cameras for all tests of the flow: real processes, as a stable runs them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.yard import Cameras, Yard, until

from barnhand.demo import films


@pytest.fixture(scope="session")
def cameras() -> Iterator[Cameras]:
    cameras = Cameras({film.name: film.video for film in films()})
    cameras.start()
    yield cameras
    cameras.stop()


@pytest.fixture(scope="session")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    folder = Path(tmp_path_factory.mktemp("flow", numbered=True)) / "data"
    # PostgreSQL's own user has to get through to its data.
    for parent in (folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    with Yard(folder, {"BARNHAND_ANALYSTS": "1", "BARNHAND_MIN_FREE_GB": "0"}) as yard:
        yield yard


@pytest.fixture(scope="session")
def paddock(yard: Yard, cameras: Cameras) -> str:
    """A camera on which horses are always to be seen, recorded and analysed."""
    stream_id = yard.add("Paddock", cameras.url("paddock"))
    until(lambda: yard.chunks(stream_id), 30, "the first chunk has a row")
    return stream_id
