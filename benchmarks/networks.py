"""Latency and quality of every network beside its yardsticks, in one run.

    python -m benchmarks.networks [--data ../shared/data] [--models ../shared/models] [--limit N] [--record]

Latencies are medians on one thread, the networks taking turns so that whatever else the machine does hits them alike.
``--record`` writes hash, size and figures of the embedded networks into the catalogue.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from barnhand.core.detection import Detections
from barnhand.core.errors import ModelError, NotFoundError
from barnhand.detect import DetectOptions, Detector
from barnhand.identity.embedder import Embedder, EmbedOptions
from barnhand.networks.adapter import Task
from barnhand.networks.digest import sha256_of
from barnhand.networks.session import Device, Session, SessionOptions
from barnhand.networks.shelf import Shelf
from barnhand.pose import PoseEstimator, PoseOptions
from benchmarks.network_sets import BoxSet, box_figures, films, histogram, point_figures, posed, rank_figures, stills, two_looks

CATALOGUE = Path(__file__).resolve().parents[1] / "src" / "barnhand" / "networks" / "catalogue.json"
CPU = SessionOptions(device=Device.CPU)
BY = "make bench-networks"
TIMED = 12
"""Pictures of each set whose time is taken."""
console = Console(width=max(120, Console().width))
Figures = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Spent:
    """Median milliseconds of one run: on the wall, and of the processor, which others' work on the machine touches less."""

    wall: float
    processor: float


