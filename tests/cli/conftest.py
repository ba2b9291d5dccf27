import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.networks import known

from barnhand.cli import main
from barnhand.networks.shelf import Shelf


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        return self.err.splitlines()


Run = Callable[..., Ran]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own; no other setting from outside."""
    for name in [name for name in os.environ if name.startswith("BARNHAND_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "data"
    monkeypatch.setenv("BARNHAND_DATA", str(folder))
    return folder


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def call(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        code = left.value.code
        return Ran(0 if code is None else int(code), said.out, said.err)

    return call


@pytest.fixture
def shelf(data: Path, tmp_path: Path) -> Shelf:
    """Networks in use that find the blue blob and the blue and red discs."""
    shelf = Shelf(data / "models")
    shelf.add(known.barnhand_detector(tmp_path / "blue-box.onnx", side=128))
    shelf.add(known.barnhand_pose(tmp_path / "discs.onnx", side=256))
    shelf.use("blue-box")
    shelf.use("discs")
    return shelf
