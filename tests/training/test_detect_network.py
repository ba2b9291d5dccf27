"""The torch network is the published one, and the exported file answers as the torch network."""

from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("torch")

import torch
from training.common.export import export_fp32, open_session
from training.detect.detector import Suppression
from training.detect.export import FREE, Calibration, Deployed, export
from training.detect.network import (
    CLASSES,
    COCO_ROWS,
    HORSE,
    RIVALS,
    STRETCH,
    STRIDES,
    Conv,
    Nano,
    cells,
    decode,
    fold_focus,
    harden,
    is_hard,
    keep_classes,
    load_coco,
)
from training.detect.parity import drawing
from training.detect.recover import load_deployed
from training.detect.store import STORED_BYTES

torch.set_num_threads(1)  # two threads on a busy machine wait for one another

COCO = Path("../shared/models/yolox_nano_coco.onnx")
shared = pytest.mark.skipif(not COCO.exists(), reason="needs the COCO weights in ../shared/models")


def seeded(classes: int = len(CLASSES)) -> Nano:
    torch.manual_seed(5)
    return Nano(classes, width=8).eval()


def picture(size: int = 416) -> np.ndarray:
    return drawing(size).transpose(2, 0, 1)[None].astype(np.float32)


@pytest.mark.shared
@shared
def test_the_loaded_network_answers_as_the_published_file() -> None:
    (published,) = open_session(COCO).run(None, {"images": picture()})
    with torch.no_grad():
        ours = load_coco(COCO, rows=None)(torch.from_numpy(picture()))
    corners, strides = cells(416, 416)
    raw, sides = torch.from_numpy(published[0, :, :4]), [416 // stride for stride in STRIDES]
    levels = raw.split([side**2 for side in sides])
    theirs = torch.cat(
        [
            decode(level.T.reshape(1, 4, side, side), stride)[0]
            for level, side, stride in zip(levels, sides, STRIDES, strict=True)
        ]
    )
    np.testing.assert_allclose(ours.objectness[0].sigmoid(), published[0, :, 4], atol=1e-4)
    np.testing.assert_allclose(ours.classes[0].sigmoid(), published[0, :, 5:], atol=1e-4)
    np.testing.assert_allclose(ours.boxes[0] / strides, theirs / strides, atol=1e-2, rtol=1e-3)
    assert corners.shape == (3549, 2)


@pytest.mark.shared
@shared
def test_the_class_head_starts_from_cocos_rows() -> None:
    whole, cut = load_coco(COCO, rows=None), load_coco(COCO)
    for theirs, ours in zip(whole.heads, cut.heads, strict=True):
        for row, name in enumerate(CLASSES):
            torch.testing.assert_close(ours.class_out.weight[row], theirs.class_out.weight[COCO_ROWS[name]])


def test_another_networks_file_is_refused(tmp_path: Path) -> None:
    graph = onnx.helper.make_graph([], "empty", [], [])
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "other.onnx"))
    with pytest.raises(ValueError, match="not the COCO file"):
        load_coco(tmp_path / "other.onnx")


def test_a_cell_answers_with_a_box_around_its_own_corner() -> None:
    # offset 0, log size 0: one stride in both directions
    boxes = torch.cat([decode(torch.zeros(1, 4, 64 // stride, 96 // stride), stride)[0] for stride in STRIDES])
    corners, strides = cells(64, 96)
    torch.testing.assert_close(boxes, torch.cat([corners - strides / 2, corners + strides / 2], 1))


def test_cutting_the_class_head_leaves_the_horse_as_it_was() -> None:
    network, x = seeded(), torch.from_numpy(picture(64))
    with torch.no_grad():
        before = network(x)
        keep_classes(network, (HORSE,))
        after = network(x)
    torch.testing.assert_close(after.classes[..., 0], before.classes[..., HORSE])
    torch.testing.assert_close(after.boxes, before.boxes)


def test_the_folded_first_convolution_gives_the_same_sums() -> None:
    network, x = seeded(), torch.from_numpy(picture(64))
    with torch.no_grad():
        before = network.early(x)
        fold_focus(network)
        after = network.early(x)
    assert network.stem.conv.weight.shape == (8, 3, 6, 6)
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-4)  # sums of pixels up to 255, added in another order


def test_the_exported_graph_rearranges_no_pixels(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    deployed = Deployed(seeded(), Calibration())
    export_fp32(deployed, torch.zeros(1, 3, 64, 64), path, input_name="images", output_names=("boxes", "scores"))
    readers = {node.op_type for node in onnx.load(str(path)).graph.node if "images" in node.input}
    assert readers == {"Conv"}


@pytest.mark.parametrize("hard", [False, True])
def test_the_weights_of_an_exported_file_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard: bool) -> None:
    torch.manual_seed(6)
    exported, other = Nano(width=8), Nano(width=8)
    if hard:
        harden(exported)
    monkeypatch.setattr("training.detect.recover.load_coco", lambda _: other)
    before = {name: value.clone() for name, value in exported.state_dict().items()}
    first = {name: value.clone() for name, value in other.state_dict().items()}
    export(exported, tmp_path / "net.onnx", "1", Calibration(), Suppression())
    back = load_deployed(tmp_path / "net.onnx", COCO)
    assert is_hard(back) is hard
    kept = [HORSE, *RIVALS]
    for name, value in back.state_dict().items():
        if "class_out" in name:
            torch.testing.assert_close(value[kept], before[name][kept], rtol=1 / 2048, atol=1e-6)
            torch.testing.assert_close(value[len(kept) :], first[name][len(kept) :], rtol=0, atol=0)
        elif value.numel() >= STORED_BYTES:
            channel = before[name].abs().amax((1, 2, 3), keepdim=True)
            assert bool(((value - before[name]).abs() <= channel / 253).all())
        else:
            torch.testing.assert_close(value, before[name], rtol=1 / 2048, atol=1e-6)


def test_a_file_of_another_kind_gives_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.detect.recover.load_coco", lambda _: seeded())
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], [])), str(tmp_path / "other.onnx"))
    with pytest.raises(ValueError, match="not an exported detector"):
        load_deployed(tmp_path / "other.onnx", COCO)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Deployed]:
    path = tmp_path_factory.mktemp("exported") / "net.onnx"
    network = seeded()
    harden(network)
    deployed = Deployed(network, Calibration())
    export_fp32(deployed, torch.zeros(2, 3, 96, 160), path, input_name="images", output_names=("boxes", "scores"), free=FREE)
    return path, deployed


