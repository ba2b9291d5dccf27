"""A network in bytes rounds as its int8 file does, learns what rounding cost, and comes back from its file."""

import copy
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest

pytest.importorskip("torch")

import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as fn
from training.common.export import export_fp32, open_session
from training.common.narrow import saturating
from training.detect.augment import Scene
from training.detect.compose import Batch, collate
from training.detect.data import Library, Picture
from training.detect.detector import Suppression
from training.detect.export import Calibration, Deployed, export
from training.detect.integers import (
    Bytes,
    ByteSwish,
    in_bytes,
    inner_convs,
    prepare,
    ranges,
    rounded_weights,
    settle,
    weight_steps,
)
from training.detect.network import CLASSES, HORSE, Nano, harden, set_hard
from training.detect.parity import drawing
from training.detect.ranges import best_range, best_swish, choose, in_bytes_of
from training.detect.recover import load_deployed
from training.detect.store import keep_bytes
from training.detect.train import blend, load_average

import barnhand

torch.set_num_threads(1)

SHIPPED = Path(barnhand.__file__).parent / "networks" / "weights" / "horse-detector.onnx"


def hard() -> Nano:
    """A network of random weights, scaled one by one so that what goes into each activation is about 1.5 in size."""
    torch.manual_seed(9)
    network = Nano(len(CLASSES), width=8).eval()
    harden(network)

    def scale(conv: nn.Conv2d, _: object, out: torch.Tensor) -> torch.Tensor:
        share = 1.5 / float(out.std())
        conv.weight *= share
        conv.bias *= share  # type: ignore[operator]
        return out * share

    convs = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        hooks = [conv.register_forward_hook(scale) for conv in convs]  # type: ignore[arg-type]
        network(picture())
        for hook in hooks:
            hook.remove()
        for head in network.heads:  # boxes of a few strides
            head.box_out.weight *= 0.3
            head.box_out.bias *= 0.3
    return network


def picture(size: int = 96) -> torch.Tensor:
    return torch.from_numpy(drawing(size).transpose(2, 0, 1)[None].astype(np.float32))


def grainy(size: int) -> torch.Tensor:
    """The picture with a camera's noise: in one without, a whole region may lie at the border of two bytes."""
    noise = torch.randint(-8, 9, (1, 3, size, size), generator=torch.Generator().manual_seed(4))
    return (picture(size) + noise).clamp(0, 255)


def whole() -> Nano:
    """The same network in bytes, with ranges from the picture."""
    plain = hard()
    network = copy.deepcopy(plain)
    prepare(network)
    choose(network, plain, [picture()])
    return network


def shown() -> Batch:
    nothing = np.zeros((0, 4), np.float32)
    return collate([Scene(drawing(96), np.array([[20, 30, 70, 80]], np.float32), np.array([HORSE]), nothing)] * 2)


def test_nought_has_a_byte_of_its_own() -> None:
    x = Bytes(-0.37, 5.1)(torch.tensor([0.0, -9.0, 9.0, 2.5]))
    assert x[0] == 0
    step = (5.1 + 0.37) / 255
    assert float(x[1]) == pytest.approx(-0.37, abs=step)
    assert float(x[2]) == pytest.approx(5.1, abs=step)
    assert float(x[3]) == pytest.approx(2.5, abs=step / 2 + 1e-6)


@pytest.mark.parametrize("high", [0.4, 2.0, 6.0, 25.0])
def test_hard_swish_in_bytes_is_hard_swish_to_within_its_steps(high: float) -> None:
    swish = ByteSwish(high)
    x = torch.linspace(-2 * high - 5, high, 999)
    # half a step of what goes in, times the steepest slope, half of what comes out, and of the gate
    bound = 0.5 * (swish.inner.step * 1.5 + swish.outer.step + high / 255) + 0.5 * swish.inner.step
    assert float((swish(x) - fn.hardswish(x)).abs().max()) <= bound


def test_ranges_are_chosen_alike_each_time() -> None:
    assert ranges(whole()) == ranges(whole())


