"""The whole flow, measured: analysis a core, latency and alignment read from the page itself, and how fast it heals.

    python -m benchmarks.flow [--seconds 20] [--parts analysis,page,healing]

Recording is measured by ``python -m benchmarks.recording``, which this runs first unless ``--parts`` leaves it out. Every
figure is printed beside a yardstick or a goal from the same run, for machines are noisy.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from barnhand.core.frame import Frame
from barnhand.core.time import PTS_HZ, SECOND_US
from barnhand.demo import films
from benchmarks.yard import PASSWORD, Cameras, Yard, until

ANALYSED_FPS = 5
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
Row = tuple[str, str, str]


def decoded(path: Path, seconds: float, skip_loop_filter: bool) -> Iterator[tuple[int, av.VideoFrame]]:
    """Every picture of a clip, by number, as a live analyst must decode them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        if skip_loop_filter:
            stream.codec_context.options = {"skip_loop_filter": "all"}
        rate = float(stream.average_rate or 25)
        for number, frame in enumerate(container.decode(stream)):
            if number > seconds * rate:
                return
            yield number, frame


def our_share(path: Path, seconds: float) -> float:
    """Processor seconds a second of video: decode, detect, track, identify, pose and gait at 5 pictures a second."""
    from barnhand.analyst.networks import gallery_for
    from barnhand.analyst.pipeline import Pipeline
    from barnhand.app.analysis import open_stages

    stages = open_stages(Path("/nonexistent"), "cpu")
    pipeline = Pipeline(stages, gallery_for(stages))
    step, last = 25 // ANALYSED_FPS, 0
    begun = time.process_time()
    for number, picture in decoded(path, seconds, skip_loop_filter=True):
        if number % step == 0:
            wall_us = 1_800_000_000 * SECOND_US + number * SECOND_US // 25
            pipeline.process(Frame("bench", wall_us, wall_us * 9 // 100, picture.to_ndarray(format="bgr24")))
        last = number
    return (time.process_time() - begun) / ((last + 1) / 25)


def public_share(path: Path, seconds: float, models: Path) -> float:
    """The same from public parts that find and follow only: YOLOX-nano (COCO, fp32) and supervision's ByteTrack."""
    import onnxruntime as ort
    import supervision as sv

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(models / "yolox_nano_coco.onnx"), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    grid, strides = [], []
    for stride in (8, 16, 32):
        y, x = np.mgrid[: 416 // stride, : 416 // stride]
        grid.append(np.stack([x, y], 2).reshape(-1, 2))
        strides.append(np.full((grid[-1].shape[0], 1), stride))
    offsets, scales = np.concatenate(grid), np.concatenate(strides)
    tracker = sv.ByteTrack(frame_rate=ANALYSED_FPS)
    step, last = 25 // ANALYSED_FPS, 0
    begun = time.process_time()
    for number, picture in decoded(path, seconds, skip_loop_filter=False):
        last = number
        if number % step:
            continue
        image = picture.to_ndarray(format="bgr24")
        scale = min(416 / image.shape[0], 416 / image.shape[1])
        small = cv2.resize(image, None, fx=scale, fy=scale)
        square = np.full((416, 416, 3), 114, np.uint8)
        square[: small.shape[0], : small.shape[1]] = small
        out = session.run(None, {name: square.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
        score = out[:, 4] * out[:, 5 + 17]
        centre, size = (out[:, :2] + offsets) * scales, np.exp(out[:, 2:4]) * scales
        boxes = np.concatenate([centre - size / 2, centre + size / 2], 1) / scale
        keep = score > 0.1
        found = sv.Detections(boxes[keep], confidence=score[keep], class_id=np.zeros(int(keep.sum()), int))
        tracker.update_with_detections(found.with_nms(0.6))
    return (time.process_time() - begun) / ((last + 1) / 25)


def analysis(seconds: float, models: Path) -> list[Row]:
    """Cameras with one horse a core."""
    path = next(film.video for film in films() if film.name == "arena")
    ours, public = [], []
    for _ in range(3):
        ours.append(our_share(path, seconds))
        if (models / "yolox_nano_coco.onnx").exists():
            public.append(public_share(path, seconds, models))
    mine = statistics.median(ours)
    rows = [("cameras a core at 5 analysed pictures/s, one horse: all stages", f"{1 / mine:.1f}", "goal ≥ 4")]
    if public:
        theirs = statistics.median(public)
        rows.append(("… YOLOX-nano and ByteTrack from public parts: boxes and tracks only", f"{1 / theirs:.1f}", ""))
        rows.append(("processor time of all our stages ÷ that of the public parts", f"{mine / theirs:.2f}", "in one run"))
    return rows


def page(yard: Yard, stream_id: str, seconds: float) -> list[Row]:
    """Latencies and alignment, from the hooks the page offers (docs/design/web.md)."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 800}, base_url=yard.address)
        tab.request.post("/v1/session", data={"email": "owner@yard.example", "password": PASSWORD})
        tab.goto(f"/cameras/{stream_id}")
        tab.wait_for_function("() => window.__barnhand && window.__barnhand.frames().length > 100", timeout=60_000)
        rows: list[Row] = []
        for pace in ("locked", "live"):
            tab.evaluate("pace => localStorage.setItem('barnhand.overlay', JSON.stringify({state: {pace}, version: 0}))", pace)
            tab.reload()
            tab.wait_for_function("() => window.__barnhand && window.__barnhand.frames().length > 50", timeout=60_000)
            tab.wait_for_timeout(5_000)
            tab.evaluate("() => window.__barnhand.clear()")
            tab.wait_for_timeout(round(seconds * 1000))
            frames = tab.evaluate("() => window.__barnhand.frames()")
            seen = tab.evaluate("() => window.__barnhand.observations()")
            delay = [frame["displayMs"] - frame["pts"] / PTS_HZ * 1000 for frame in frames]
            goal = "goal ≤ 300 ms" if pace == "live" else "as much as the analysis needs"
            rows.append((f"camera to pixel, median ({pace})", f"{statistics.median(delay):.0f} ms", goal))
            if pace == "live" and seen:
                late = [item["arrivedMs"] - item["pts"] / PTS_HZ * 1000 for item in seen]
                rows.append(
                    ("camera to overlay data in the page, median", f"{statistics.median(late):.0f} ms", "goal ≤ 800 ms")
                )
            if pace == "locked":
                observed = [frame for frame in frames if frame["kind"] == "observed"]
                apart = [abs(frame["drawnPts"] - frame["pts"]) for frame in observed]
                drawn = sum(frame["kind"] in {"observed", "between"} for frame in frames)
                rows.append(("pictures with an overlay of their own (locked)", f"{drawn} of {len(frames)}", ""))
                rows.append(("overlay misalignment, worst", f"{max(apart, default=0) / PTS_HZ * 25:.2f} frames", "goal 0"))
        browser.close()
    return rows


def healing(yard: Yard, stream_id: str, cameras: Cameras) -> list[Row]:
    """Seconds until the service is whole after a kill -9, and until a camera that came back is recorded."""
    rows: list[Row] = []

    def whole() -> bool:
        state = yard.stream(stream_id)["state"]
        return bool(yard.ready() and state and state["cause"] == "none")

    for name in ("recorder", "analyst", "api", "writer", "valkey", "postgres", "supervisor"):
        before = yard.processes()
        pid = yard.kill(name)
        begun, killed = time.monotonic(), time.time()

        def back(name: str = name, pid: int = pid, before: dict[str, int] = before, killed: float = killed) -> bool:
            try:
                if not (newest(yard, stream_id) > killed and whole() and seen_after(yard, stream_id, killed)):
                    return False
                now = yard.processes()  # last, for looking through all processes takes time from those that start
                return now.get(name) not in {None, pid} and before.keys() <= now.keys()
            except OSError:
                return False
            except Exception as error:
                if type(error).__module__.startswith("httpx"):
                    return False
                raise

        until(back, 60, f"{name} is back")
        rows.append(
            (f"recorded, analysed and stored again after kill -9 of {name}", f"{time.monotonic() - begun:.1f} s", "goal ≤ 5 s")
        )
        time.sleep(3)
    cameras.stop()
    time.sleep(30)
    begun = time.monotonic()
    cameras.start()

    def recorded() -> bool:
        chunks = yard.chunks(stream_id)
        return bool(chunks) and whole() and newest(yard, stream_id) > begun_wall

    begun_wall = time.time()
    until(recorded, 60, "the camera is recorded again")
    rows.append(("recorded again after the camera was away for 30 s", f"{time.monotonic() - begun:.1f} s", "goal ≤ 3 s"))
    return rows


def seen_after(yard: Yard, stream_id: str, moment: float) -> bool:
    """Whether a detection of a picture taken after ``moment`` (s since the epoch) is in the database."""
    since = datetime.fromtimestamp(moment, UTC).isoformat()
    answer = yard.client.get("/v1/detections", params={"stream_id": stream_id, "start_time": since, "limit": 1})
    return answer.is_success and bool(answer.json())


def newest(yard: Yard, stream_id: str) -> float:
    """When the newest chunk file of a stream was last written to (s since the epoch)."""
    return max(path.stat().st_mtime for path in (yard.folder / "recordings" / stream_id).rglob("*.mp4"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--parts", default="recording,analysis,page,healing")
    parser.add_argument("--models", type=Path, default=Path("../shared/models"), help="where the yardstick network is")
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    rows: list[Row] = []
    if "recording" in parts:
        subprocess.run([sys.executable, "-m", "benchmarks.recording"], check=True)
    if "analysis" in parts:
        rows += analysis(arguments.seconds, arguments.models)
    if {"page", "healing"} & set(parts):
        with tempfile.TemporaryDirectory(prefix="barnhand-bench-") as scratch:
            Path(scratch).chmod(0o755)
            cameras = Cameras({film.name: film.video for film in films()})
            cameras.start()
            with Yard(Path(scratch) / "data", {"BARNHAND_ANALYSTS": "1", "BARNHAND_MIN_FREE_GB": "0"}) as yard:
                stream_id = yard.add("Arena", cameras.url("arena"))
                until(lambda: yard.client.get("/v1/detections", params={"stream_id": stream_id}).json(), 90, "a detection")
                if "page" in parts:
                    rows += page(yard, stream_id, arguments.seconds)
                if "healing" in parts:
                    rows += healing(yard, stream_id, cameras)
                yard.stop()
                rows.append(("second start until the page answers", f"{yard.start():.1f} s", "goal < 5 s"))
            cameras.stop()
    table = Table("figure", "measured", "beside")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
