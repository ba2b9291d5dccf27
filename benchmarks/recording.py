"""What recording costs: CPU share per 1080p25 camera, beside ffmpeg copying the same source in the same run.

    python benchmarks/recording.py [--cameras 8] [--seconds 30] [--clip FILE] [--transport tcp|udp]

The server that plays the cameras, the recorder and ffmpeg are processes of their own; only the CPU time of the recorder
and of ffmpeg is counted (user and system, of the process and its threads), from after connecting until the end. Latency is
from the moment a packet was demuxed until the publisher's thread is given its fragment; the camera's own delay and FFmpeg's
parser (one frame) come before it.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from barnhand.core.media import Fragment, InitSegment
from barnhand.core.stream import SourceType, Stream, StreamState
from barnhand.core.time import SystemClock
from barnhand.recorder.options import RecorderOptions
from barnhand.recorder.recorder import Recorder
from barnhand.sources.rtsp_server import RtspServer

TICKS = os.sysconf("SC_CLK_TCK")


class Meter:
    """A publisher that notes how old each picture is when it could be sent."""

    def __init__(self) -> None:
        self.ages_us: list[int] = []
        self.bytes = 0

    def publish_init(self, init: InitSegment) -> None:
        pass

    def publish_fragments(self, fragments: Sequence[Fragment]) -> None:
        now = time.time_ns() // 1000
        for fragment in fragments:
            self.bytes += len(fragment.data)
            if fragment.video and fragment.pts in ARRIVED:
                self.ages_us.append(now - ARRIVED.pop(fragment.pts))

    def publish_state(self, state: StreamState) -> None:
        pass

    def publish_event(self, name: str, payload: Mapping[str, Any]) -> None:
        pass


ARRIVED: dict[int, int] = {}


class Lines:
    """A spool that writes lines to a file, as the real one does."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def append(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self._file.write(json.dumps([kind, row]) + "\n")


def make_clip(path: Path, seconds: int = 8) -> None:
    """1080p25 H.264 of about 4 Mbit/s with a key frame each two seconds, as stable cameras are set."""
    chance = np.random.default_rng(1)
    ground = chance.integers(60, 180, (1080, 1920, 3), np.uint8)
    options = {"preset": "veryfast", "g": "50", "x264-params": "keyint=50:min-keyint=50:scenecut=0:bframes=0"}
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options=options)
        video.width, video.height, video.pix_fmt, video.bit_rate = 1920, 1080, "yuv420p", 4_000_000
        for number in range(25 * seconds):
            image = np.roll(ground, number * 4, axis=1)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))


def serve(clip: Path, cameras: int, port: "multiprocessing.Queue[int]") -> None:
    async def run() -> None:
        server = RtspServer({f"cam{n}": clip for n in range(cameras)})
        port.put(await server.start())
        await asyncio.Event().wait()

    asyncio.run(run())


