import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.networks import known
from tests.networks.servers import FileServer, Proxy, serving

from barnhand.networks.adapter import Task
from barnhand.networks.catalogue import Entry
from barnhand.networks.shelf import Shelf


def test_list_shows_what_is_known_and_what_is_here(run: Run, tmp_path: Path, shelf: Shelf) -> None:
    ran = run("models", "list")
    assert ran.code == 0
    lines = {line.replace("*", " ").split()[0]: line for line in ran.out.splitlines()[1:]}
    assert lines["yolo11n"].split()[-2:] == ["to", "pull"]
    assert "AGPL-3.0" in lines["yolo11n"]
    assert lines["megadescriptor-t-224"].endswith("to export")
    assert lines["blue-box"].lstrip().startswith("*")
    assert "horse-pose" in lines


def test_details_say_where_each_is_from_and_what_it_was_measured_at(run: Run) -> None:
    out = run("models", "list", "--details").out
    assert "AP 0.5:0.95 0.258 on COCO val2017, all classes (published)" in out
    assert "SHA-256 c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d" in out
    assert "skeleton ap10k-17" in out


def test_add_use_verify(run: Run, tmp_path: Path, data: Path) -> None:
    file = known.yolox(tmp_path / "Mine.onnx")
    added = run("models", "add", file)
    assert added.out.splitlines()[0].startswith("mine: a yolox network for detect (")
    assert run("models", "use", "mine").out == "mine is now in use for detect\n"
    assert "mine: as it should be" in run("models", "verify").out
    (data / "models" / "mine.onnx").write_bytes(b"bent")
    ran = run("models", "verify")
    assert ran.code == 1
    assert "network mine: its SHA-256 is" in ran.err


MISTAKES = {
    "use what is not here": (["use", "yolo11n"], "fetch it with `barnhand models pull yolo11n`"),
    "add what is no network": (["add", "{junk}"], "is damaged or not an ONNX network"),
    "add what is not there": (["add", "/nothing.onnx"], "there is no network at /nothing.onnx"),
    "pull what is unknown": (["pull", "horsey"], "the catalogue has no network 'horsey'"),
    "pull what is embedded": (["pull", "horse-detector"], "comes with BarnHand"),
    "pull what is no ONNX": (["pull", "megadescriptor-t-224"], "cannot be pulled: it is published as PyTorch weights"),
    "pull AGPL without a word": (["pull", "yolo11n"], "to take its licence as read, add --accept-licence"),
    "a proxy that is none": (["pull", "yolox-nano", "--proxy", "gopher://x"], "the proxy address cannot be used"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_a_sentence(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    ran = run("models", *[argument.format(junk=tmp_path / "junk.onnx") for argument in arguments])
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "tuple[list[Entry], bytes]":
    """A catalogue of one AGPL network; the list is read anew by each command."""
    content = known.yolox(tmp_path / "source.onnx").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    entries = [
        Entry("net", "yolox", Task.DETECT, "AGPL-3.0", "Somebody", "page", "64", "about", sha256=digest, size=len(content))
    ]
    monkeypatch.setattr("barnhand.networks.shelf.load_catalogue", lambda: tuple(entries))
    return entries, content


def at(catalogue: "tuple[list[Entry], bytes]", url: str) -> None:
    (entry,) = catalogue[0]
    catalogue[0][:] = [Entry(**{**asdict(entry), "url": f"{url}/net.onnx", "measured": ()})]


def test_pull_says_the_licence_and_fetches_when_it_is_accepted(
    run: Run, data: Path, catalogue: "tuple[list[Entry], bytes]"
) -> None:
    with serving(FileServer(catalogue[1], [1000])) as server:
        at(catalogue, server.url)
        refused = run("models", "pull", "net")
        assert refused.code == 2
        assert "net by Somebody is licensed under AGPL-3.0" in refused.err
        assert server.requests == []
        ran = run("models", "pull", "net", "--accept-licence")
    assert ran.code == 0
    assert ran.out.startswith("net is here (")
    assert json.loads((data / "models" / "net.json").read_text())["licence"] == "AGPL-3.0"


def test_pull_goes_through_a_proxy(run: Run, catalogue: "tuple[list[Entry], bytes]") -> None:
    with serving(FileServer(catalogue[1])) as server, serving(Proxy()) as proxy:
        at(catalogue, server.url)
        assert run("models", "pull", "net", "--accept-licence", "--proxy", proxy.url).code == 0
        assert len(proxy.seen) == 1


def test_pull_refuses_a_changed_file(run: Run, data: Path, catalogue: "tuple[list[Entry], bytes]") -> None:
    with serving(FileServer(b"?" * len(catalogue[1]))) as server:
        at(catalogue, server.url)
        ran = run("models", "pull", "net", "--accept-licence")
    assert ran.code == 2
    assert "is not the file the catalogue means" in ran.err
    assert list((data / "models").iterdir()) == []
