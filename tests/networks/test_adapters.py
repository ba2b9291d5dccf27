"""Each family's adapter against a file of its signature whose right answer is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.networks import known

from barnhand.core.errors import ModelError
from barnhand.networks.adapter import BoxNetwork, Suppression
from barnhand.networks.families import FAMILIES, adapt, recognise
from barnhand.networks.session import Session

Build = Callable[[Path], Path]

DETECTORS: dict[str, tuple[Build, str, float]] = {
    "barnhand": (known.barnhand_detector, "barnhand-detector", 0.9),
    "yolox": (known.yolox, "yolox", 0.72),
    "yolox, one class": (lambda path: known.yolox(path, classes=1), "yolox", 0.72),
    "yolo11, fixed size": (known.yolo11, "yolo11", 0.8),
    "yolo11, free size": (
        lambda path: known.yolo11(path, free=True, metadata={"imgsz": "[96, 96]", "names": "{17: 'horse', 19: 'cow'}"}),
        "yolo11",
        0.8,
    ),
    "yolo11, one class": (
        lambda path: known.yolo11(path, classes=1, metadata={"names": "{0: 'Horse'}", "task": "detect"}),
        "yolo11",
        0.8,
    ),
    "yolo11, end to end": (known.yolo11_end_to_end, "yolo11", 0.8),
    "yolov5, half precision": (known.yolov5, "yolov5", 0.72),
    "yolov5, one class": (lambda path: known.yolov5(path, classes=1), "yolov5", 0.72),
    "ssdlite": (known.ssdlite, "ssdlite", 0.8),
}

ALL: dict[str, tuple[Build, str]] = {name: (build, family) for name, (build, family, _) in DETECTORS.items()} | {
    "barnhand pose": (known.barnhand_pose, "barnhand-pose"),
    "rtmpose": (known.rtmpose, "rtmpose"),
    "barnhand embedder": (known.barnhand_embedder, "barnhand-embedder"),
    "barnhand verifier": (known.barnhand_verifier, "barnhand-verifier"),
    "megadescriptor": (lambda path: known.embedder(path, size=768, side=224), "megadescriptor"),
}


def detector(build: Build, folder: Path) -> BoxNetwork:
    network = adapt(Session(build(folder / "net.onnx")))
    assert isinstance(network, BoxNetwork)
    return network


@pytest.mark.parametrize(("build", "family"), ALL.values(), ids=ALL.keys())
def test_a_file_is_of_exactly_one_family(tmp_path: Path, build: Build, family: str) -> None:
    signature = Session(build(tmp_path / "net.onnx")).signature
    assert [item.family for item in FAMILIES if item.matches(signature)] == [family]


def test_every_family_is_proved_here() -> None:
    assert {family for _, family in ALL.values()} == {item.family for item in FAMILIES}


def test_a_stranger_is_of_no_family(tmp_path: Path) -> None:
    session = Session(known.stranger(tmp_path / "odd.onnx"))
    assert recognise(session.signature) is None
    with pytest.raises(ModelError, match=r"odd is of no family .* x\(n, 10\) -> y\(n, 10\)"):
        adapt(session)


@pytest.mark.parametrize(
    ("width", "height", "blob"),
    [
        (64, 64, (16, 24, 48, 40)),
        (128, 64, (20, 10, 100, 50)),
        (64, 128, (8, 60, 40, 120)),
        (640, 360, (100, 80, 420, 300)),
        (30, 20, (6, 4, 24, 16)),
        (640, 360, (0, 0, 640, 300)),
    ],
)
@pytest.mark.parametrize(("build", "family", "score"), DETECTORS.values(), ids=DETECTORS.keys())
def test_the_blob_is_found_where_it_is(
    tmp_path: Path, build: Build, family: str, score: float, width: int, height: int, blob: tuple[int, int, int, int]
) -> None:
    (found,) = detector(build, tmp_path).candidates([known.picture(width, height, [(blob, known.BLUE)])], 0.5)
    best = found[found.scores == found.scores.max()]
    # One px of the 64 px input, and half for the resampling's blur.
    slack = 0.5 if family == "ssdlite" else 1.5 * max(width, height, 64) / 64
    np.testing.assert_allclose(best.boxes, [blob], atol=slack)
    np.testing.assert_allclose(best.scores, [score], atol=2e-3)


@pytest.mark.parametrize(("build", "family", "score"), DETECTORS.values(), ids=DETECTORS.keys())
def test_pictures_of_any_sizes_go_in_together(tmp_path: Path, build: Build, family: str, score: float) -> None:
    network = detector(build, tmp_path)
    pictures = [
        known.picture(200, 100, [((20, 20, 180, 80), known.BLUE)]),
        known.picture(100, 100, [((50, 10, 90, 90), known.BLUE)]),
        known.picture(100, 300, [((10, 200, 90, 290), known.BLUE)]),
    ]
    together = network.candidates(pictures, 0.5)
    for picture, found in zip(pictures, together, strict=True):
        (alone,) = network.candidates([picture], 0.5)
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=1e-3)
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-6)


@pytest.mark.parametrize(("build", "family", "score"), DETECTORS.values(), ids=DETECTORS.keys())
def test_nothing_below_the_floor_comes_back(tmp_path: Path, build: Build, family: str, score: float) -> None:
    (found,) = detector(build, tmp_path).candidates([known.picture(64, 64, [((16, 24, 48, 40), known.BLUE)])], score + 0.01)
    assert len(found) == 0


def test_no_picture_gives_no_answer(tmp_path: Path) -> None:
    assert detector(known.barnhand_detector, tmp_path).candidates([], 0.5) == []


NMS = {
    "nothing said": ({}, Suppression(iou=0.65)),
    "hard": ({"barnhand.nms": '{"kind": "hard", "iou": 0.55}'}, Suppression(iou=0.55)),
    "soft": (
        {"barnhand.nms": '{"kind": "soft", "iou": 0.8, "sigma": 0.3, "floor": 0.02, "limit": 50}'},
        Suppression(iou=0.8, sigma=0.3, floor=0.02, limit=50),
    ),
}


@pytest.mark.parametrize(("metadata", "expected"), NMS.values(), ids=NMS.keys())
def test_the_detector_brings_its_own_suppression(tmp_path: Path, metadata: dict[str, str], expected: Suppression) -> None:
    network = detector(lambda path: known.barnhand_detector(path, metadata=metadata), tmp_path)
    assert network.suppression == expected


def test_the_detector_brings_its_own_threshold(tmp_path: Path) -> None:
    network = detector(lambda path: known.barnhand_detector(path, metadata={"barnhand.threshold": "0.42"}), tmp_path)
    assert network.threshold == pytest.approx(0.42)


BROKEN: dict[str, tuple[Build, str]] = {
    "suppression of another kind": (
        lambda path: known.barnhand_detector(path, metadata={"barnhand.nms": '{"kind": "magic"}'}),
        "'magic' suppression",
    ),
    "suppression that is not JSON": (lambda path: known.barnhand_detector(path, metadata={"barnhand.nms": "{"}), "is not JSON"),
    "suppression out of range": (
        lambda path: known.barnhand_detector(path, metadata={"barnhand.nms": '{"iou": 3}'}),
        "cannot be used",
    ),
    "threshold that is no number": (
        lambda path: known.barnhand_detector(path, metadata={"barnhand.threshold": "high"}),
        "not a number",
    ),
    "no horse among the classes": (
        lambda path: known.yolo11(path, metadata={"names": "{0: 'cat', 1: 'dog'}"}),
        "knows no class named horse",
    ),
    "an unnamed list of classes": (lambda path: known.yolo11(path, classes=3), "does not say which is the horse"),
    "exported for another task": (lambda path: known.yolo11(path, metadata={"task": "segment"}), "'segment'"),
    "another skeleton's number of points": (lambda path: known.rtmpose(path, points=26), "26 points"),
    "an unknown skeleton": (
        lambda path: known.barnhand_pose(path, metadata={"barnhand.skeleton": "cow-9"}),
        "no skeleton 'cow-9'",
    ),
    "an unknown way of decoding": (
        lambda path: known.barnhand_pose(path, metadata={"barnhand.decode": "magic power=2"}),
        "decoded by 'magic power=2'",
    ),
    "calibrated for too few points": (
        lambda path: known.barnhand_pose(path, metadata={"barnhand.calibration": '{"a": [1], "b": [0]}'}),
        r"calibrated for \(1,\) points",
    ),
    "crops of another kind": (
        lambda path: known.barnhand_embedder(path, {"barnhand.crop": '{"kind": "spiral"}'}),
        "does not know",
    ),
}


@pytest.mark.parametrize(("build", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_cannot_be_used_is_refused_with_a_sentence(tmp_path: Path, build: Build, message: str) -> None:
    session = Session(build(tmp_path / "net.onnx"))
    with pytest.raises(ModelError, match=message):
        adapt(session)


def test_an_adapter_refuses_another_familys_file(tmp_path: Path) -> None:
    yolox = next(item for item in FAMILIES if item.family == "yolox")
    with pytest.raises(ModelError, match="net is not a yolox network"):
        yolox(Session(known.ssdlite(tmp_path / "net.onnx")))
