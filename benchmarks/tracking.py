"""BarnHand's tracker beside public Python trackers on the same detections: identity and speed.

    python -m benchmarks.tracking [--repeats 1] [--data ../shared/data] [--rendered FOLDER] [--embedder FILE] [--no-simulated]

Scenes: simulated ones (``benchmarks/scenes.py``); ``herd_beach`` with identities labelled by hand
(``training/labels/herd_beach_tracks.json``), at 30 and at 5 pictures a second; rendered videos with their truth beside them.
On video every tracker gets the boxes of BarnHand's detector, once; BarnHand's also asks its own embedder where there is one.
Times are processor time of the tracker alone, the best of ``--times`` runs: decoding, detection and embedding are not in it.
BarnHand's own camera motion is in its first two rows, which no peer but BoT-SORT measures; the third leaves it out.

Peers: ByteTrack of supervision (MIT), and ByteTrack, OC-SORT, BoT-SORT and C-BIoU of trackers (Apache-2.0), all from PyPI.
The latter wants opencv-python, which would overwrite the headless one: ``pip install --no-deps "trackers>=2.6"``; without it
its four are left out. Each is told the frame rate and to keep a lost animal for 10 s. Norfair needs numpy < 2 and boxmot is
AGPL-3.0: neither is here.
"""

import argparse
import contextlib
import importlib.util
import inspect
import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from barnhand.analyst.networks import track_options
from barnhand.cli.clip import open_clip
from barnhand.core.errors import NotFoundError
from barnhand.core.geometry import xyxy
from barnhand.detect import DetectOptions, Detector
from barnhand.identity.embedder import Embedder
from barnhand.networks.families import adapt
from barnhand.networks.session import Session
from barnhand.networks.shelf import Shelf
from barnhand.track import CameraOptions, Tracker, TrackOptions
from benchmarks.scenes import SCENES, Moment, play
from benchmarks.scores import Boxes, Score, score

Step = Callable[[Moment], Boxes]


@dataclass(frozen=True)
class Result:
    name: str
    score: Score
    ms: float


def ours(options: TrackOptions, *, looks: bool = True, camera: bool = True) -> Step:
    tracker = Tracker(replace(options, camera=CameraOptions(enabled=camera)))

    def step(moment: Moment) -> Boxes:
        embed = (lambda which: moment.looks[which]) if looks else None
        tracks = tracker.update(moment.frame, moment.detections, embed)
        return {t.track_id: t.box for t in tracks if t.seen}

    return step


def supervision_bytetrack(fps: float) -> Step:
    import supervision as sv

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tracker = sv.ByteTrack(frame_rate=round(fps), lost_track_buffer=300, track_activation_threshold=0.4)

    def step(moment: Moment) -> Boxes:
        found = tracker.update_with_detections(_supervision(moment))
        return dict(zip(found.tracker_id.tolist(), found.xyxy.astype(np.float32), strict=True)) if len(found) else {}

    return step


def _supervision(moment: Moment):
    import supervision as sv

    d = moment.detections
    return sv.Detections(xyxy=d.boxes.copy(), confidence=d.scores.copy(), class_id=np.zeros(len(d), int))


def roboflow(name: str) -> Callable[[float], Step]:
    def build(fps: float) -> Step:
        import trackers

        kind = getattr(trackers, name)
        wanted = {"lost_track_buffer": 300, "frame_rate": fps, "track_activation_threshold": 0.4}
        known = inspect.signature(kind.__init__).parameters
        tracker = kind(**{k: v for k, v in wanted.items() if k in known})
        with_frame = "frame" in inspect.signature(tracker.update).parameters

        def step(moment: Moment) -> Boxes:
            extra = {"frame": moment.frame.image} if with_frame else {}
            found = tracker.update(_supervision(moment), **extra)
            if not len(found) or found.tracker_id is None:
                return {}
            kept = found.tracker_id >= 0
            return dict(zip(found.tracker_id[kept].tolist(), found.xyxy[kept].astype(np.float32), strict=True))

        return step

    return build