def test_gradients_pass_rounding_and_stop_where_it_saturates() -> None:
    x = torch.tensor([-4.0, -1.0, 0.5, 3.5, 7.0], requires_grad=True)
    ByteSwish(6.0)(x).sum().backward()
    plain = torch.tensor([-4.0, -1.0, 0.5, 3.5], requires_grad=True)
    fn.hardswish(plain).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad[:4], plain.grad)
    assert x.grad[4] == 0
    y = torch.tensor([-2.0, 0.3, 2.0], requires_grad=True)
    Bytes(-1.0, 1.0)(y).sum().backward()
    assert y.grad is not None
    assert y.grad.tolist() == [0, 1, 0]


def test_a_range_leaves_out_what_is_rare_and_far() -> None:
    torch.manual_seed(3)
    values = torch.cat([torch.randn(20_000), torch.tensor([60.0])])
    assert best_range(values.abs()[:-1]).high > 0.6 * float(values[:-1].max())
    assert best_swish(values[:-1]) > 0.5 * float(values[:-1].max())
    # a single value beyond all others is worth no coarser steps for them
    assert best_swish(torch.cat([torch.randn(200_000), torch.tensor([12.0])])) < 11


def test_weights_keep_to_what_no_processor_saturates() -> None:
    for module in inner_convs(whole()).values():
        step = weight_steps(module.conv)
        steps = (rounded_weights(module.conv).detach() / step).numpy()
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
        bytes_ = np.rint(steps).astype(np.int8)
        assert np.abs(np.rint(steps)).max() <= 127
        if module.conv.groups == 1:
            assert not saturating(bytes_, 0).any()
        assert np.abs(bytes_.astype(int)).max((1, 2, 3)).min() >= 64, "and are as fine as that lets them be"


@pytest.fixture(scope="module")
def shipped() -> Nano:
    """The embedded detector."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.detect.recover.load_coco", lambda _: Nano())
        return load_deployed(SHIPPED, Path("coco.onnx")).eval()


def seen(network: Nano | Deployed, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and scores of one look."""
    deployed = network if isinstance(network, Deployed) else Deployed(copy.deepcopy(network), Calibration())
    with torch.no_grad():
        boxes, scores = deployed.eval()(x)
    return boxes.numpy(), scores.numpy()


@pytest.mark.parametrize("size", [160, 416])
def test_the_embedded_network_in_bytes_sees_what_it_would_see_in_floats(shipped: Nano, size: int) -> None:
    plain = Nano()
    set_hard(plain)
    state = shipped.state_dict()
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    (boxes, scores), (wanted, expected) = seen(shipped, picture(size)), seen(plain.eval(), picture(size))
    sure = expected > 0.1
    assert sure.any()
    assert np.abs(scores - expected)[sure].mean() <= 0.05
    assert np.abs(boxes - wanted)[sure].mean() <= 4


@pytest.mark.parametrize("size", [160, 416])
def test_the_file_answers_as_torch(shipped: Nano, tmp_path: Path, size: int) -> None:
    """A byte that lies between two may fall to either side, and what falls to the other is added to by every later stage."""
    deployed = export(copy.deepcopy(shipped), tmp_path / "net.onnx", "1", Calibration(), Suppression())
    boxes, scores = open_session(tmp_path / "net.onnx").run(None, {"images": grainy(size).numpy()})
    wanted, expected = seen(deployed, grainy(size))
    sure = expected > 0.1
    assert sure.any()
    assert np.abs(scores - expected).max() <= 0.15
    assert np.abs(scores - expected)[sure].mean() <= 0.05
    assert np.abs(boxes - wanted)[sure].mean() <= 4


class First(nn.Module):
    """Up to the first convolutions in bytes."""

    def __init__(self, network: Nano) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.dark4[0](self.network.dark3(self.network.early(images)))  # type: ignore[no-any-return]


