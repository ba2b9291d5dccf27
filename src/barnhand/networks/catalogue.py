"""The networks BarnHand knows by name, read from ``catalogue.json``.

``by`` of a figure is ``published`` (its authors say so) or the command that measured it. Hashes are of the ONNX file;
where it comes inside an archive, ``download_sha256`` is the archive's and ``member`` names the file in it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from barnhand.core.errors import NotFoundError
from barnhand.networks.adapter import Task

COPYLEFT = ("AGPL", "GPL")
"""Beginnings of licences that must be read before a network is pulled: they reach what is built with it."""


@dataclass(frozen=True)
class Figure:
    """One measured or published number."""

    what: str
    value: float
    on: str
    by: str


@dataclass(frozen=True)
class Entry:
    """One network of the catalogue; ``url`` is ``None`` when it is embedded or published in another format (``howto``)."""

    name: str
    family: str
    task: Task
    licence: str
    author: str
    page: str
    input: str
    about: str
    embedded: bool = False
    url: str | None = None
    sha256: str | None = None
    size: int | None = None
    member: str | None = None
    download_sha256: str | None = None
    download_size: int | None = None
    skeleton: str | None = None
    howto: str | None = None
    measured: tuple[Figure, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether the licence has to be accepted before it is pulled."""
        return self.licence.startswith(COPYLEFT) or "-NC" in self.licence

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Entry":
        """Read one entry. Raises ``TypeError`` or ``ValueError`` on a field that is missing or unknown."""
        figures = tuple(Figure(**figure) for figure in data.get("measured", ()))
        return cls(**{**data, "task": Task(data["task"]), "measured": figures})


def load_catalogue() -> Sequence[Entry]:
    """The catalogue that ships with BarnHand."""
    text = (resources.files("barnhand.networks") / "catalogue.json").read_text("utf-8")
    return tuple(Entry.from_dict(data) for data in json.loads(text))


def find(catalogue: Sequence[Entry], name: str) -> Entry:
    """The entry of that name. Raises ``NotFoundError``."""
    for entry in catalogue:
        if entry.name == name:
            return entry
    raise NotFoundError(f"the catalogue has no network {name!r}; it has {', '.join(entry.name for entry in catalogue)}")