PEERS: dict[str, Callable[[float], Step]] = {
    "ByteTrack (supervision)": supervision_bytetrack,
    "ByteTrack (trackers)": roboflow("ByteTrackTracker"),
    "OC-SORT (trackers)": roboflow("OCSORTTracker"),
    "BoT-SORT (trackers)": roboflow("BoTSORTTracker"),
    "C-BIoU (trackers)": roboflow("CBIoUTracker"),
}


def contenders(options: TrackOptions) -> dict[str, Callable[[float], Step]]:
    """BarnHand's tracker with ``options``, without looks, without camera motion, and the peers that are installed."""
    packages = {"(supervision)": "supervision", "(trackers)": "trackers"}
    missing = {mark for mark, package in packages.items() if importlib.util.find_spec(package) is None}
    return {
        "BarnHand": lambda _fps: ours(options),
        "BarnHand, no looks": lambda _fps: ours(options, looks=False),
        "  nor camera motion": lambda _fps: ours(options, looks=False, camera=False),
        **{name: build for name, build in PEERS.items() if not any(name.endswith(mark) for mark in missing)},
    }


def race(
    moments: Sequence[Moment],
    fps: float,
    judged: Sequence[bool] | None = None,
    options: TrackOptions | None = None,
    times: int = 1,
) -> list[Result]:
    """Every contender over the same pictures; only ``judged`` pictures count (all by default)."""
    results = []
    for name, build in contenders(options or TrackOptions()).items():
        spent = []
        for _ in range(times):
            step, found = build(fps), []
            began = time.process_time()
            for moment in moments:
                found.append(step(moment))
            spent.append(time.process_time() - began)
        keep = [True] * len(moments) if judged is None else list(judged)
        truth = [m.truth for m, k in zip(moments, keep, strict=True) if k]
        seen = [f for f, k in zip(found, keep, strict=True) if k]
        results.append(Result(name, score(truth, seen), 1000 * min(spent) / len(moments)))
    return results


def show(title: str, results: Sequence[Result]) -> None:
    print(f"\n{title}")
    print(f"{'':26}{'HOTA':>7}{'AssA':>7}{'IDF1':>7}{'switches':>10}{'ms/frame':>10}")
    for r in results:
        s = r.score
        print(f"{r.name:26}{s.hota:7.3f}{s.assa:7.3f}{s.idf1:7.3f}{s.switches:10d}{r.ms:10.2f}")


def mean(rows: Sequence[Sequence[Result]]) -> list[Result]:
    out = []
    for column in zip(*rows, strict=True):
        s = [r.score for r in column]
        whole = Score(
            float(np.mean([v.hota for v in s])),
            float(np.mean([v.assa for v in s])),
            float(np.mean([v.deta for v in s])),
            float(np.mean([v.idf1 for v in s])),
            sum(v.switches for v in s),
        )
        out.append(Result(column[0].name, whole, float(np.mean([r.ms for r in column]))))
    return out


LABELS = Path(__file__).parents[1] / "training/labels/herd_beach_tracks.json"


def herd(data: Path, embedder: Embedder | None) -> Iterator[tuple[str, list[Moment], float, list[bool]]]:
    """``herd_beach`` with the labelled identities, every picture and every sixth."""
    labels = json.loads(LABELS.read_text())
    names = sorted({name for horses in labels["frames"].values() for name in horses})
    truth = {
        int(number): {names.index(name): xyxy(np.array([box], np.float32))[0] for name, box in horses.items()}
        for number, horses in labels["frames"].items()
    }
    moments = list(watched(data / "video" / labels["video"], truth, embedder))
    yield "herd_beach, 30 fps", moments, 30.0, [k in truth for k in range(len(moments))]
    yield "herd_beach, 5 fps", moments[::6], 5.0, [k in truth for k in range(0, len(moments), 6)]