SHAPES = [(64, 64), (32, 32), (96, 160), (160, 96), (288, 416)]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_the_exported_file_takes_any_number_of_pictures_of_any_shape_and_answers_as_torch(
    exported: tuple[Path, Deployed], height: int, width: int, count: int
) -> None:
    path, deployed = exported
    x = np.repeat(picture(416)[:, :, :height, :width], count, axis=0)
    boxes, scores = open_session(path).run(None, {"images": x})
    with torch.no_grad():
        expected = deployed(torch.from_numpy(x))
    np.testing.assert_allclose(boxes, expected[0], atol=1e-2)
    np.testing.assert_allclose(scores, expected[1], atol=1e-5)


@pytest.mark.parametrize(("bytes_from", "share"), [(10**6, 0.7), (200, 0.5)])
def test_weights_stored_small_make_a_small_file_and_keep_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_from: int, share: float
) -> None:
    monkeypatch.setattr("training.detect.store.STORED_BYTES", bytes_from)
    deployed = export(seeded(), tmp_path / "net.onnx", "1", Calibration(doubt=2), Suppression())
    whole = tmp_path / "whole.onnx"
    export_fp32(deployed, torch.zeros(1, 3, 64, 64), whole, input_name="images", output_names=("boxes", "scores"))
    assert (tmp_path / "net.onnx").stat().st_size < share * whole.stat().st_size
    boxes, scores = open_session(tmp_path / "net.onnx").run(None, {"images": picture(64)})
    with torch.no_grad():
        expected = deployed(torch.from_numpy(picture(64)))
    np.testing.assert_allclose(boxes, expected[0], atol=0.5)
    np.testing.assert_allclose(scores, expected[1], atol=5e-3)


def test_hardening_keeps_what_lies_beyond_the_curve_and_is_done_once() -> None:
    """Where all activations are far above 0, SiLU and hard-swish are both the identity."""
    network, x = seeded(), torch.zeros(1, 3, 64, 64)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, Conv):
                module.conv.weight *= 1e-3
                module.conv.bias.fill_(20.0)
        soft = network(x)
        harden(network)
        hard = network(x)
    torch.testing.assert_close(hard.classes, soft.classes, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(hard.objectness, soft.objectness, atol=1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match="already"):
        harden(network)


def test_a_hardened_network_is_near_the_soft_one() -> None:
    x = torch.linspace(-6, 6, 241)
    stretched = torch.nn.functional.hardswish(x * STRETCH) / STRETCH
    soft = torch.nn.functional.silu(x)
    assert float((stretched - soft).abs().mean()) < float((torch.nn.functional.hardswish(x) - soft).abs().mean())


def test_looking_like_another_animal_costs_score_and_nothing_else() -> None:
    x = torch.from_numpy(picture(64))
    with torch.no_grad():
        plain_boxes, plain = Deployed(seeded(), Calibration(doubt=0))(x)
        boxes, doubted = Deployed(seeded(), Calibration(doubt=2))(x)
    assert bool((doubted < plain).all())
    torch.testing.assert_close(boxes, plain_boxes)


def test_suppression_survives_the_metadata() -> None:
    how = Suppression(iou=0.7, soft=0.4, floor=0.02, vote=0.05)
    assert Suppression.from_json(how.as_json()) == how
