"""Int8 weights whose products fit into 16 bits, whatever the processor."""

from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("torch")

import torch
from onnx import numpy_helper
from torch import nn
from training.common.export import export_fp32, open_session, quantise_int8
from training.common.narrow import LIMIT, halved, narrow, saturating

WEIGHTS = Path("src/barnhand/networks/weights")


def rows(*values: list[int]) -> np.ndarray:
    return np.array(values, np.int8)


SUMS = [
    ([64, 64, 0, 0], False),
    ([65, 64, 0, 0], True),
    ([-65, -64, 0, 0], True),
    ([127, -127, 127, -127], False),  # activations are never negative: unlike signs do not add up
    ([0, 127, 127, 0], False),  # pairs are (0, 1) and (2, 3)
    ([0, 0, 127], False),
]


@pytest.mark.parametrize(("values", "leaves"), SUMS)
def test_neighbours_that_leave_16_bits_are_seen(values: list[int], leaves: bool) -> None:
    assert saturating(rows(values), 0).tolist() == [leaves]
    assert saturating(rows(values).T, 1).tolist() == [leaves]


def test_of_a_convolution_input_channels_are_neighbours() -> None:
    weights = np.zeros((1, 2, 1, 2), np.int8)
    weights[0, :, 0, 0] = 100
    assert saturating(weights, 0).tolist() == [True]
    assert saturating(np.ascontiguousarray(weights.transpose(0, 3, 2, 1)), 0).tolist() == [False]


class Bright(nn.Module):
    """All weights alike: on a bright picture every product is as large as can be."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Conv2d(16, 8, 1)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8)
        for part in (self.dense, self.depthwise):
            nn.init.constant_(part.weight, 0.5)
            nn.init.constant_(part.bias, 0.25)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.depthwise(torch.relu(self.dense(x)))


@pytest.fixture
def quantised(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    x = torch.rand(4, 16, 8, 8)
    x[0] = 1.0
    export_fp32(Bright(), x, tmp_path / "fp32.onnx", input_name="x", output_names=("y",))
    quantise_int8(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", input_name="x", batches=[x.numpy()])
    return tmp_path / "int8.onnx"


def test_a_quantised_network_is_right_where_all_products_are_large(quantised: Path) -> None:
    x = np.ones((1, 16, 8, 8), np.float32)
    (found,) = open_session(quantised).run(None, {"x": x})
    with torch.no_grad():
        expected = Bright()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_halving_keeps_the_sum_of_each_output() -> None:
    values = np.arange(-63, 64, dtype=np.int8).reshape(1, -1).repeat(2, 0)
    values[1] = 5
    half = halved(values, 0).astype(np.int64)
    assert (np.abs(2 * half.sum(1) - values.astype(np.int64).sum(1)) <= 1).all()
    assert (np.abs(2 * half - values) <= 1).all()


def test_narrowing_twice_changes_nothing(quantised: Path) -> None:
    before = quantised.read_bytes()
    assert narrow(quantised) == 0
    assert quantised.read_bytes() == before


def test_depthwise_weights_keep_their_bits(quantised: Path) -> None:
    stored = [numpy_helper.to_array(t) for t in onnx.load(str(quantised)).graph.initializer]
    largest = {a.shape: int(np.abs(a.astype(np.int16)).max()) for a in stored if a.dtype == np.int8 and a.ndim == 4}
    assert largest[(8, 1, 3, 3)] == 127
    assert largest[(8, 16, 1, 1)] * 2 <= LIMIT


@pytest.mark.parametrize("name", ["horse-detector", "horse-verifier", "horse-pose", "horse-embedder"])
def test_the_embedded_int8_networks_are_narrow(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "net.onnx"
    copy.write_bytes((WEIGHTS / f"{name}.onnx").read_bytes())
    assert narrow(copy) == 0
