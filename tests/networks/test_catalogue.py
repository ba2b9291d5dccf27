import re

import pytest

from barnhand.core.errors import NotFoundError
from barnhand.core.skeleton import load_skeleton
from barnhand.networks.adapter import Task
from barnhand.networks.catalogue import Entry, find, load_catalogue
from barnhand.networks.digest import sha256_of
from barnhand.networks.families import FAMILIES
from barnhand.networks.shelf import DEFAULTS, Shelf

CATALOGUE = load_catalogue()
EACH = pytest.mark.parametrize("entry", CATALOGUE, ids=[entry.name for entry in CATALOGUE])


@EACH
def test_an_entry_is_of_a_family_that_can_be_run(entry: Entry) -> None:
    families = {family.family: family.task for family in FAMILIES}
    assert families[entry.family] is entry.task


@EACH
def test_an_entry_says_whose_it_is(entry: Entry) -> None:
    assert entry.licence
    assert entry.author
    assert entry.page


@EACH
def test_what_can_be_pulled_can_be_checked(entry: Entry) -> None:
    if entry.url is None:
        assert entry.embedded or entry.howto
        return
    assert entry.url.startswith("https://")
    assert entry.size
    assert re.fullmatch("[0-9a-f]{64}", entry.sha256 or "")
    if entry.member:
        assert re.fullmatch("[0-9a-f]{64}", entry.download_sha256 or "")
        assert entry.download_size


@EACH
def test_a_pose_network_names_its_skeleton(entry: Entry) -> None:
    if entry.task is Task.POSE:
        assert len(load_skeleton(entry.skeleton or ""))


@EACH
def test_figures_say_who_measured_them(entry: Entry) -> None:
    for figure in entry.measured:
        assert figure.on
        assert figure.by == "published" or figure.by.startswith("make ")


def test_names_are_used_once() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize(
    ("name", "asks"),
    [("yolo11n", True), ("yolov8n", True), ("yolov5n", True), ("megadescriptor-t-224", True), ("yolox-nano", False)],
)
def test_licences_with_conditions_are_asked_about(name: str, asks: bool) -> None:
    assert find(CATALOGUE, name).asks is asks


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match=r"no network 'horsey'; it has horse-detector, .*yolox-nano"):
        find(CATALOGUE, "horsey")


def test_the_embedded_networks_are_the_ones_in_use() -> None:
    assert {entry.task: entry.name for entry in CATALOGUE if entry.embedded} == DEFAULTS


@pytest.mark.parametrize("name", DEFAULTS.values())
def test_an_embedded_network_is_the_one_the_catalogue_means(name: str) -> None:
    shelf = Shelf()
    if name not in {card.name for card in shelf.cards()}:
        pytest.skip(f"{name}.onnx is not in this checkout")
    entry = find(CATALOGUE, name)
    with shelf.file(name) as path:
        network = shelf.open(entry.task, name)
        found = sha256_of(path), path.stat().st_size, network.family
    assert found == (entry.sha256, entry.size, entry.family), "write it down with `python -m benchmarks.networks --hashes`"
    assert network.session.signature.metadata["licence"].startswith(entry.licence)


def test_the_embedded_networks_are_small() -> None:
    assert sum(card.size for card in Shelf().cards()) <= 12e6
