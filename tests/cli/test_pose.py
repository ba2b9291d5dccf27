import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.cli.conftest import Run
from tests.cli.stable import BBOX, HORSE, write_picture, write_video
from tests.networks import known

pytestmark = pytest.mark.usefixtures("shelf")

DISC = (180.0, 130.0)


def write_horse(path: Path) -> Path:
    """The blue horse with a red disc on it: every point not named left_… is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = known.picture(320, 240, [(HORSE, known.BLUE)])
    known.disc(image, DISC, 4, known.RED)
    assert cv2.imwrite(str(path.with_suffix(".png")), image)
    return path.with_suffix(".png")


def results(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text()))


def write_boxes(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data))
    return path


def test_a_horse_is_found_and_its_points_are_written(run: Run, tmp_path: Path) -> None:
    ran = run("pose", write_horse(tmp_path / "in" / "bay"), "--json", tmp_path / "out.json")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    (row,) = results(tmp_path / "out.json")
    assert set(row) == {"file_name", "bbox", "score", "keypoints", "skeleton"}
    assert row["skeleton"] == "horse-20"
    np.testing.assert_allclose(row["bbox"], BBOX, atol=4)
    points = np.array(row["keypoints"]).reshape(20, 3)
    np.testing.assert_allclose(points[2, :2], DISC, atol=1.5)
    assert ((points[:, 2] >= 0) & (points[:, 2] <= 1)).all()


def test_without_a_file_it_tells_how_much_it_sees(run: Run, tmp_path: Path) -> None:
    write_horse(tmp_path / "in" / "a")
    write_picture(tmp_path / "in" / "b.jpg", horse=False)
    first, second = run("pose", tmp_path / "in").out.splitlines()
    assert first.startswith("a.png: 1 horse (")
    assert second == "b.jpg: no horse"


def test_each_given_box_has_one_result_in_its_order(run: Run, tmp_path: Path) -> None:
    write_horse(tmp_path / "in" / "a")
    write_horse(tmp_path / "in" / "b")
    # a.png is listed twice, under two ids; one box has no area and one is outside the picture.
    coco = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}, {"id": 3, "file_name": "a.png"}],
        "annotations": [
            {"id": 10, "image_id": 2, "bbox": BBOX, "category_id": 1},
            {"id": 11, "image_id": 1, "bbox": BBOX, "category_id": 1},
            {"id": 12, "image_id": 3, "bbox": [90, 50, 180, 160], "category_id": 2},
            {"id": 13, "image_id": 1, "bbox": [10, 10, 0, 0], "category_id": 1},
            {"id": 14, "image_id": 1, "bbox": BBOX, "category_id": 1},
            {"id": 15, "image_id": 2, "bbox": [5000, 5000, 50, 50], "category_id": 1},
        ],
    }
    boxes = write_boxes(tmp_path / "boxes.json", coco)
    ran = run("pose", tmp_path / "in", tmp_path / "in" / "a.png", "--boxes", boxes, "--json", tmp_path / "out.json")
    assert (ran.code, ran.err) == (0, "")
    rows = results(tmp_path / "out.json")
    assert [row["annotation_id"] for row in rows] == [10, 11, 12, 13, 14, 15]
    assert [row["image_id"] for row in rows] == [2, 1, 3, 1, 1, 2]
    assert [row["file_name"] for row in rows] == ["b.png", "a.png", "a.png", "a.png", "a.png", "b.png"]
    assert [row["bbox"] for row in rows] == [annotation["bbox"] for annotation in coco["annotations"]]
    assert all(len(row["keypoints"]) == 60 and np.isfinite(row["keypoints"]).all() for row in rows)


def test_a_list_of_results_is_taken_too_and_keeps_its_scores(run: Run, tmp_path: Path) -> None:
    write_horse(tmp_path / "in" / "a")
    boxes = write_boxes(
        tmp_path / "b.json", [{"file_name": "a.png", "bbox": BBOX, "score": 0.61}, {"file_name": "a.png", "bbox": BBOX}]
    )
    assert run("pose", tmp_path / "in", "--boxes", boxes, "--json", tmp_path / "out.json").code == 0
    first, second = results(tmp_path / "out.json")
    assert first["score"] == 0.61
    assert second["score"] == pytest.approx(np.mean(second["keypoints"][2::3]), abs=1e-3)


@pytest.mark.parametrize("name", ["a.png", "in/a.png", "images/a.png"])
def test_a_box_finds_its_picture_by_the_end_of_its_path(run: Run, tmp_path: Path, name: str) -> None:
    picture = write_horse(tmp_path / "in" / "a")
    boxes = write_boxes(tmp_path / "b.json", [{"file_name": name, "bbox": BBOX}])
    assert run("pose", picture, "--boxes", boxes, "--json", tmp_path / "out.json").code == 0
    assert len(results(tmp_path / "out.json")) == 1


def test_boxes_of_a_video_name_its_pictures(run: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in" / "walk.mp4", 5)
    given = [{"file_name": f"walk.mp4#{i:06d}", "bbox": BBOX} for i in (3, 0, 3, 99)]
    boxes = write_boxes(tmp_path / "b.json", given)
    ran = run("pose", tmp_path / "in", "--boxes", boxes, "--json", tmp_path / "out.json")
    assert ran.code == 2
    assert [row["frame"] for row in results(tmp_path / "out.json")] == [3, 0, 3]
    assert "has 1 boxes for pictures it does not have" in ran.err


def test_boxes_of_a_picture_that_is_not_there_are_a_line(run: Run, tmp_path: Path) -> None:
    write_horse(tmp_path / "in" / "a")
    (tmp_path / "in" / "bad.jpg").write_bytes(b"junk")
    names = ["a.png", "gone.jpg", "gone.jpg", "bad.jpg"]
    boxes = write_boxes(tmp_path / "b.json", [{"file_name": name, "bbox": BBOX} for name in names])
    ran = run("pose", tmp_path / "in", "--boxes", boxes, "--json", tmp_path / "out.json")
    assert ran.code == 2
    assert len(results(tmp_path / "out.json")) == 1
    assert len(ran.complaints) == 2
    assert "gone.jpg has 2 boxes but is not among the given paths" in ran.err
    assert "bad.jpg is damaged" in ran.err


WRONG: dict[str, tuple[object, str]] = {
    "no boxes": ({"images": []}, "has no boxes"),
    "a number": (3, "has no boxes"),
    "no bbox": ([{"file_name": "a.png"}], r"box 0 has no bbox"),
    "a bbox of three": ([{"file_name": "a.png", "bbox": [1, 2, 3]}], "has no bbox"),
    "a bbox of words": ([{"file_name": "a.png", "bbox": [1, 2, 3, "x"]}], "value that is no number"),
    "no picture": ([{"image_id": 7, "bbox": [1, 2, 3, 4]}], "names no picture"),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_boxes_that_cannot_be_used_are_a_sentence(run: Run, tmp_path: Path, given: object, message: str) -> None:
    ran = run("pose", write_horse(tmp_path / "a"), "--boxes", write_boxes(tmp_path / "b.json", given))
    assert ran.code == 2
    assert len(ran.complaints) == 1
    assert message in ran.err


def test_drawings_show_the_skeleton(run: Run, tmp_path: Path) -> None:
    write_horse(tmp_path / "in" / "a")
    assert run("pose", tmp_path / "in", "--draw", tmp_path / "drawn").code == 0
    assert cv2.imread(str(tmp_path / "drawn" / "a.png.jpg")).shape == (240, 320, 3)
