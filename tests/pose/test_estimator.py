import json
from pathlib import Path

import numpy as np
import pytest
from tests.networks import known

from barnhand.core.errors import ConfigurationError
from barnhand.networks.families import adapt
from barnhand.networks.session import Session
from barnhand.networks.shelf import Shelf
from barnhand.pose import PoseEstimator, PoseOptions

BLUE_AT, RED_AT = (300.0, 200.0), (360.0, 240.0)
BOX = np.array([[250, 150, 410, 290]], np.float32)


def picture(radius: float = 4) -> np.ndarray:
    image = known.picture(640, 480)
    known.disc(image, BLUE_AT, radius, known.BLUE)
    known.disc(image, RED_AT, radius, known.RED)
    return image


def estimator(path: Path, **options: int) -> PoseEstimator:
    network = adapt(Session(path))
    return PoseEstimator(network, PoseOptions(**options))  # type: ignore[arg-type]


@pytest.fixture
def own(tmp_path: Path) -> PoseEstimator:
    return estimator(known.barnhand_pose(tmp_path / "net.onnx", side=256))


BOXES = {
    "in the picture": (250, 150, 410, 290),
    "larger": (150, 50, 560, 470),
    "over the edge": (200, 100, 700, 600),
    "much larger than the picture": (-600, -600, 1300, 1100),
}


@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES.keys())
def test_points_are_where_they_are_in_the_picture(own: PoseEstimator, box: tuple[int, int, int, int]) -> None:
    cell = 4 * 1.25 * max(box[2] - box[0], box[3] - box[1]) / 256
    (pose,) = own.estimate(picture(radius=0.9 * cell), np.array([box], np.float32))
    assert pose.skeleton == "horse-20"
    for name in own.skeleton.points:
        expected = BLUE_AT if name.startswith("left_") else RED_AT
        np.testing.assert_allclose(pose.points[own.skeleton.index(name)], expected, atol=0.3 * cell, err_msg=name)


def test_a_half_turned_picture_has_its_points_turned(own: PoseEstimator) -> None:
    image = picture()
    height, width = image.shape[:2]
    turned = np.array([[width, height]], np.float32) - BOX.reshape(2, 2)[::-1]
    (pose,) = own.estimate(np.ascontiguousarray(image[::-1, ::-1]), turned.reshape(1, 4))
    (straight,) = own.estimate(image, BOX)
    np.testing.assert_allclose(pose.points, [width - 1, height - 1] - straight.points, atol=1.5)


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_poses_come_in_the_order_of_the_boxes(tmp_path: Path, batch: int) -> None:
    many = estimator(known.barnhand_pose(tmp_path / "net.onnx", side=256), batch=batch)
    boxes = np.concatenate([BOX + shift for shift in (0, 10, -20, 40, 0)])
    poses = many.estimate(picture(), boxes)
    assert len(poses) == len(boxes)
    for pose, box in zip(poses, boxes, strict=True):
        (alone,) = many.estimate(picture(), box[None])
        np.testing.assert_allclose(pose.points, alone.points, atol=1e-3)
        np.testing.assert_allclose(pose.scores, alone.scores, atol=1e-6)
    np.testing.assert_array_equal(poses[0].points, poses[4].points)


ODD = {"no area": (300, 200, 300, 200), "inside out": (400, 300, 200, 100), "outside": (5000, 5000, 5100, 5100)}


@pytest.mark.parametrize("box", ODD.values(), ids=ODD.keys())
def test_an_odd_box_still_has_its_pose(own: PoseEstimator, box: tuple[int, int, int, int]) -> None:
    (pose,) = own.estimate(picture(), np.array([box], np.float32))
    assert np.isfinite(pose.points).all()


def test_no_box_no_pose(own: PoseEstimator) -> None:
    assert own.estimate(picture(), np.zeros((0, 4), np.float32)) == []


def test_a_box_without_a_number_is_refused(own: PoseEstimator) -> None:
    with pytest.raises(ValueError, match="not finite"):
        own.estimate(picture(), np.array([[0, 0, np.nan, 10]], np.float32))


def test_scores_are_calibrated(tmp_path: Path) -> None:
    slope, shift = np.linspace(0.5, 2, 20), np.linspace(-1, 1, 20)
    curve = json.dumps({"on": "logit", "a": slope.tolist(), "b": shift.tolist()})
    raw = estimator(known.barnhand_pose(tmp_path / "raw.onnx", side=256))
    calibrated = estimator(known.barnhand_pose(tmp_path / "net.onnx", side=256, metadata={"barnhand.calibration": curve}))
    (peaks,) = (pose.scores for pose in raw.estimate(picture(), BOX))
    (scores,) = (pose.scores for pose in calibrated.estimate(picture(), BOX))
    assert (peaks > 0.05).all()
    expected = 1 / (1 + np.exp(-(slope * np.log(peaks / (1 - peaks)) + shift)))
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_nothing_to_be_seen_is_a_low_score(own: PoseEstimator) -> None:
    (nothing,) = own.estimate(known.picture(640, 480), BOX)
    np.testing.assert_allclose(nothing.scores, 1e-4, atol=1e-6)


def test_the_crops_size_is_read_from_the_file(tmp_path: Path) -> None:
    wide = estimator(known.barnhand_pose(tmp_path / "net.onnx", side=256, metadata={"barnhand.crop_scale": "2.5"}))
    _, crops = wide.network.preprocess(picture(), BOX)
    assert crops.edge[0] == 400


def test_rtmpose_finds_the_point_with_its_own_crop(tmp_path: Path) -> None:
    rtmpose = estimator(known.rtmpose(tmp_path / "net.onnx"))
    for box in ((250, 150, 410, 290), (100, 60, 590, 470)):
        (pose,) = rtmpose.estimate(picture(), np.array([box], np.float32))
        assert pose.skeleton == "ap10k-17"
        bin_px = 1.25 * max(box[2] - box[0], box[3] - box[1]) / 512
        np.testing.assert_allclose(pose.points, np.tile(BLUE_AT, (17, 1)), atol=2 * bin_px + 1)
        np.testing.assert_allclose(pose.scores, (np.arange(17) + 1) / 17, atol=1e-4)


def test_it_opens_the_network_in_use_or_the_named_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models", catalogue=())
    shelf.add(known.barnhand_pose(tmp_path / "one.onnx"))
    shelf.add(known.rtmpose(tmp_path / "two.onnx"))
    shelf.use("one")
    assert PoseEstimator.load(shelf).skeleton.name == "horse-20"
    assert PoseEstimator.load(shelf, PoseOptions(model="two")).skeleton.name == "ap10k-17"


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least one horse, got 0"):
        PoseOptions(batch=0)
