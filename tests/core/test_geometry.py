"""Boxes and the letterbox against plain arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barnhand.core.geometry import Letterbox, area, clip, iou, xywh, xyxy

sizes = st.integers(1, 4000)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], 1.0),
        ([0, 0, 10, 10], [10, 0, 20, 10], 0.0),
        ([0, 0, 10, 10], [5, 0, 15, 10], 1 / 3),
        ([0, 0, 0, 0], [0, 0, 0, 0], 0.0),
    ],
)
def test_iou(a: list[float], b: list[float], expected: float) -> None:
    assert iou(np.array([a], np.float32), np.array([b], np.float32))[0, 0] == pytest.approx(expected, abs=1e-6)


def test_a_box_turned_inside_out_has_no_area() -> None:
    assert area(np.array([[10, 10, 0, 20]], np.float32))[0] == 0


@given(width=sizes, height=sizes, side=st.sampled_from([224, 416, 640]), centred=st.booleans())
def test_the_letterbox_fits_and_comes_back(width: int, height: int, side: int, centred: bool) -> None:
    box = np.array([[0, 0, width, height], [width / 4, height / 3, width / 2, height]], np.float32)
    letterbox = Letterbox.fit(width, height, side, centred=centred)
    inside = letterbox.to_input(box)
    assert inside.min() >= -1e-2
    assert inside.max() <= side + 1e-2
    np.testing.assert_allclose(letterbox.to_picture(inside), box, atol=max(width, height) * 1e-5 + 1e-2)


def test_corner_and_coco_boxes_are_each_others_inverse() -> None:
    boxes = np.array([[1, 2, 5, 9]], np.float32)
    assert xywh(boxes).tolist() == [[1, 2, 4, 7]]
    assert xyxy(xywh(boxes)).tolist() == boxes.tolist()
    assert clip(np.array([[-1, -2, 50, 60]], np.float32), 40, 30).tolist() == [[0, 0, 40, 30]]