def test_the_file_rounds_as_torch(shipped: Nano, tmp_path: Path) -> None:
    network = First(copy.deepcopy(shipped))
    steps = settle(network.network)
    export_fp32(network, picture(), tmp_path / "first.onnx", input_name="images", output_names=("features",))
    keep_bytes(tmp_path / "first.onnx", {name: steps[name] for name in ("dark4.0.0", "dark4.0.1")})
    stored = [t for t in onnx.load(str(tmp_path / "first.onnx")).graph.initializer if t.data_type == onnx.TensorProto.INT8]
    assert len([t for t in stored if len(t.dims) == 4]) == 2
    (found,) = open_session(tmp_path / "first.onnx").run(None, {"images": grainy(96).numpy()})
    with torch.no_grad():
        expected = network(grainy(96)).numpy()
    step = network.network.dark4[0][1].activation.outer.step
    apart = np.abs(found - expected) / step
    np.testing.assert_allclose(apart, np.rint(apart), atol=0.01)
    assert (apart > 0.5).mean() <= 0.01


def test_the_file_multiplies_bytes(tmp_path: Path) -> None:
    export(whole(), tmp_path / "net.onnx", "1", Calibration(), Suppression())
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "fused.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(str(tmp_path / "net.onnx"), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(str(tmp_path / "fused.onnx")).graph.node]
    assert kinds.count("QLinearConv") == len(inner_convs(hard())) == 58
    assert kinds.count("QLinearMul") == 58
    assert kinds.count("QLinearAdd") == 3, "sums of a bottleneck"
    assert kinds.count("QLinearConcat") == 9
    assert kinds.count("Conv") == 55, "the first stages, stride 8, and the last of each head"


def test_weights_are_stored_as_bytes(tmp_path: Path) -> None:
    export(whole(), tmp_path / "net.onnx", "1", Calibration(), Suppression())
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(tmp_path / "net.onnx")).graph.initializer}
    for name in inner_convs(whole()):
        assert stored[f"network.{name}.conv.weight.whole"].dtype == np.int8
        assert stored[f"network.{name}.conv.bias.whole"].dtype == np.int32
        assert f"network.{name}.conv.weight" not in stored


def test_the_network_comes_back_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = whole()
    before = {name: rounded_weights(module.conv).detach() for name, module in inner_convs(network).items()}
    places = ranges(network)
    export(network, tmp_path / "net.onnx", "1", Calibration(), Suppression())
    monkeypatch.setattr("training.detect.recover.load_coco", lambda _: Nano(len(CLASSES), width=8))
    back = load_deployed(tmp_path / "net.onnx", Path("coco.onnx"))
    assert in_bytes(back)
    assert ranges(back) == places
    for name, module in inner_convs(back).items():
        torch.testing.assert_close(module.conv.weight.detach(), before[name], rtol=1e-5, atol=1e-7)


def test_only_what_has_hard_swish_is_computed_in_bytes() -> None:
    with pytest.raises(ValueError, match="copy it first"):
        prepare(Nano(len(CLASSES), width=8))


def test_ranges_come_from_the_training_pictures(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "horse.png"), drawing(96))
    nothing, box = np.zeros((0, 4), np.float32), np.array([[20, 30, 70, 80]], np.float32)
    horse = Picture(tmp_path / "horse.png", "horse", box, np.array([HORSE]), nothing)
    empty = Picture(tmp_path / "horse.png", "empty", nothing, np.zeros(0, np.int64), nothing)
    plain = hard()
    network = in_bytes_of(plain, Library({"horse": [horse], "empty": [empty]}))
    assert in_bytes(network)
    assert not in_bytes(plain)
    assert len(set(ranges(network).values())) > 50, "chosen, not left as they were"


def test_a_mean_is_of_networks_of_one_kind(tmp_path: Path) -> None:
    torch.save({"average": whole().state_dict(), "hard": True, "bytes": True}, tmp_path / "bytes.pt")
    torch.save({"average": hard().state_dict(), "hard": True}, tmp_path / "hard.pt")
    with pytest.raises(ValueError, match="no mean"):
        blend(Path("coco.onnx"), [(tmp_path / "bytes.pt", 0.5), (tmp_path / "hard.pt", 0.5)], tmp_path / "mean.pt")
    blend(Path("coco.onnx"), [(tmp_path / "bytes.pt", 0.5), (tmp_path / "bytes.pt", 0.5)], tmp_path / "mean.pt")
    mean = load_average(tmp_path / "mean.pt")
    assert in_bytes(mean)
    for name, value in whole().state_dict().items():
        torch.testing.assert_close(mean.state_dict()[name], value)
