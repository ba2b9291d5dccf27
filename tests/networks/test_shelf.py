import json
from pathlib import Path

import pytest
from tests.networks import known

from barnhand.core.errors import ModelError, NotFoundError
from barnhand.networks.adapter import Task
from barnhand.networks.catalogue import Entry
from barnhand.networks.digest import sha256_of
from barnhand.networks.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models", catalogue=())


def names(shelf: Shelf) -> list[str]:
    return [card.name for card in shelf.cards()]


def test_an_added_file_is_recognised_copied_and_can_be_opened(shelf: Shelf, tmp_path: Path) -> None:
    card = shelf.add(known.yolox(tmp_path / "My Net (1).onnx"))
    assert (card.name, card.family, card.task) == ("my-net-1", "yolox", Task.DETECT)
    (tmp_path / "My Net (1).onnx").unlink()
    assert names(shelf) == ["my-net-1"]
    assert shelf.detector("my-net-1").family == "yolox"


def test_adding_a_file_twice_is_adding_it_once(shelf: Shelf, tmp_path: Path) -> None:
    file = known.yolox(tmp_path / "net.onnx")
    assert shelf.add(file) == shelf.add(file)
    assert names(shelf) == ["net"]


def test_a_file_in_the_catalogue_gets_its_name_and_licence(tmp_path: Path) -> None:
    file = known.yolox(tmp_path / "download (3).onnx")
    entry = Entry("famous", "yolox", Task.DETECT, "Apache-2.0", "Megvii", "page", "64", "about", sha256=sha256_of(file))
    card = Shelf(tmp_path / "models", [entry]).add(file)
    assert (card.name, card.licence) == ("famous", "Apache-2.0")


def test_a_file_says_its_own_licence(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.add(known.barnhand_detector(tmp_path / "a.onnx")).licence == "MIT"
    assert shelf.add(known.yolox(tmp_path / "b.onnx")).licence == "unknown"


def test_another_file_of_the_same_name_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(known.yolox(tmp_path / "net.onnx"))
    (tmp_path / "other").mkdir()
    with pytest.raises(ModelError, match="another network named net; give this one its own name with --name"):
        shelf.add(known.yolov5(tmp_path / "other" / "net.onnx"))
    assert shelf.detector("net").family == "yolox"


def test_a_catalogues_name_is_kept_for_its_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="another network named yolox-nano"):
        Shelf(tmp_path / "models").add(known.yolox(tmp_path / "yolox-nano.onnx"))
    assert Shelf(tmp_path / "models").add(known.yolox(tmp_path / "yolox-nano.onnx"), "mine").name == "mine"


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "A", "active", "-x", ".hidden"])
def test_a_name_that_is_no_name_is_refused(shelf: Shelf, tmp_path: Path, name: str) -> None:
    file = known.yolox(tmp_path / "net.onnx")
    if name == "":
        assert shelf.add(file, name).name == "net"
        return
    with pytest.raises(ModelError, match="cannot name a network"):
        shelf.add(file, name)


def test_what_is_no_network_is_not_added(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "photo.onnx").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ModelError, match="damaged or not an ONNX network"):
        shelf.add(tmp_path / "photo.onnx")
    with pytest.raises(ModelError, match="of no family"):
        shelf.add(known.stranger(tmp_path / "odd.onnx"))
    with pytest.raises(ModelError, match="no network at"):
        shelf.add(tmp_path / "nothing.onnx")
    assert names(shelf) == []


def test_the_chosen_network_is_the_one_opened(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(known.yolox(tmp_path / "one.onnx"))
    shelf.add(known.ssdlite(tmp_path / "two.onnx"))
    shelf.add(known.rtmpose(tmp_path / "three.onnx"))
    shelf.use("two")
    shelf.use("three")
    again = Shelf(shelf.folder, catalogue=())
    assert again.active(Task.DETECT) == "two"
    assert again.detector().family == "ssdlite"
    assert again.pose().family == "rtmpose"
    assert again.active(Task.EMBED) == "horse-embedder"


def test_a_network_for_another_task_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(known.rtmpose(tmp_path / "net.onnx"))
    with pytest.raises(ModelError, match="network net is for pose, not for detect"):
        shelf.detector("net")


def test_what_is_not_here_says_what_is(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no network 'net' here; there are: none"):
        shelf.use("net")
    shelf.add(known.yolox(tmp_path / "one.onnx"))
    with pytest.raises(NotFoundError, match="there are: one"):
        shelf.detector("net")


def test_what_could_be_pulled_says_how(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="fetch it with `barnhand models pull yolo11n`"):
        Shelf(tmp_path).use("yolo11n")


def test_verify_finds_what_changed_or_went(shelf: Shelf, tmp_path: Path) -> None:
    for name in ("good", "bent", "gone"):
        shelf.add(known.yolox(tmp_path / f"{name}.onnx", batch={"good": 1, "bent": 2, "gone": 3}[name]))
    assert shelf.folder is not None
    bent = shelf.folder / "bent.onnx"
    bent.write_bytes(bent.read_bytes()[:-1] + b"?")
    (shelf.folder / "gone.onnx").unlink()
    faults = {verdict.name: verdict.fault for verdict in shelf.verify()}
    assert faults["good"] is None
    assert "SHA-256" in (faults["bent"] or "")
    assert faults["gone"] == "its file is missing"


def test_a_damaged_folder_says_what_to_do(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(known.yolox(tmp_path / "net.onnx"))
    assert shelf.folder is not None
    (shelf.folder / "net.json").write_text(json.dumps({"name": "net"}))
    with pytest.raises(ModelError, match="does not describe a network; remove it and add the network again"):
        shelf.cards()
    (shelf.folder / "active.json").write_text("{")
    with pytest.raises(ModelError, match="choose the networks again"):
        shelf.active(Task.DETECT)


def test_without_a_folder_only_the_embedded_networks_are_there(tmp_path: Path) -> None:
    shelf = Shelf()
    assert all(card.embedded for card in shelf.cards())
    with pytest.raises(ModelError, match="set BARNHAND_DATA"):
        shelf.add(known.yolox(tmp_path / "net.onnx"))
