"""Pictures in, observations out: the order of the stages and what each contributes."""

from pathlib import Path

import numpy as np
import pytest
from tests.analyst.blobs import HEIGHT, WIDTH, BlobDetector, BlobEmbedder, BlobPose, frame, walker
from tests.networks import known

from barnhand.analyst.glimpses import is_grey, kind_of, qualities
from barnhand.analyst.networks import gallery_for, track_options
from barnhand.analyst.pipeline import Pipeline
from barnhand.analyst.stages import Stages
from barnhand.core.identity import Certainty
from barnhand.core.observation import Observation
from barnhand.core.pose import Pose
from barnhand.core.skeleton import load_skeleton
from barnhand.identity.embedder import Embedder
from barnhand.identity.gallery import Gallery
from barnhand.networks.families import adapt
from barnhand.networks.session import Session
from barnhand.track import TrackOptions


def stages() -> Stages:
    return Stages(BlobDetector(), BlobPose(), BlobEmbedder())


def run(pipeline: Pipeline, seconds: float, fps: float = 5, start: float = 0, **blobs: float) -> list[Observation]:
    times = start + np.arange(round(seconds * fps)) / fps
    return [pipeline.process(frame({k: walker(t, speed=v) for k, v in blobs.items()}, t)) for t in times.tolist()]


def test_a_walking_horse_is_followed_named_and_measured() -> None:
    observations = run(Pipeline(stages(), Gallery(12)), 5, red=30)
    assert observations[0].horses == ()
    last = observations[-1]
    (horse,) = last.horses
    assert (last.width, last.height, last.stream_id) == (WIDTH, HEIGHT, "cam")
    assert horse.track_id == 1
    assert {h.track_id for o in observations for h in o.horses} == {1}
    assert np.allclose(horse.box, walker(4.8, speed=30), atol=3)
    assert horse.identity.name == "Unknown 1"
    assert horse.identity.certainty is Certainty.UNKNOWN
    assert horse.pose is not None
    assert horse.pose.points[0] == pytest.approx(horse.box[:2], abs=4)
    assert horse.metrics["velocity"] == pytest.approx(30 / (np.sqrt(70 * 50) * 0.87), rel=0.35)
    assert Observation.from_dict(last.to_dict()).to_dict() == last.to_dict()


def test_the_box_is_that_of_the_detector_also_where_a_horse_sets_off_at_once() -> None:
    pipeline = Pipeline(stages())
    run(pipeline, 2, red=0)
    there = walker(0, speed=0) + np.array([12, 0, 12, 0])
    picture = frame({"red": there}, 2.0)
    (horse,) = pipeline.process(picture).horses
    (found,) = BlobDetector().detect([picture.image])
    np.testing.assert_array_equal(horse.box, found.boxes[0])
    (track,) = pipeline.tracks
    assert np.abs(track.box - horse.box).max() > 0.5


def test_a_standing_horse_has_a_speed_near_zero_and_no_stride() -> None:
    (horse,) = run(Pipeline(stages()), 3, red=0)[-1].horses
    assert horse.metrics["velocity"] == pytest.approx(0, abs=0.05)
    assert horse.metrics["stride_frequency"] is None
    assert horse.metrics["gait"] == 0


def test_every_stage_but_detection_may_be_missing() -> None:
    (horse,) = run(Pipeline(Stages(BlobDetector())), 2, red=20)[-1].horses
    assert horse.pose is None
    assert horse.identity.horse_id is None
    assert "points_seen" not in horse.metrics


def test_the_same_pictures_give_the_same_observations() -> None:
    first, second = (run(Pipeline(stages(), Gallery(12)), 3, red=30, blue=12) for _ in range(2))
    assert [o.to_dict() for o in first] == [o.to_dict() for o in second]


def test_detections_made_in_a_batch_are_taken() -> None:
    pipeline, detector = Pipeline(stages()), BlobDetector()
    for k in range(5):
        picture = frame({"red": walker(k / 5)}, k / 5)
        observation = pipeline.process(picture, detector.detect([picture.image])[0])
    assert len(observation.horses) == 1


def test_a_successor_goes_on_with_the_same_tracks() -> None:
    first = Pipeline(stages())
    before = run(first, 3, red=30, blue=10)[-1]
    second = Pipeline(stages(), first_id=100)
    second.restore(first.state())
    after = run(second, 1, start=3, red=30, blue=10)[-1]
    assert {h.track_id: h.color for h in after.horses} == {h.track_id: h.color for h in before.horses}


@pytest.mark.parametrize(
    ("box", "other", "expected"),
    [
        ((50, 50, 150, 150), None, 0.9),
        ((50, 50, 82, 150), None, 0.45),
        ((0, 50, 150, 150), None, 0.54),
        ((50, 50, 150, 150), (100, 0, 200, 150), 0.45),
    ],
    ids=["free", "small", "cut by the border", "half covered"],
)
def test_quality_of_a_view(box: tuple[float, ...], other: tuple[float, ...] | None, expected: float) -> None:
    boxes = np.array([box] + ([other] if other else []), np.float32)
    assert qualities(boxes, np.full(len(boxes), 0.9, np.float32), 640, 360)[0] == pytest.approx(expected, abs=0.01)


def test_what_a_look_shows() -> None:
    skeleton = load_skeleton("horse-20")
    box = np.array([0, 0, 100, 60], np.float32)
    points, scores = np.zeros((20, 2), np.float32), np.ones(20, np.float32)
    points[skeleton.index("nose")], points[skeleton.index("tail_base")] = (90, 20), (10, 20)
    assert kind_of(Pose("horse-20", points, scores), box, grey=False) == "right"
    points[skeleton.index("tail_base")] = (80, 20)
    assert kind_of(Pose("horse-20", points, scores), box, grey=True) == "end-night"
    assert kind_of(None, box, grey=False) == "any"
    assert is_grey(np.full((200, 200, 3), 90, np.uint8))
    assert not is_grey(frame({"red": (0, 0, 200, 190)}, 0).image)


def test_tracker_and_gallery_go_by_what_the_network_says_of_its_similarities(tmp_path: Path) -> None:
    said = '{"same": {"mean": 0.7, "std": 0.1}, "different": {"mean": 0.2, "std": 0.1}}'
    network = adapt(Session(known.barnhand_embedder(tmp_path / "looks.onnx", {"barnhand.distances": said})))
    embedder = Embedder(network)  # type: ignore[arg-type]
    options = track_options(embedder, TrackOptions(keep_s=7))
    assert (options.same, options.different, options.keep_s) == (0.7, 0.2, 7)
    assert 0.45 < options.recall < 0.7
    silent = Embedder(adapt(Session(known.barnhand_embedder(tmp_path / "silent.onnx"))))  # type: ignore[arg-type]
    assert track_options(silent, TrackOptions()) == track_options(BlobEmbedder(), TrackOptions()) == TrackOptions()
    gallery = gallery_for(Stages(BlobDetector(), embed=embedder))
    assert gallery is not None
    row = {"horse_id": "h", "kind": "left", "embedding": [1.0] + [0.0] * (embedder.size - 1), "taken_us": 1}
    gallery.apply("horse", {"id": "h", "name": "Bella", "stranger": False})
    gallery.apply("look", {**row, "network": Embedder(silent.network).mark})
    assert gallery.horses()[0].looks == []
    gallery.apply("look", {**row, "network": embedder.mark})
    assert len(gallery.horses()[0].looks) == 1