def latencies(runs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Spent]:
    """What each costs, taken in turns after two rounds to warm up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for turn in range(repeats + 2):
        for name, run in runs.items():
            wall, processor = time.perf_counter(), time.thread_time()
            run()
            if turn >= 2:
                times[name].append(((time.perf_counter() - wall) * 1e3, (time.thread_time() - processor) * 1e3))
    return {name: Spent(*np.median(values, axis=0).tolist()) for name, values in times.items()}


def spread(images: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Up to ``most`` of them, evenly over the whole list."""
    return images[:: max(1, len(images) // most)][:most]


def told(spent: Spent) -> str:
    return f"{spent.processor:.1f} ({spent.wall:.1f})"


def row(table: Table, name: str, *cells: str) -> None:
    style = "bold" if name.startswith("horse-") else ""
    table.add_row(name, *cells, style=style)


def bench_detectors(shelf: Shelf, data: Path, limit: int | None, repeats: int, figures: Figures) -> None:
    names = [card.name for card in shelf.cards() if card.task is Task.DETECT]
    detectors = {name: Detector.load(shelf, DetectOptions(model=name, session=CPU, threshold=0.003)) for name in names}
    sets: list[BoxSet] = [stills(data, "animalpose", limit), stills(data, "arena", limit), films(data, limit)]
    reference = next((name for name in names if name.startswith("yolox")), names[0])
    table = Table(
        title="Detectors: the whole call on one thread, ms of processor (on the wall) a picture, all looks counted",
        title_justify="left",
    )
    for column in ("pictures", "network", "MB", "ms", f"by {reference}"):
        table.add_column(column, justify="left" if column in {"pictures", "network"} else "right")
    for pictures in sets:
        some = [pictures.read(image) for image in spread(pictures.images, TIMED)]
        spent = latencies(
            {n: lambda n=n, some=some: [detectors[n].detect([x]) for x in some] for n in names}, max(3, repeats // 8)
        )  # type: ignore[misc]
        for name in names:
            each = Spent(spent[name].wall / len(some), spent[name].processor / len(some))
            ratio = each.processor / (spent[reference].processor / len(some))
            size = f"{shelf.card(name).size / 1e6:.1f}"
            bold = "bold" if name.startswith("horse-") else ""
            table.add_row(pictures.name, name, size, told(each), f"{ratio:.2f}", style=bold)
            _keep(figures, name, "time of a call by YOLOX-nano's", ratio, f"{pictures.name}, one thread, in the same run")
        table.add_section()
    console.print(table)

    table = Table(title="Horses found (recall and false boxes at score 0.3)", title_justify="left")
    for column in (
        "set",
        "network",
        "AP",
        "AP50",
        "recall",
        "false boxes a picture without a horse",
        "horses",
        "such pictures",
    ):
        table.add_column(column, justify="left" if column in {"set", "network"} else "right")
    for pictures in sets:
        for name in names:
            found: dict[int, Detections] = {}
            for image in track(pictures.images, f"{name} on {pictures.name}", console=console, transient=True):
                (found[image["id"]],) = detectors[name].detect([pictures.read(image)])
            f = box_figures(pictures, found)
            table.add_row(
                pictures.name, name, f"{f['AP']:.3f}", f"{f['AP50']:.3f}", f"{f['recall']:.3f}",
                "" if np.isnan(f["false"]) else f"{f['false']:.3f}", f"{f['horses']:.0f}", f"{f['empty']:.0f}",
                style="bold" if name.startswith("horse-") else "",
            )  # fmt: skip
            _keep(
                figures,
                name,
                "AP 0.5:0.95",
                f["AP"],
                f"{pictures.name} val" if pictures.name != "video frames" else pictures.name,
            )
        table.add_section()
    console.print(table)
    console.print('AnimalPose does not annotate every animal: some of its "false" boxes are horses.\n', highlight=False)


def bench_poses(shelf: Shelf, data: Path, limit: int | None, repeats: int, figures: Figures) -> None:
    names = [card.name for card in shelf.cards() if card.task is Task.POSE]
    if not names:
        console.print("There is no pose network here.\n")
        return
    estimators = {name: PoseEstimator.load(shelf, PoseOptions(model=name, session=CPU)) for name in names}
    horses = list(posed(data, limit))
    image, box = horses[0].image, horses[0].box
    one = latencies({n: lambda n=n: estimators[n].estimate(image, box[None]) for n in names}, repeats)  # type: ignore[misc]
    four = np.repeat(box[None], 4, axis=0)
    each = latencies({n: lambda n=n: estimators[n].estimate(image, four) for n in names}, max(3, repeats // 3))  # type: ignore[misc]
    inputs = {name: estimators[name].network.preprocess(image, box[None])[0] for name in names}
    alone = latencies({n: lambda n=n: estimators[n].network.infer(inputs[n]) for n in names}, repeats)  # type: ignore[misc]
    table = Table(
        title=f"Poses of {len(horses)} AnimalPose val horses in given boxes, ms of processor (on the wall)",
        title_justify="left",
    )
    for column in ("network", "MB", "network alone", "one horse", "each of four", "PCK@0.1", "PCK@0.05", "hooves@0.1"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for name, estimator in estimators.items():
        order = _as_horse_20(estimator)
        errors, labelled = [], []
        for horse in track(horses, f"{name} on AnimalPose", console=console, transient=True):
            (pose,) = estimator.estimate(horse.image, horse.box[None])
            side = float((horse.box[2:] - horse.box[:2]).max())
            placed = np.full((20, 2), np.nan, np.float32)
            placed[list(order.values())] = pose.points[list(order)]
            errors.append(np.linalg.norm(placed - horse.points, axis=1) / side)
            labelled.append(horse.labelled & np.isfinite(placed).all(axis=1))
        f = point_figures(np.array(errors, np.float32), np.array(labelled))
        cells = [f"{f[key]:.3f}" for key in ("PCK@0.1", "PCK@0.05", "hooves")]
        fourth = Spent(each[name].wall / 4, each[name].processor / 4)
        row(table, name, f"{shelf.card(name).size / 1e6:.1f}", told(alone[name]), told(one[name]), told(fourth), *cells)
        _keep(figures, name, "PCK@0.1 of the longest box side", f["PCK@0.1"], "animalpose val horses")
        _keep(figures, name, "PCK@0.1 of the hooves", f["hooves"], "animalpose val horses")
    console.print(table)
    console.print("RTMPose takes part once it is in --models (`barnhand models pull rtmpose-m-ap10k`).\n")


def bench_embedders(shelf: Shelf, data: Path, limit: int | None, repeats: int, figures: Figures) -> None:
    looks = list(two_looks(data, limit))
    names = [card.name for card in shelf.cards() if card.task is Task.EMBED]
    embedders = {name: Embedder.load(shelf, EmbedOptions(model=name, session=CPU)) for name in names}
    ways: dict[str, Callable[[Any, Any], npt.NDArray[np.float32]]] = {name: e.embed for name, e in embedders.items()}
    ways["colour histogram"] = histogram
    image, box = looks[0][0]
    one = latencies({n: lambda n=n: ways[n](image, box[None]) for n in ways}, repeats)  # type: ignore[misc]
    table = Table(title=f"Looks of {len(looks)} AnimalPose val horses: which one is this changed copy?", title_justify="left")
    for column in ("network", "MB", "one horse", "rank-1", "mean 1/rank"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for name, way in ways.items():
        gallery = np.concatenate([way(a, box_a[None]) for (a, box_a), _ in looks])
        queries = np.concatenate([way(b, box_b[None]) for _, (b, box_b) in looks])
        f = rank_figures(gallery, queries)
        size = f"{shelf.card(name).size / 1e6:.1f}" if name in embedders else ""
        row(table, name, size, told(one[name]), f"{f['rank-1']:.3f}", f"{f['mean 1/rank']:.3f}")
        _keep(figures, name, "rank-1", f["rank-1"], "a changed copy of the same picture, animalpose val horses")
    console.print(table)


def _as_horse_20(estimator: PoseEstimator) -> dict[int, int]:
    """Index in the network's skeleton → index in horse-20."""
    from barnhand.core.skeleton import load_skeleton

    target = load_skeleton("horse-20")
    pairs = estimator.skeleton.equivalents.items()
    return {estimator.skeleton.index(a): target.index(b) for a, b in pairs if target.has(b)}


def _keep(figures: Figures, name: str, what: str, value: float, on: str) -> None:
    figures.setdefault(name, []).append({"what": what, "value": round(value, 3), "on": on, "by": BY})


def record(shelf: Shelf, figures: Figures) -> None:
    """Write what is embedded, and what it was measured at, into the catalogue; figures of another file go."""
    entries = json.loads(CATALOGUE.read_text("utf-8"))
    here = {card.name for card in shelf.cards() if card.embedded}
    for entry in entries:
        if entry["name"] not in here:
            continue
        with shelf.file(entry["name"]) as path:
            digest, entry["size"] = sha256_of(path), path.stat().st_size
            stated = Session(path, CPU).signature.metadata.get("licence", "unknown")
        entry["licence"] = stated.split(";")[0].split(" (")[0]
        if digest != entry.get("sha256"):
            entry.pop("measured", None)
        entry["sha256"] = digest
        if entry["name"] in figures:
            entry["measured"] = figures[entry["name"]]
    CATALOGUE.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", "utf-8")
    console.print(f"recorded in {CATALOGUE.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--models", type=Path, default=Path("../shared/models"), help="yardsticks and others, ONNX files")
    parser.add_argument("--limit", type=int, help="pictures of each set")
    parser.add_argument("--repeats", type=int, default=40, help="turns of each latency")
    parser.add_argument("--record", action="store_true", help="write hashes and figures to the catalogue")
    parser.add_argument("--only", choices=["detect", "pose", "embed"], help="one table")
    parser.add_argument("--hashes", action="store_true", help="write hashes and sizes to the catalogue and measure nothing")
    options = parser.parse_args()
    if options.hashes:
        record(Shelf(), {})
        return
    if not (options.data / "animalpose" / "val.json").is_file():
        raise SystemExit(f"The benchmark needs the held-out pictures at {options.data}; give their folder with --data.")
    figures: Figures = {}
    with TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder))
        for file in sorted(options.models.glob("*.onnx")) if options.models.is_dir() else []:
            try:
                shelf.add(file)
            except (ModelError, NotFoundError) as error:
                console.print(f"left out: {error}", markup=False)
        console.print(f"networks: {', '.join(card.name for card in shelf.cards())}\n", highlight=False)
        for task, bench in (("detect", bench_detectors), ("pose", bench_poses), ("embed", bench_embedders)):
            if options.only in {None, task}:
                bench(shelf, options.data, options.limit, options.repeats, figures)
        if options.record:
            record(shelf, figures)


if __name__ == "__main__":
    main()
