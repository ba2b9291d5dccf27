import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.cli.conftest import Run
from tests.cli.stable import BBOX, write_picture, write_video

from barnhand.cli.pictures import Source, read
from barnhand.networks.shelf import Shelf

pytestmark = pytest.mark.usefixtures("shelf")


def results(path: Path) -> list[dict[str, object]]:
    return list(json.loads(path.read_text()))


def test_boxes_are_written_as_coco_does(run: Run, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "in" / "bay.jpg")
    ran = run("detect", picture, "--json", tmp_path / "out.json")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    row, *unsure = results(tmp_path / "out.json")
    assert [other["score"] for other in unsure] == [0.2], "boxes below the threshold are in the file, merged ones are not"
    assert set(row) == {"file_name", "bbox", "score"}
    assert row["file_name"] == "bay.jpg"
    np.testing.assert_allclose(row["bbox"], BBOX, atol=4)
    assert row["score"] == pytest.approx(0.9)


def test_pictures_of_a_video_carry_their_index(run: Run, tmp_path: Path) -> None:
    write_video(tmp_path / "in" / "walk.mp4", 7)
    assert run("detect", tmp_path / "in", "--json", tmp_path / "out.json", "--every", "3").code == 0
    rows = [row for row in results(tmp_path / "out.json") if row["score"] > 0.3]  # type: ignore[operator]
    assert [(row["file_name"], row["frame"]) for row in rows] == [(f"walk.mp4#{i:06d}", i) for i in (0, 3, 6)]
    np.testing.assert_allclose([row["bbox"][0] for row in rows], [100, 112, 124], atol=4)  # type: ignore[index]


def test_without_a_file_it_tells_what_it_sees(run: Run, tmp_path: Path) -> None:
    write_picture(tmp_path / "in" / "a.jpg")
    write_picture(tmp_path / "in" / "b.jpg", horse=False)
    ran = run("detect", tmp_path / "in")
    assert ran.out.splitlines() == ["a.jpg: 1 horse (0.90)", "b.jpg: no horse"]


def test_what_cannot_be_read_is_a_line_and_the_rest_goes_on(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_picture(folder / "a.jpg")
    write_picture(folder / "c.jpg")
    (folder / "b.jpg").write_bytes(b"junk")
    (folder / "d.mp4").write_bytes(b"junk")
    (tmp_path / "empty").mkdir()
    ran = run("detect", folder, tmp_path / "empty", tmp_path / "nothing", "--json", tmp_path / "out.json")
    assert ran.code == 2
    assert [row["file_name"] for row in results(tmp_path / "out.json")] == ["a.jpg", "a.jpg", "c.jpg", "c.jpg"]
    assert len(ran.complaints) == 4
    for name, line in zip(("empty", "nothing", "b.jpg", "d.mp4"), ran.complaints, strict=True):
        assert line.startswith("barnhand: ")
        assert name in line


def test_an_empty_folder_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("detect", tmp_path / "empty", "--json", tmp_path / "out.json")
    assert ran.code == 2
    assert ran.complaints == [f"barnhand: the folder {tmp_path / 'empty'} has no pictures or videos in it"]
    assert results(tmp_path / "out.json") == []


def test_drawings_are_the_pictures_with_boxes(run: Run, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "in" / "sub" / "bay.png")
    write_video(tmp_path / "in" / "walk.mp4", 5)
    assert run("detect", tmp_path / "in", "--draw", tmp_path / "drawn").code == 0
    drawn = cv2.imread(str(tmp_path / "drawn" / "sub" / "bay.png.jpg"))
    changed = np.abs(drawn.astype(int) - cv2.imread(str(picture))).max(axis=2) > 60
    y, x = np.nonzero(changed)
    np.testing.assert_allclose([x.min(), x.max(), y.max()], [100, 260, 200], atol=6)
    pictures = list(read(Source("walk.mp4", tmp_path / "drawn" / "walk.mp4")))
    assert len(pictures) == 5
    assert pictures[0].rate == 10


def test_a_higher_threshold_finds_less(run: Run, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "bay.jpg")
    assert run("detect", picture, "--threshold", "0.95").out == "bay.jpg: no horse\n"
    assert run("detect", picture, "--threshold", "0.5").out == "bay.jpg: 1 horse (0.90)\n"
    assert run("detect", picture, "--threshold", "0.5", "--json", tmp_path / "out.json").code == 0
    assert [row["score"] for row in results(tmp_path / "out.json")] == [pytest.approx(0.9)]


MISTAKES = {
    "a network that is not here": (["--model", "unicorn"], 2, "there is no network 'unicorn' here"),
    "a threshold out of range": (["--threshold", "3"], 2, "threshold"),
    "a place that cannot be written": (["--json", "/proc/nothing/out.json"], 2, "cannot be written"),
}


@pytest.mark.parametrize(("arguments", "code", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_a_sentence(run: Run, tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    ran = run("detect", write_picture(tmp_path / "bay.jpg"), *arguments)
    assert ran.code == code
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_a_failed_run_leaves_the_old_results(run: Run, tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "out.json").write_text("[]")
    assert shelf.folder is not None
    (shelf.folder / "blue-box.onnx").write_bytes(b"junk")
    ran = run("detect", write_picture(tmp_path / "bay.jpg"), "--json", tmp_path / "out.json")
    assert ran.code == 2
    assert "blue-box.onnx is damaged" in ran.err
    assert (tmp_path / "out.json").read_text() == "[]"
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["out.json"]


def test_it_is_a_program(tmp_path: Path, data: Path) -> None:
    program = Path(sys.executable).with_name("barnhand")
    ran = subprocess.run([program, "detect", tmp_path / "nothing.jpg"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"barnhand: there is no file or folder {tmp_path / 'nothing.jpg'}\n"
