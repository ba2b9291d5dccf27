"""The torch network is the published one, and the exported file answers as the torch network."""

from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("torch")

import torch
from training.common.export import export_fp32, open_session
from training.detect.detector import Suppression
from training.detect.export import FREE, Calibration, Deployed, agreed, export
from training.detect.network import (
    CLASSES,
    COCO_ROWS,
    HORSE,
    RIVALS,
    STRIDES,
    Nano,
    cells,
    decode,
    fold_focus,
    keep_classes,
    load_coco,
)
from training.detect.parity import drawing
from training.detect.recover import load_deployed

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
    assert readers - {"Shape"} == {"Conv", "Resize"}, "one look reads the pixels as they are, the other smaller ones"


def test_the_weights_of_an_exported_file_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(6)
    exported, other = Nano(width=8), Nano(width=8)
    monkeypatch.setattr("training.detect.recover.load_coco", lambda _: other)
    before = {name: value.clone() for name, value in exported.state_dict().items()}
    frozen = {name: value.clone() for name, value in other.state_dict().items()}
    export(exported, tmp_path / "net.onnx", "1", Calibration(), Suppression())
    back = load_deployed(tmp_path / "net.onnx", COCO).state_dict()
    kept = [HORSE, *RIVALS]
    for name, value in before.items():
        if name.startswith(("stem", "dark2")):
            torch.testing.assert_close(back[name], frozen[name], rtol=0, atol=0)
        elif "class_out" in name:
            torch.testing.assert_close(back[name][kept], value[kept], rtol=1 / 2048, atol=1e-6)
            torch.testing.assert_close(back[name][len(kept) :], frozen[name][len(kept) :], rtol=0, atol=0)
        else:
            torch.testing.assert_close(back[name], value, rtol=1 / 2048, atol=1e-6)


def test_a_file_of_another_kind_gives_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.detect.recover.load_coco", lambda _: seeded())
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], [])), str(tmp_path / "other.onnx"))
    with pytest.raises(ValueError, match="not an exported detector"):
        load_deployed(tmp_path / "other.onnx", COCO)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Deployed]:
    path = tmp_path_factory.mktemp("exported") / "net.onnx"
    deployed = Deployed(seeded(), Calibration(slope=0.9, shift=0.4, doubt=2, trust=0.5, agree=0.35))
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


def test_the_second_look_is_the_first_at_the_mirrored_smaller_picture() -> None:
    small = torch.from_numpy(picture(192)[..., :128, :])  # 192 × 128
    large = torch.nn.functional.interpolate(small, scale_factor=2, mode="nearest")
    two, one = Deployed(seeded(), Calibration(), second=50), Deployed(seeded(), Calibration(), second=0)
    with torch.no_grad():
        boxes, scores = two(large)
        first, _ = one(large)
        mirrored, expected = one(small.flip(3))
    finest = (192 // 8) * (128 // 8)
    count = first.shape[1]
    torch.testing.assert_close(boxes[:, :count], first)
    torch.testing.assert_close(scores[:, count:], expected[:, finest:])
    seen = torch.stack([192 - mirrored[..., 2], mirrored[..., 1], 192 - mirrored[..., 0], mirrored[..., 3]], -1)[:, finest:]
    torch.testing.assert_close(boxes[:, count:], 2 * seen)


def test_what_only_one_look_sees_loses_score_and_what_both_see_hardly() -> None:
    size, smaller, cells_of = (96, 160), (64, 96), lambda size, strides: sum((size[0] // s) * (size[1] // s) for s in strides)
    first = torch.full((1, cells_of(size, STRIDES)), 0.001)
    second = torch.full((1, cells_of(smaller, STRIDES[1:])), 0.001)
    fine = cells_of(size, STRIDES[:1])
    first[0, 0] = first[0, fine] = first[0, fine + 9] = 0.8  # a fine cell; on stride 16 the top left and the top right one
    second[0, 0] = 0.6  # mirrored: the top right one
    one, two = agreed(first, size, second, smaller, 0.5)
    assert one[0, 0] == first[0, 0], "the second look has no cells so fine"
    assert one[0, fine] == pytest.approx(0.8 * 0.01**0.5)
    assert one[0, fine + 9] == pytest.approx(0.8 * 0.6**0.5)
    assert two[0, 0] == pytest.approx(0.6 * 0.8**0.5)


def test_without_agreement_scores_stay() -> None:
    scores = torch.rand(2, 21), torch.rand(2, 5)
    assert agreed(scores[0], (32, 32), scores[1], (32, 32), 0.0) == scores


def test_weights_stored_in_half_precision_halve_the_file_and_keep_the_answer(tmp_path: Path) -> None:
    deployed = export(seeded(), tmp_path / "net.onnx", "1", Calibration(doubt=2), Suppression())
    whole = tmp_path / "whole.onnx"
    export_fp32(deployed, torch.zeros(1, 3, 64, 64), whole, input_name="images", output_names=("boxes", "scores"))
    assert (tmp_path / "net.onnx").stat().st_size < 0.7 * whole.stat().st_size
    boxes, scores = open_session(tmp_path / "net.onnx").run(None, {"images": picture(64)})
    with torch.no_grad():
        expected = deployed(torch.from_numpy(picture(64)))
    np.testing.assert_allclose(boxes, expected[0], atol=0.5)
    np.testing.assert_allclose(scores, expected[1], atol=5e-3)


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (1.3, 0.8), (0.7, -0.5)])
def test_calibration_never_changes_the_order_of_scores(slope: float, shift: float) -> None:
    x = torch.from_numpy(picture(64))
    with torch.no_grad():
        plain = Deployed(seeded(), Calibration())(x)[1][0]
        mapped = Deployed(seeded(), Calibration(slope, shift))(x)[1][0]
    assert bool((mapped[plain.argsort()].diff() > -1e-6).all())


def test_looking_like_another_animal_costs_score_and_nothing_else() -> None:
    x = torch.from_numpy(picture(64))
    with torch.no_grad():
        plain_boxes, plain = Deployed(seeded(), Calibration())(x)
        boxes, doubted = Deployed(seeded(), Calibration(doubt=2))(x)
    assert bool((doubted < plain).all())
    torch.testing.assert_close(boxes, plain_boxes)


def test_suppression_survives_the_metadata() -> None:
    how = Suppression(iou=0.7, soft=0.4, floor=0.02, vote=0.05)
    assert Suppression.from_json(how.as_json()) == how
