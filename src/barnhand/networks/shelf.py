"""The networks on this machine: those embedded in the package, and a folder of those pulled or added.

The folder (``models/`` in the data folder) holds ``NAME.onnx``, ``NAME.json`` saying what it is, and ``active.json`` naming
the network in use for each task. Without a folder, or with an empty one, the embedded networks are in use.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from barnhand.core.errors import ModelError, NotFoundError
from barnhand.networks.adapter import BoxNetwork, EmbedNetwork, Network, PoseNetwork, Task, VerifyNetwork
from barnhand.networks.catalogue import Entry, load_catalogue
from barnhand.networks.digest import sha256_of
from barnhand.networks.families import adapt
from barnhand.networks.session import Device, Session, SessionOptions

DEFAULTS = {
    Task.DETECT: "horse-detector",
    Task.POSE: "horse-pose",
    Task.EMBED: "horse-embedder",
    Task.VERIFY: "horse-verifier",
}
"""The embedded network of each task."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Card:
    """What is known of a network that is here."""

    name: str
    family: str
    task: Task
    licence: str
    sha256: str
    size: int
    source: str
    embedded: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The form of ``NAME.json``."""
        return asdict(self) | {"task": self.task.value}


@dataclass(frozen=True)
class Verdict:
    """The outcome of checking one file; ``fault`` is ``None`` when it is as it was."""

    name: str
    fault: str | None


class Shelf:
    """Finds, opens, adds and chooses networks."""

    def __init__(self, folder: Path | None = None, catalogue: Sequence[Entry] | None = None) -> None:
        """``folder`` need not exist; ``None`` means the embedded networks alone."""
        self.folder = folder
        self.catalogue = load_catalogue() if catalogue is None else catalogue

    # -- what is here

    def cards(self) -> list[Card]:
        """The networks that are here, embedded ones first, then by name."""
        embedded = [card for entry in self.catalogue if entry.embedded and (card := self._embedded_card(entry))]
        return embedded + [self._read_card(path) for path in sorted(self._here().glob("*.json")) if path.name != "active.json"]

    def card(self, name: str) -> Card:
        """The network of that name. Raises ``NotFoundError``."""
        cards = self.cards()
        for card in cards:
            if card.name == name:
                return card
        if any(entry.name == name and entry.url for entry in self.catalogue):
            raise NotFoundError(f"network {name} is not here yet; fetch it with `barnhand models pull {name}`")
        if any(entry.name == name and entry.embedded for entry in self.catalogue):
            raise NotFoundError(
                f"the network {name} that comes with BarnHand is missing from this installation; install BarnHand again, or "
                "take another with `barnhand models pull` and `barnhand models use`"
            )
        here = ", ".join(card.name for card in cards) or "none"
        raise NotFoundError(f"there is no network {name!r} here; there are: {here}")

    def active(self, task: Task) -> str:
        """Name of the network in use for a task."""
        return str(self._choices().get(task.value, DEFAULTS[task]))

    # -- changing it

    def use(self, name: str) -> Card:
        """Use a network for its task from the next start on. Raises ``NotFoundError`` when it is not here."""
        card = self.card(name)
        choices = self._choices() | {card.task.value: card.name}
        _write(self._made() / "active.json", choices)
        return card

    def add(self, file: Path, name: str | None = None, *, licence: str | None = None, source: str = "added by hand") -> Card:
        """Copy a file the user has into the folder, under its catalogue's name when its hash is known, else its own.

        Raises ``ModelError`` when it is no network of a family BarnHand runs, or when the name is taken by another file.
        """
        network = adapt(Session(file, SessionOptions(device=Device.CPU)))
        digest = sha256_of(file)
        entry = next((item for item in self.catalogue if item.sha256 == digest and not item.embedded), None)
        name = name or (entry.name if entry else _slug(file.stem))
        if not _NAME.fullmatch(name) or name == "active":
            raise ModelError(f"{name!r} cannot name a network; use small letters, digits, dots and dashes")
        taken = next((card for card in self.cards() if card.name == name), None)
        known = next((item for item in self.catalogue if item.name == name), None)
        if (taken and (taken.embedded or taken.sha256 != digest)) or (known and known.sha256 not in {None, digest}):
            raise ModelError(f"there is another network named {name}; give this one its own name with --name")
        stated = network.session.signature.metadata
        card = Card(
            name=name,
            family=network.family,
            task=network.task,
            licence=licence or (entry.licence if entry else stated.get("licence") or stated.get("license") or "unknown"),
            sha256=digest,
            size=file.stat().st_size,
            source=source,
        )
        target = self._made() / f"{name}.onnx"
        if file.resolve() != target.resolve():
            part = target.with_suffix(".onnx.part")
            shutil.copyfile(file, part)
            part.replace(target)
        _write(target.with_suffix(".json"), card.to_dict())
        return card

    def verify(self) -> list[Verdict]:
        """Hash every file again and compare it with its card, and with the catalogue where that knows the network."""
        verdicts = []
        for card in self.cards():
            entry = next((item for item in self.catalogue if item.name == card.name), None)
            fault = None
            with self.file(card.name) as path:
                if not path.is_file():
                    fault = "its file is missing"
                else:
                    digest = sha256_of(path)
                    wanted = entry.sha256 if entry and entry.sha256 else card.sha256
                    if digest != wanted:
                        fault = f"its SHA-256 is {digest[:12]}…, not {wanted[:12]}…"
            verdicts.append(Verdict(card.name, fault))
        return verdicts

    # -- opening

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """A path to read the network from, valid inside the ``with``."""
        card = self.card(name)
        if card.embedded:
            with resources.as_file(_weights() / f"{name}.onnx") as path:
                yield path
        else:
            yield self._here() / f"{name}.onnx"

    def open(self, task: Task, name: str | None = None, options: SessionOptions | None = None) -> Network:
        """Load the named network, or the one in use for the task.

        Raises ``NotFoundError`` when it is not here, ``ModelError`` when it is damaged or for another task.
        """
        with self.file(name or self.active(task)) as path:
            network = adapt(Session(path, options))
        if network.task is not task:
            raise ModelError(f"network {network.name} is for {network.task.value}, not for {task.value}")
        return network

    def detector(self, name: str | None = None, options: SessionOptions | None = None) -> BoxNetwork:
        """``open`` for the task detect."""
        network = self.open(Task.DETECT, name, options)
        assert isinstance(network, BoxNetwork)
        return network

    def pose(self, name: str | None = None, options: SessionOptions | None = None) -> PoseNetwork:
        """``open`` for the task pose."""
        network = self.open(Task.POSE, name, options)
        assert isinstance(network, PoseNetwork)
        return network

    def embedder(self, name: str | None = None, options: SessionOptions | None = None) -> EmbedNetwork:
        """``open`` for the task embed."""
        network = self.open(Task.EMBED, name, options)
        assert isinstance(network, EmbedNetwork)
        return network

    def verifier(self, name: str | None = None, options: SessionOptions | None = None) -> VerifyNetwork:
        """``open`` for the task verify."""
        network = self.open(Task.VERIFY, name, options)
        assert isinstance(network, VerifyNetwork)
        return network

    # -- inside

    def _here(self) -> Path:
        return self.folder if self.folder is not None else Path(os.devnull)

    def _made(self) -> Path:
        if self.folder is None:
            raise ModelError("there is no folder to keep networks in; set BARNHAND_DATA")
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def _choices(self) -> dict[str, Any]:
        path = self._here() / "active.json"
        if not path.is_file():
            return {}
        return _read(path)

    def _read_card(self, path: Path) -> Card:
        data = _read(path)
        try:
            return Card(**{**data, "task": Task(data["task"])})
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} does not describe a network; remove it and add the network again") from error

    def _embedded_card(self, entry: Entry) -> Card | None:
        file = _weights() / f"{entry.name}.onnx"
        if not file.is_file():
            return None
        size = entry.size or len(file.read_bytes())
        return Card(
            entry.name, entry.family, entry.task, entry.licence, entry.sha256 or "", size, "comes with BarnHand", embedded=True
        )


def _weights() -> Any:
    return resources.files("barnhand.networks") / "weights"


def _slug(stem: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", stem.lower()).strip("-.")[:64] or "network"


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); remove it and choose the networks again") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path} is not a JSON object; remove it and choose the networks again")
    return data


def _write(path: Path, data: object) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    part.replace(path)
