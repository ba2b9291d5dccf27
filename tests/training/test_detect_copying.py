"""A copy with hard-swish comes nearer to the network it copies, and goes on where it stopped."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from training.detect.augment import Scene
from training.detect.compose import Batch, collate
from training.detect.copying import (
    Copier,
    Copying,
    both_ways,
    corrected,
    differences,
    is_taught,
    mixed,
    opposite,
    tapped,
    train,
)
from training.detect.data import Library, Picture
from training.detect.network import CLASSES, HORSE, STRETCH, STRIDES, Nano, harden, is_hard
from training.detect.parity import drawing
from training.detect.train import blend, load_average, loaded

torch.set_num_threads(1)


def soft() -> Nano:
    torch.manual_seed(9)
    return Nano(len(CLASSES), width=8)


def pixels(size: int = 96) -> torch.Tensor:
    first = drawing(size)
    return torch.from_numpy(np.stack([first, first[:, ::-1]]).transpose(0, 3, 1, 2).copy())


def scenes(horses: int, doubts: int = 0) -> Batch:
    """Twice the picture, each with that many horses and regions to ignore."""
    box = np.array([[20, 30, 70, 80]], np.float32)
    scene = Scene(drawing(96), box[:horses].copy(), np.full(horses, HORSE), box[:doubts].copy())
    return collate([scene, scene])


def shown() -> Batch:
    """A batch whose picture may hold anything."""
    return replace(scenes(horses=0, doubts=1), pixels=pixels())


def apart(copier: Copier) -> float:
    with torch.no_grad():
        x = pixels().float()
        wanted = copier.teacher(x)
        return float(differences(copier.network(x), wanted, copier.features, copier.theirs).features)


def test_the_copy_comes_nearer() -> None:
    copier = Copier(soft(), Copying(steps=60, rate=2e-3))
    before = apart(copier)
    for _ in range(40):
        copier.learn(shown())
    assert apart(copier) < 0.9 * before


def test_the_features_of_a_perfect_copy_are_no_distance_apart() -> None:
    network = soft()
    own, theirs = tapped(network), {}
    with torch.no_grad():
        out = network(pixels().float())
        theirs = {name: value / STRETCH for name, value in own.items()}
        assert float(differences(out, out, own, theirs).features) < 1e-9


def test_mirrored_cells_trade_places() -> None:
    rows = opposite(64, 96)
    assert len(rows) == sum((64 // stride) * (96 // stride) for stride in STRIDES)
    assert rows[:12].tolist() == list(range(11, -1, -1)), "the first row of the finest stride"
    assert torch.equal(rows[rows], torch.arange(len(rows)))


def test_both_ways_says_of_a_mirrored_picture_the_mirror_image() -> None:
    network, x = soft(), pixels().float()[:1]
    with torch.no_grad():
        straight, mirrored = both_ways(network, x), both_ways(network, x.flip(3))
        one_way = network(x)
    rows, width = opposite(96, 96), 96
    torch.testing.assert_close(mirrored.objectness[:, rows], straight.objectness)
    torch.testing.assert_close(mirrored.classes[:, rows], straight.classes)
    torch.testing.assert_close(width - mirrored.boxes[:, rows][..., [2, 0]], straight.boxes[..., [0, 2]])
    torch.testing.assert_close(mirrored.boxes[:, rows][..., [1, 3]], straight.boxes[..., [1, 3]])
    assert not torch.allclose(one_way.boxes, straight.boxes), "one look alone says something else"


def test_where_there_is_no_horse_none_is_copied() -> None:
    with torch.no_grad():
        said = soft()(pixels().float())
    said = said._replace(classes=said.classes + 6)
    assert torch.equal(corrected(said, scenes(horses=1)).classes, said.classes)
    assert torch.equal(corrected(said, scenes(horses=0, doubts=1)).classes, said.classes), "in doubt"
    told = corrected(said, scenes(horses=0))
    assert (told.classes[..., HORSE] == -5).all()
    others = [kind for kind in range(len(CLASSES)) if kind != HORSE]
    assert torch.equal(told.classes[..., others], said.classes[..., others]), "a dog is still a dog"
    assert torch.equal(told.objectness, said.objectness)


def test_labels_are_learnt() -> None:
    copier = Copier(soft(), Copying(steps=60, rate=0.5))
    first = float(copier.taught(scenes(horses=1)))
    for _ in range(30):
        last = float(copier.taught(scenes(horses=1)))
    assert last < 0.7 * first
    assert copier.step == 31


def test_every_other_batch_is_learnt_from_labels() -> None:
    assert [is_taught(number) for number in range(4)] == [False, True, False, True]


def library(folder: Path) -> Library:
    """One horse with its mask, and one picture of nothing."""
    pixels = drawing(96)
    cv2.imwrite(str(folder / "horse.png"), pixels)
    cv2.imwrite(str(folder / "mask.png"), np.pad(np.full((50, 50), 255, np.uint8), ((30, 16), (20, 26))))
    nothing, box = np.zeros((0, 4), np.float32), np.array([[20, 30, 70, 80]], np.float32)
    horse = Picture(folder / "horse.png", "silhouette", box, np.array([HORSE]), nothing, folder / "mask.png")
    empty = Picture(folder / "horse.png", "empty", nothing, np.zeros(0, np.int64), nothing)
    return Library({"silhouette": [horse], "empty": [empty]})


def test_a_run_that_was_stopped_goes_on_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.detect.copying.load", lambda *_, **__: library(tmp_path))
    recipe = Copying(steps=4, batch=2)
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = train(tmp_path, soft(), tmp_path / "whole", recipe, workers=0)
    stopped = Copier(soft(), recipe)
    for batch in list(loaded(mixed(library(tmp_path), recipe), 0, 3, 0)):
        stopped.one(batch)
    stopped.save(tmp_path / "cut" / "last.pt")
    again = train(tmp_path, soft(), tmp_path / "cut", recipe, workers=0)
    assert again.step == whole.step == 4
    for one, two in zip(whole.average.parameters(), again.average.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_an_earlier_copy_goes_on() -> None:
    recipe = Copying(steps=4)
    earlier = Copier(soft(), recipe)
    earlier.learn(shown())
    later = Copier(soft(), recipe, earlier.network)
    for one, two in zip(earlier.network.parameters(), later.network.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)
    assert is_hard(later.average)
    with pytest.raises(ValueError, match="no copy"):
        Copier(soft(), recipe, soft())


def test_a_stopped_copy_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    recipe = Copying(steps=4)
    whole, cut = Copier(soft(), recipe), Copier(soft(), recipe)
    for _ in range(4):
        whole.learn(shown())
    for _ in range(2):
        cut.learn(shown())
    cut.save(tmp_path / "last.pt")
    again = Copier(soft(), recipe)
    again.restore(tmp_path / "last.pt")
    for _ in range(2):
        again.learn(shown())
    for one, two in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_a_checkpoint_remembers_its_activation(tmp_path: Path) -> None:
    Copier(soft(), Copying()).save(tmp_path / "last.pt")
    assert is_hard(load_average(tmp_path / "last.pt"))


def test_what_is_hard_already_is_not_copied() -> None:
    network = soft()
    harden(network)
    with pytest.raises(ValueError, match="nothing to copy"):
        Copier(network, Copying())


def test_hard_and_soft_networks_have_no_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.detect.train.load_coco", lambda _: soft())
    Copier(soft(), Copying()).save(tmp_path / "hard.pt")
    with pytest.raises(ValueError, match="have no mean"):
        blend(Path("coco.onnx"), [(tmp_path / "hard.pt", 0.5)], tmp_path / "mean.pt")
    blend(Path("coco.onnx"), [(tmp_path / "hard.pt", 0.5), (tmp_path / "hard.pt", 0.5)], tmp_path / "mean.pt")
    assert is_hard(load_average(tmp_path / "mean.pt"))
