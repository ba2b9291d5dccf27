"""The embedded networks answer as the fp32 torch networks they were made from did.

Beside each network lies ``NAME.parity.npz``: inputs under the input's name and torch's answers under the outputs' names,
written when the network was exported. Torch is not needed here.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from barnhand.core.errors import NotFoundError
from barnhand.networks.adapter import Network
from barnhand.networks.catalogue import find
from barnhand.networks.poses.barnhand import BarnHandPose
from barnhand.networks.poses.legs import decode
from barnhand.networks.shelf import Shelf

Arrays = dict[str, np.ndarray]


def opened(name: str) -> tuple[Network, Arrays]:
    shelf = Shelf()
    try:
        with shelf.file(name) as path:
            parity = Path(path).with_suffix(".parity.npz")
            if not parity.is_file():
                pytest.skip(f"{parity.name} is not in this checkout")
            with np.load(parity) as arrays:
                return shelf.open(find(shelf.catalogue, name).task, name), dict(arrays)
    except NotFoundError:
        pytest.skip(f"{name}.onnx is not in this checkout")


def answers(network: Network, given: np.ndarray) -> Arrays:
    outputs = network.infer(given.astype(np.float32))
    return {spec.name: output for spec, output in zip(network.session.signature.outputs, outputs, strict=True)}


def boxes_agree(found: Arrays, torch: Arrays) -> None:
    """Scores within 0.15, 0.02 on average where torch sees anything; boxes that score within 4 px on average."""
    sure = torch["scores"] > 0.1
    apart = np.abs(found["scores"] - torch["scores"].astype(np.float32))
    assert apart.max() <= 0.15
    assert sure.any()
    assert apart[sure].mean() <= 0.05
    assert np.abs(found["boxes"] - torch["boxes"].astype(np.float32))[sure].mean() <= 4


def heat_agrees(found: Arrays, torch: Arrays) -> None:
    """A cell's probability within 0.02 everywhere and a fifth on average; correlation at least 0.97."""
    expected = torch["heatmaps"].astype(np.float32)
    assert np.abs(found["heatmaps"] - expected).max() <= 0.02
    assert np.abs(found["heatmaps"] - expected).mean() <= 0.2 * expected.mean()
    assert np.corrcoef(found["heatmaps"].ravel(), expected.ravel())[0, 1] >= 0.97


def looks_agree(found: Arrays, torch: Arrays) -> None:
    """Vectors within a cosine of 0.97 of torch's."""
    expected = torch["embedding"].astype(np.float32)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    length = np.linalg.norm(found["embedding"], axis=1)
    np.testing.assert_allclose(length, 1, atol=0.02)
    assert ((found["embedding"] * expected).sum(axis=1) / length).min() >= 0.97


def verdicts_agree(found: Arrays, torch: Arrays) -> None:
    """Logits within 1.5 of torch's, 0.6 on average, and none on the other side of nought that torch is sure of."""
    apart = np.abs(found["horse"] - torch["horse"])
    assert apart.max() <= 1.5
    assert apart.mean() <= 0.6
    sure = np.abs(torch["horse"]) > 1.5
    assert sure.any()
    assert (np.sign(found["horse"]) == np.sign(torch["horse"]))[sure].all()


AGREE: dict[str, Callable[[Arrays, Arrays], None]] = {
    "horse-detector": boxes_agree,
    "horse-verifier": verdicts_agree,
    "horse-pose": heat_agrees,
    "horse-embedder": looks_agree,
}


@pytest.mark.parametrize(("name", "agree"), AGREE.items(), ids=AGREE.keys())
def test_the_exported_network_answers_as_torch_did(name: str, agree: Callable[[Arrays, Arrays], None]) -> None:
    network, torch = opened(name)
    agree(answers(network, torch[network.session.signature.inputs[0].name]), torch)


def test_the_run_times_decoding_of_torchs_heat_gives_the_trainers_points() -> None:
    network, torch = opened("horse-pose")
    assert isinstance(network, BarnHandPose)
    points, peaks = decode(torch["heatmaps"].astype(np.float32), network.leg_pairs, network.decoding)
    # The heat is stored in half precision: two neighbouring cells may be equal there.
    np.testing.assert_allclose(points, torch["points"], atol=0.6)
    np.testing.assert_allclose(peaks, torch["peaks"], atol=1e-3)


def test_clear_points_stay_where_they_were() -> None:
    network, torch = opened("horse-pose")
    assert isinstance(network, BarnHandPose)
    heat = answers(network, torch["crops"])["heatmaps"]
    points, _ = decode(heat, network.leg_pairs, network.decoding)
    clear = torch["peaks"] > 0.5 * torch["peaks"].max()
    assert clear.any()
    assert np.linalg.norm(points - torch["points"], axis=2)[clear].max() <= 6


def test_plain_grey_is_no_horse() -> None:
    network, torch = opened("horse-pose")
    assert isinstance(network, BarnHandPose)
    _, peaks = decode(answers(network, torch["quiet"])["heatmaps"], network.leg_pairs, network.decoding)
    assert peaks.max() <= max(0.05, 2 * float(torch["quiet_peak"]))