def rendered(folder: Path, embedder: Embedder | None) -> Iterator[tuple[str, list[Moment], float, list[bool]]]:
    """Videos with ``NAME.json`` beside ``NAME.mp4``, five pictures a second."""
    for path in sorted(folder.glob("*.mp4")):
        side = path.with_suffix(".json")
        if not side.is_file():
            continue
        told = json.loads(side.read_text())
        truth = {k: boxes_of(frame) for k, frame in enumerate(told["frames"])}
        if len({horse for boxes in truth.values() for horse in boxes}) < 2:
            continue
        fps = float(told.get("fps", 25))
        step = max(1, round(fps / 5))
        moments = list(watched(path, truth, embedder, step))
        yield f"{path.stem}, {fps / step:g} fps", moments, fps / step, [True] * len(moments)


def boxes_of(frame: dict[str, Any]) -> Boxes:
    """Identity → box of the horses of a rendered picture that show at least a quarter of themselves."""
    out: Boxes = {}
    for horse in frame.get("horses", []):
        if not horse["visible"] or "bbox" not in horse:
            continue
        if 1.0 - float(horse.get("occlusion", 0.0)) - float(horse.get("truncation", 0.0)) >= 0.25:
            number = int.from_bytes(str(horse["identity"]).encode(), "big")
            out[number] = xyxy(np.array([horse["bbox"]], np.float32))[0]
    return out


def embedder_at(path: Path | None) -> Embedder | None:
    """The network in the file, by default the embedded one; ``None`` where there is none."""
    if path is not None:
        return Embedder(adapt(Session(path)))  # type: ignore[arg-type]
    with contextlib.suppress(NotFoundError):
        return Embedder.load(Shelf(None))
    return None


def watched(path: Path, truth: dict[int, Boxes], embedder: Embedder | None, step: int = 1) -> Iterator[Moment]:
    """A video's pictures with detections and, where there is an embedder, looks (NaN where there is none)."""
    detector = Detector.load(Shelf(None), DetectOptions(threshold=0.1))
    with open_clip(path) as clip:
        for number, frame in enumerate(clip.frames()):
            if number % step:
                continue
            (found,) = detector.detect([frame.image])
            looks = np.full((len(found), 1), np.nan, np.float32)
            if embedder is not None:
                looks = embedder.embed(frame.image, found.boxes)
            yield Moment(frame, found, looks, truth.get(number, {}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1, help="seeds a simulated scene")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with video/herd_beach.mp4")
    parser.add_argument("--rendered", type=Path, default=Path("src/barnhand/demo"), help="videos with truth beside them")
    parser.add_argument("--embedder", type=Path, help="network that tells horses apart; the embedded one by default")
    parser.add_argument("--times", type=int, default=3, help="runs of which the fastest counts")
    parser.add_argument("--no-simulated", action="store_true", help="leave the simulated scenes out")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    # As in the analyst: a second thread that waits for work would count as processor time, for the peers too.
    cv2.setNumThreads(1)
    embedder = embedder_at(args.embedder)
    options = track_options(embedder, TrackOptions())
    if (args.data / "video/herd_beach.mp4").is_file():
        for title, moments, fps, judged in herd(args.data, embedder):
            show(title, race(moments, fps, judged, options, args.times))
    for title, moments, fps, judged in rendered(args.rendered, embedder) if args.rendered.is_dir() else ():
        show(f"rendered: {title}", race(moments, fps, judged, options, args.times))
    if not args.no_simulated:
        simulated(args.repeats)


def simulated(repeats: int) -> None:
    every: list[list[Result]] = []
    for scene in SCENES:
        rows = []
        for again in range(repeats):
            moments = list(play(replace(scene, seed=scene.seed + 100 * again)))
            rows.append(race(moments, scene.fps))
        every.append(mean(rows))
        show(f"simulated: {scene.name} ({scene.horses} horses, {scene.fps:g} fps, {repeats} seeds)", every[-1])
    show("simulated, all", mean(every))


if __name__ == "__main__":
    main()
