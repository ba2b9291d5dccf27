import shutil
from pathlib import Path

import pytest
from tests.cli.stable import write_picture, write_video

from barnhand.cli.pictures import Source, gather, read
from barnhand.core.errors import MediaError


def told(paths: list[Path]) -> tuple[list[str], list[str]]:
    sources, complaints = gather(paths)
    return [source.name for source in sources], complaints


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a.PNG", "sub/c.jpg", "sub/clip.mp4", "notes.txt", ".hidden.jpg", ".cache/d.jpg"):
        (tmp_path / "stable" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stable" / name).touch()
    return tmp_path / "stable"


def test_a_folder_gives_its_pictures_and_videos_by_their_place_in_it(folder: Path) -> None:
    assert told([folder]) == (["a.PNG", "b.jpg", "sub/c.jpg", "sub/clip.mp4"], [])


def test_files_are_called_by_their_names(folder: Path) -> None:
    assert told([folder / "sub/c.jpg", folder / "b.jpg"]) == (["c.jpg", "b.jpg"], [])


def test_a_file_named_twice_is_read_once(folder: Path) -> None:
    assert told([folder / "b.jpg", folder, folder / "sub" / ".." / "b.jpg"])[0] == [
        "b.jpg",
        "a.PNG",
        "sub/c.jpg",
        "sub/clip.mp4",
    ]


def test_files_of_one_name_are_called_by_their_paths(folder: Path) -> None:
    shutil.copy(folder / "b.jpg", folder / "sub" / "b.jpg")
    names, _ = told([folder / "b.jpg", folder / "sub" / "b.jpg"])
    assert names == [(folder / "b.jpg").as_posix(), (folder / "sub" / "b.jpg").as_posix()]


def test_what_gives_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    names, complaints = told([tmp_path / "empty", tmp_path / "nothing.jpg"])
    assert names == []
    assert complaints == [
        f"the folder {tmp_path / 'empty'} has no pictures or videos in it",
        f"there is no file or folder {tmp_path / 'nothing.jpg'}",
    ]


def test_a_video_gives_its_pictures_with_their_index(tmp_path: Path) -> None:
    source = Source("walk.mp4", write_video(tmp_path / "walk.mp4", 6))
    assert [picture.file_name for picture in read(source)] == [f"walk.mp4#{index:06d}" for index in range(6)]
    some = list(read(source, every=4))
    assert [picture.frame for picture in some] == [0, 4]
    assert some[0].rate == 2.5
    assert some[0].image.shape == (240, 320, 3)


UNREADABLE = {
    "empty.jpg": (b"", "is empty"),
    "text.png": (b"hello", "is damaged or not a picture BarnHand can read"),
    "text.mp4": (b"hello", "is damaged or not a video BarnHand can read"),
    "page.html": (b"<html>", "is damaged or not a picture BarnHand can read"),
}


@pytest.mark.parametrize(("name", "content", "message"), [(k, *v) for k, v in UNREADABLE.items()])
def test_what_cannot_be_read_says_so(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError, match=f"{name} {message}"):
        list(read(Source(name, tmp_path / name)))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_picture_is_damaged(tmp_path: Path, share: float) -> None:
    path = write_picture(tmp_path / "cut.jpg")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(MediaError, match=r"cut\.jpg is damaged"):
        list(read(Source("cut.jpg", path)))


def test_a_cut_video_is_damaged(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mp4")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(MediaError, match=r"cut\.mp4 is damaged"):
        list(read(Source("cut.mp4", path)))
