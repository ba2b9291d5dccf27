"""A copy with hard-swish comes nearer to the network it copies, and goes on where it stopped."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from training.detect.copying import Copier, Copying, differences, tapped
from training.detect.network import CLASSES, STRETCH, Nano, harden, is_hard
from training.detect.parity import drawing
from training.detect.train import blend, load_average

torch.set_num_threads(1)


def soft() -> Nano:
    torch.manual_seed(9)
    return Nano(len(CLASSES), width=8)


def pixels(size: int = 96) -> torch.Tensor:
    first = drawing(size)
    return torch.from_numpy(np.stack([first, first[:, ::-1]]).transpose(0, 3, 1, 2).copy())


def apart(copier: Copier) -> float:
    with torch.no_grad():
        x = pixels().float()
        wanted = copier.teacher(x)
        return float(differences(copier.network(x), wanted, copier.features, copier.theirs).features)


def test_the_copy_comes_nearer() -> None:
    copier = Copier(soft(), Copying(steps=60, rate=2e-3))
    before = apart(copier)
    for _ in range(40):
        copier.learn(pixels())
    assert apart(copier) < 0.9 * before


def test_the_features_of_a_perfect_copy_are_no_distance_apart() -> None:
    network = soft()
    own, theirs = tapped(network), {}
    with torch.no_grad():
        out = network(pixels().float())
        theirs = {name: value / STRETCH for name, value in own.items()}
        assert float(differences(out, out, own, theirs).features) < 1e-9


def test_a_stopped_copy_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    recipe = Copying(steps=4)
    whole, cut = Copier(soft(), recipe), Copier(soft(), recipe)
    for _ in range(4):
        whole.learn(pixels())
    for _ in range(2):
        cut.learn(pixels())
    cut.save(tmp_path / "last.pt")
    again = Copier(soft(), recipe)
    again.restore(tmp_path / "last.pt")
    for _ in range(2):
        again.learn(pixels())
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
