"""The committed demo footage: what its ground truth says is what its files hold."""

import av
import pytest

from barnhand import demo

SECONDS = (30, 60)
ALL_BYTES = 12_000_000


@pytest.fixture(params=demo.FILMS)
def film(request: pytest.FixtureRequest) -> demo.Film:
    return demo.film(request.param)


def test_truth_has_one_entry_a_frame(film: demo.Film) -> None:
    truth = film.read_truth()
    with av.open(str(film.video)) as container:
        stream = container.streams.video[0]
        packets = [p for p in container.demux(stream) if p.size]
        assert len(packets) == truth["frame_count"] == len(truth["frames"])
        assert float(stream.average_rate) == truth["fps"]
        assert (stream.width, stream.height) == (truth["width"], truth["height"])
        assert stream.codec_context.pix_fmt == "yuv420p"


def test_a_film_lasts_half_a_minute_to_a_minute(film: demo.Film) -> None:
    truth = film.read_truth()
    assert SECONDS[0] <= truth["frame_count"] / truth["fps"] <= SECONDS[1]


def test_there_is_a_key_frame_every_two_seconds_and_no_b_frame(film: demo.Film) -> None:
    truth = film.read_truth()
    with av.open(str(film.video)) as container:
        packets = [p for p in container.demux(container.streams.video[0]) if p.size]
    keys = [n for n, p in enumerate(packets) if p.is_keyframe]
    assert keys == list(range(0, len(packets), 2 * truth["fps"]))
    assert all(p.pts == p.dts for p in packets)


def test_boxes_and_joints_lie_in_the_picture(film: demo.Film) -> None:
    truth = film.read_truth()
    shown = 0
    for frame in truth["frames"]:
        for horse in frame["horses"]:
            if not horse["visible"]:
                assert "bbox" not in horse
                continue
            shown += 1
            x, y, w, h = horse["bbox"]
            assert x >= 0
            assert x + w <= truth["width"]
            assert y >= 0
            assert y + h <= truth["height"]
            points = horse["keypoints"]
            assert len(points) == 3 * len(truth["keypoint_names"]) == 60
            for px, py, v in zip(points[0::3], points[1::3], points[2::3], strict=True):
                if v == 2:
                    assert x - 4 <= px <= x + w + 4
                    assert y - 4 <= py <= y + h + 4
    assert shown > 0


@pytest.mark.parametrize(
    ("name", "activities"),
    [
        ("stall_night", {"standing", "looking_at_flank", "lying_down", "lying", "lying_flat", "rising"}),
        ("paddock", {"standing", "grazing", "walking", "trotting"}),
        ("aisle", {"walking"}),
        ("arena", {"walking", "trotting", "cantering"}),
    ],
)
def test_each_film_shows_what_it_is_for(name: str, activities: set[str]) -> None:
    frames = demo.film(name).read_truth()["frames"]
    assert activities <= {h["activity"] for f in frames for h in f["horses"]}


def test_two_horses_cross_leave_and_return_in_the_paddock() -> None:
    frames = demo.film("paddock").read_truth()["frames"]
    names = {h["identity"] for f in frames for h in f["horses"]}
    assert len(names) == 2
    assert any(h["visible"] and h["occlusion"] > 0.2 for f in frames for h in f["horses"]), "one walks behind the other"
    for name in names:
        seen = [next(h["visible"] for h in f["horses"] if h["identity"] == name) for f in frames]
        gone = seen.index(False)
        assert seen[0], f"{name} is there at first"
        assert any(seen[gone:]), f"{name} comes back"


def test_the_aisle_is_empty_most_of_the_time() -> None:
    frames = demo.film("aisle").read_truth()["frames"]
    busy = sum(bool(f.get("others")) or any(h["visible"] for h in f["horses"]) for f in frames)
    assert 0.2 < busy / len(frames) < 0.6
    assert any(f.get("others") for f in frames)


def test_all_films_together_are_small_enough_to_commit() -> None:
    assert sum(f.video.stat().st_size + f.truth.stat().st_size for f in demo.films()) <= ALL_BYTES


def test_an_unknown_film_is_refused_with_the_choice() -> None:
    with pytest.raises(ValueError, match="stall_night"):
        demo.film("manege")
