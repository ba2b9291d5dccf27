"""The network: shapes, ranges, gradients, resuming, and that its exports answer as it does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from training.common.checkpoint import load_checkpoint, save_checkpoint
from training.common.export import export_fp32, open_session, quantise_int8, write_metadata
from training.pose.data import CACHE_SCALE, CACHE_SIZE, Animals
from training.pose.evaluate import four_legs
from training.pose.export import INPUT, OUTPUT, ExportOptions, drawn_crops
from training.pose.feed import Feed, FeedOptions
from training.pose.model import MBConv, ModelOptions, PoseNet
from training.pose.restore import restore
from training.pose.skeleton import COUNT, MIRROR
from training.pose.train import Trainer, TrainOptions

TINY = ModelOptions(
    stem=8,
    stages=((1, 8, 1, 1, 3), (2, 8, 1, 2, 3), (2, 8, 1, 2, 5), (2, 16, 1, 2, 3), (2, 16, 1, 2, 5)),
    frozen_blocks=1,
    width16=16,
    width8=8,
    width4=8,
    attention_blocks=1,
    heads=2,
)


def animals(count: int = 6) -> Animals:
    rng = np.random.default_rng(0)
    points = np.zeros((count, COUNT, 3), np.float32)
    points[..., :2] = rng.uniform(90, 290, (count, COUNT, 2))
    points[..., 2] = rng.integers(0, 3, (count, COUNT))
    box = np.full((count, 2), CACHE_SIZE / CACHE_SCALE, np.float32)
    species = np.array(["horse", "dog"] * (count // 2))
    crops = rng.integers(0, 256, (count, CACHE_SIZE, CACHE_SIZE, 3), np.uint8)
    return Animals(crops, points, box, species, species)


def options(steps: int = 4) -> TrainOptions:
    feed = FeedOptions(batch=2, sizes=((0.0, 64), (0.6, 96)), seed=5)
    return TrainOptions(steps=steps, warm_up=2, half=False, feed=feed, model=TINY)


@pytest.mark.parametrize("size", [64, 160, 256])
def test_heatmaps_have_a_quarter_of_the_size_and_lie_between_zero_and_one(size: int) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        heat = PoseNet(TINY).eval()(torch.rand(2, 3, size, size) * 255)
    assert heat.shape == (2, COUNT, size // 4, size // 4)
    assert 0 <= heat.min() <= heat.max() <= 1
    assert (heat.sum((2, 3)) <= 1 + 1e-5).all()


def test_a_network_that_works_smaller_inside_answers_at_the_same_scale() -> None:
    torch.manual_seed(0)
    model = PoseNet(replace(TINY, inner_size=64)).eval()
    crops = torch.rand(1, 3, 256, 256) * 255
    with torch.no_grad():
        heat = model(crops)
        small = model(torch.nn.functional.interpolate(crops, size=(64, 64), mode="bilinear", align_corners=False))
    assert heat.shape == (1, COUNT, 64, 64)
    assert 0 <= heat.min() <= heat.max() <= 1
    coarse = torch.nn.functional.avg_pool2d(heat, 4) * 16  # what lies in the cells of the smaller map
    torch.testing.assert_close(coarse, small, atol=0.15 * float(small.max()), rtol=0.2)


def test_with_the_mirror_a_mirrored_crop_gets_the_mirrored_answer() -> None:
    torch.manual_seed(0)
    model = PoseNet(replace(TINY, mirror=True)).eval()
    crops = torch.rand(2, 3, 64, 64) * 255
    with torch.no_grad():
        heat, back = model(crops), model(crops.flip(-1))
    torch.testing.assert_close(back.flip(-1)[:, list(MIRROR)], heat)


@pytest.mark.parametrize(("stride", "kernel"), [(1, 3), (2, 3), (1, 5), (2, 5)])
def test_the_fast_depthwise_gradient_is_the_true_one(stride: int, kernel: int) -> None:
    torch.manual_seed(0)
    block = MBConv(2, 4, 4, stride, kernel)
    block.depthwise.weight.requires_grad_(True)
    x = torch.randn(2, 4, 12, 12, requires_grad=True)
    block(x).square().sum().backward()
    fast = [x.grad, block.depthwise.weight.grad, block.depthwise.bias.grad]
    twin = x.detach().clone().requires_grad_()
    block.zero_grad()
    hidden = torch.nn.functional.relu6(block.depthwise(torch.nn.functional.relu6(block.expand(twin))))
    out = block.project(hidden)
    (twin + out if block.skip else out).square().sum().backward()
    for got, true in zip(fast, [twin.grad, block.depthwise.weight.grad, block.depthwise.bias.grad], strict=True):
        torch.testing.assert_close(got, true, atol=1e-4, rtol=1e-4)


def test_rendered_horses_are_drawn_as_often_as_asked_for() -> None:
    real, stills, strides = animals(), animals(), animals()
    feed = Feed(real, stills, FeedOptions(batch=1, synthetic=0.2, strides=0.3), 0, 10, strides)
    drawn = [feed._draw(0.5, np.random.default_rng(seed))[0] for seed in range(2000)]
    for pool, share in ((real, 0.5), (stills, 0.2), (strides, 0.3)):
        assert sum(one is pool for one in drawn) / len(drawn) == pytest.approx(share, abs=0.04)


def test_frozen_parts_get_no_gradient_and_the_rest_does() -> None:
    trainer = Trainer(options(), pretrained=False)
    trainer.advance(Feed(animals(), None, trainer.options.feed, 0, 4).batch(0))
    model = trainer.model
    assert model.backbone.stem.weight.grad is None
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name


def test_a_resumed_run_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    data, chosen = animals(), options()
    whole = Trainer(chosen, pretrained=False)
    for batch in Feed(data, None, chosen.feed, 0, chosen.steps):
        whole.advance(batch)

    first = Trainer(chosen, pretrained=False)
    for step in range(2):
        first.advance(Feed(data, None, chosen.feed, 0, chosen.steps).batch(step))
    save_checkpoint(tmp_path / "checkpoint.pt", first.state_dict())
    second = Trainer(replace(chosen), pretrained=False)
    state = load_checkpoint(tmp_path / "checkpoint.pt")
    assert state is not None
    second.load_state_dict(state)
    for batch in Feed(data, None, chosen.feed, second.step, chosen.steps):
        second.advance(batch)

    assert second.step == whole.step == chosen.steps
    for name, tensor in whole.model.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[name], tensor, atol=0, rtol=0, msg=name)
    for name, tensor in whole.ema.shadow.items():
        torch.testing.assert_close(second.ema.shadow[name], tensor, atol=0, rtol=0, msg=name)


def test_training_lowers_the_loss_on_one_batch() -> None:
    chosen = replace(options(), steps=60, warm_up=5)
    trainer = Trainer(chosen, pretrained=False)
    batch = Feed(animals(), None, chosen.feed, 0, 60).batch(0)
    losses = [trainer.advance(batch)["loss"] for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.95 * np.mean(losses[:5])


def test_the_exports_answer_as_the_network_does(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = PoseNet(replace(TINY, inner_size=128, mirror=True)).eval()
    crops = drawn_crops(3)
    with torch.no_grad():
        true = model(torch.from_numpy(crops)).numpy()
    export_fp32(model, torch.zeros(1, 3, 256, 256), tmp_path / "f.onnx", input_name=INPUT, output_names=[OUTPUT])
    ranges = [drawn_crops(seed) for seed in (4, 5)]
    quantise_int8(
        tmp_path / "f.onnx", tmp_path / "q.onnx", input_name=INPUT, batches=ranges, keep_fp32=ExportOptions().keep_fp32
    )
    write_metadata(tmp_path / "q.onnx", {"barnhand.family": "barnhand-pose"})
    fp32 = open_session(tmp_path / "f.onnx").run([OUTPUT], {INPUT: crops})[0]
    session = open_session(tmp_path / "q.onnx")
    int8 = session.run([OUTPUT], {INPUT: crops})[0]
    assert np.abs(fp32 - true).max() < 1e-4
    assert np.abs(int8 - true).mean() < 0.05 * true.mean()
    one_by_one = np.concatenate([session.run([OUTPUT], {INPUT: crops[i : i + 1]})[0] for i in range(3)])
    np.testing.assert_allclose(one_by_one, int8, atol=1e-4)
    assert session.get_modelmeta().custom_metadata_map["barnhand.family"] == "barnhand-pose"


def test_a_network_restored_from_its_int8_file_answers_as_it_did(tmp_path: Path) -> None:
    torch.manual_seed(2)
    model = PoseNet(replace(TINY, inner_size=128, mirror=True)).eval()
    export_fp32(model, torch.zeros(1, 3, 256, 256), tmp_path / "f.onnx", input_name=INPUT, output_names=[OUTPUT])
    ranges = [drawn_crops(seed) for seed in (4, 5)]
    quantise_int8(
        tmp_path / "f.onnx", tmp_path / "q.onnx", input_name=INPUT, batches=ranges, keep_fp32=ExportOptions().keep_fp32
    )
    back = restore(tmp_path / "q.onnx", drawn_crops(6), 128, TINY)
    crops = torch.from_numpy(drawn_crops(3)[..., ::2, ::2].copy())
    plain = PoseNet(TINY).eval()
    plain.load_state_dict(model.state_dict())
    with torch.no_grad():
        true, found = plain(crops), back(crops)
        blank = PoseNet(TINY).eval()(crops)
    off = float((found - true).abs().mean())
    assert off < 0.1 * float(true.mean())
    assert off < 0.2 * float((blank - true).abs().mean())
    assert any(float(norm.running_var.min()) < 0.5 for norm in back.modules() if isinstance(norm, torch.nn.BatchNorm2d))


def test_another_networks_file_is_not_restored(tmp_path: Path) -> None:
    export_fp32(PoseNet(TINY).eval(), torch.zeros(1, 3, 128, 128), tmp_path / "f.onnx", input_name=INPUT, output_names=[OUTPUT])
    with pytest.raises(ValueError, match="another network"):
        restore(tmp_path / "f.onnx", drawn_crops(6), 128, replace(TINY, width4=16))


@pytest.mark.parametrize(
    ("found", "own", "close"),
    [
        ([(0, 0), (50, 0), (100, 0), (150, 0)], True, True),
        ([(50, 0), (0, 0), (150, 0), (100, 0)], True, True),
        ([(0, 0), (1, 0), (100, 0), (150, 0)], False, False),
        ([(0, 0), (26, 0), (100, 0), (150, 0)], True, False),
    ],
    ids=["exact", "sides swapped", "two on one leg", "nearest but far"],
)
def test_four_hooves_on_four_legs(found: list[tuple[int, int]], own: bool, close: bool) -> None:
    true = np.array([(0, 0), (50, 0), (100, 0), (150, 0)], np.float32)
    assert four_legs(np.array(found, np.float32), true, 200.0) == (own, close)
