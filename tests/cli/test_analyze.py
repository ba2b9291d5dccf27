"""``barnhand analyze``: whole output or none, and a sentence for what is not a video."""

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.analyst.blobs import HEIGHT, WIDTH, BlobDetector, BlobEmbedder, BlobPose, paint, walker
from typer.testing import CliRunner

from barnhand.analyst.pipeline import Pipeline
from barnhand.analyst.stages import Stages
from barnhand.cli import build
from barnhand.identity.gallery import Gallery


@pytest.fixture(autouse=True)
def blobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks' place is taken by stages that find coloured blobs."""
    stages = Stages(BlobDetector(), BlobPose(), BlobEmbedder())
    monkeypatch.setattr("barnhand.cli.analyze._pipeline", lambda: Pipeline(stages, Gallery(12)))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "walk.mp4"
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=20, options={"preset": "ultrafast", "crf": "18"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(80):
            picture = av.VideoFrame.from_ndarray(paint({"red": walker(number / 20)}), format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, 20)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(build(), ["analyze", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.mark.parametrize("fps", [None, 5])
def test_a_line_a_picture_a_video_and_a_summary(film: Path, tmp_path: Path, fps: int | None) -> None:
    lines, drawn = tmp_path / "o.jsonl", tmp_path / "o.mp4"
    code, said = run(film, "--json", lines, "--video", drawn, *([] if fps is None else ["--fps", fps]))
    assert code == 0, said
    assert "80 pictures" in said
    assert "1 horse" in said
    assert "Unknown 1" in said
    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [row["frame"] for row in rows] == list(range(80))
    assert np.allclose([row["time"] for row in rows], np.arange(80) / 20, atol=1e-3)
    assert sum(row["analysed"] for row in rows) == (80 if fps is None else 21)
    (horse,) = rows[41]["horses"]
    x0, y0, x1, y1 = walker(41 / 20)
    assert np.allclose(horse["bbox"], [x0, y0, x1 - x0, y1 - y0], atol=4)
    assert horse["interpolated"] is (fps is not None)
    assert len(horse["keypoints"]) == 60
    assert horse["horse"] in {"Unknown 1", None}
    with av.open(str(drawn)) as made:
        pictures = list(made.decode(video=0))
    assert len(pictures) == 80
    assert pictures[40].time == pytest.approx(2.0, abs=0.001)


def test_the_same_film_gives_the_same_lines(film: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run(film, "--json", tmp_path / name, "--fps", 5)[0] == 0
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()


BAD = {
    "empty.mp4": (b"", "is empty"),
    "text.mp4": (b"not a film at all\n" * 50, "not a video"),
    "cut.mp4": (None, "not a video"),
}


@pytest.mark.parametrize("name", [*BAD, "absent.mp4", "."])
def test_what_is_no_video_is_one_sentence_and_leaves_nothing_behind(film: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name in BAD:
        path.write_bytes(film.read_bytes()[:3000] if BAD[name][0] is None else BAD[name][0] or b"")
    outputs = tmp_path / "out"
    outputs.mkdir()
    code, said = run(path, "--json", outputs / "o.jsonl", "--video", outputs / "o.mp4")
    assert code == 2
    assert said.startswith("barnhand: ")
    assert len(said.strip().splitlines()) == 1
    assert BAD.get(name, (b"", ""))[1] in said
    assert list(outputs.iterdir()) == []


def test_an_output_that_was_there_survives_a_failure(tmp_path: Path) -> None:
    kept = tmp_path / "o.jsonl"
    kept.write_text("before")
    (tmp_path / "text.mp4").write_text("no film")
    assert run(tmp_path / "text.mp4", "--json", kept)[0] == 2
    assert kept.read_text() == "before"