def cpu_s(pid: int) -> float:
    """User and system seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def record(urls: list[str], seconds: float, folder: Path, transport: str, latency: bool) -> dict[str, float]:
    sys.setswitchinterval(0.001)
    meter = Meter()
    if latency:
        _note_arrivals()
    recorder = Recorder(folder, meter, Lines(folder / "rows.jsonl"), SystemClock(), RecorderOptions(free_bytes=0))
    streams = [Stream(f"cam{n}", f"Box {n}", SourceType.RTSP, url, {"transport": transport}) for n, url in enumerate(urls)]
    recorder.reconcile(streams)
    time.sleep(6)
    begun, used, bytes_before = time.monotonic(), cpu_s(os.getpid()), meter.bytes
    meter.ages_us.clear()
    time.sleep(seconds)
    wall = time.monotonic() - begun
    share = (cpu_s(os.getpid()) - used) / wall / len(urls)
    rate = (meter.bytes - bytes_before) / wall / len(urls) * 8 / 1e6
    states = [state.status.value for state in recorder.states().values()]
    recorder.stop()
    rss = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    ages = sorted(meter.ages_us) or [0]
    return {
        "cpu_percent": 100 * share,
        "mbit_s": rate,
        "active": states.count("active"),
        "p50_ms": statistics.median(ages) / 1000,
        "p95_ms": ages[int(len(ages) * 0.95)] / 1000,
        "fps": len(ages) / wall / len(urls),
        "rss_mb": rss,
    }


def _note_arrivals() -> None:
    """Keep each picture's arrival by its place, which is where the fragment's age is looked up."""
    from barnhand.recorder.timeline import Placed, Timeline

    place = Timeline._put

    def noting(self: Timeline, packet: Any) -> Placed | None:
        placed = place(self, packet)
        if placed is not None and packet.video:
            ARRIVED[placed.pts] = packet.arrived_us
        return placed

    Timeline._put = noting  # type: ignore[method-assign]


def recorder_process(queue: "multiprocessing.Queue[dict[str, float]]", *arguments: Any) -> None:
    queue.put(record(*arguments))


def ffmpeg_binary() -> str | None:
    found = shutil.which("ffmpeg")
    if found is None:
        try:
            import imageio_ffmpeg
        except ImportError:
            return None
        found = str(imageio_ffmpeg.get_ffmpeg_exe())
    return found


def ffmpeg(binary: str, urls: list[str], seconds: float, folder: Path, transport: str) -> float:
    """CPU share a camera of one ffmpeg a camera, copying into 10 s segments."""
    processes = [
        subprocess.Popen(
            [
                binary,
                "-nostdin",
                "-v",
                "error",
                "-rtsp_transport",
                transport,
                "-i",
                url,
                "-c",
                "copy",
                "-f",
                "segment",
                "-segment_time",
                "10",
                str(folder / f"cam{n}-%05d.mp4"),
            ]
        )
        for n, url in enumerate(urls)
    ]
    time.sleep(8)
    begun = time.monotonic()
    used = sum(cpu_s(p.pid) for p in processes)
    time.sleep(seconds)
    share = (sum(cpu_s(p.pid) for p in processes) - used) / (time.monotonic() - begun) / len(urls)
    alive = sum(process.poll() is None for process in processes)
    if alive < len(processes):
        print(f"  ffmpeg               {len(processes) - alive} of {len(processes)} gave up: its share is too low")
    for process in processes:
        process.terminate()
        process.wait()
    return 100 * share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--transport", choices=["tcp", "udp"], default="tcp")
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = given.clip or folder / "clip.mp4"
        if given.clip is None:
            make_clip(clip)
        ports: multiprocessing.Queue[int] = context.Queue()
        server = context.Process(target=serve, args=(clip, given.cameras, ports), daemon=True)
        server.start()
        port = ports.get(timeout=120)
        urls = [f"rtsp://127.0.0.1:{port}/cam{n}" for n in range(given.cameras)]
        print(f"{given.cameras} cameras over RTSP/{given.transport}, {given.seconds:g} s each; {os.cpu_count()} cores")
        print(f"load before: {Path('/proc/loadavg').read_text().split()[0]}")
        for latency in (False, True):
            results: multiprocessing.Queue[dict[str, float]] = context.Queue()
            target = folder / f"rec{latency}"
            target.mkdir()
            process = context.Process(
                target=recorder_process, args=(results, urls, given.seconds, target, given.transport, latency)
            )
            process.start()
            r = results.get(timeout=given.seconds + 120)
            process.join()
            if latency:
                print(f"  demux to publisher   p50 {r['p50_ms']:.2f} ms, p95 {r['p95_ms']:.2f} ms ({r['fps']:.1f} pictures/s)")
            else:
                print(
                    f"  barnhand recorder    {r['cpu_percent']:.2f} % of a core a camera, {r['mbit_s']:.1f} Mbit/s each, "
                    f"{r['active']:.0f} active, {r['rss_mb']:.0f} MB in all"
                )
        binary = ffmpeg_binary()
        if binary is None:
            print("  ffmpeg               not installed: nothing to compare with")
        else:
            (folder / "ffmpeg").mkdir()
            share = ffmpeg(binary, urls, given.seconds, folder / "ffmpeg", given.transport)
            print(f"  ffmpeg -c copy       {share:.2f} % of a core a camera (one process each)")
        server.terminate()


if __name__ == "__main__":
    main()
