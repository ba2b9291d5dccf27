"""Figures of a detector on a set: average precision (COCO's 0.5:0.95), recall and false boxes at the threshold."""

from __future__ import annotations

import contextlib
import io
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from training.detect.sets import Case
from training.detect.suppress import overlap
from training.detect.yardsticks import Detector

Array = npt.NDArray[np.float32]
Found = list[tuple[Array, Array]]


@dataclass(frozen=True)
class Figures:
    """`ap`, `ap50`: COCO. At `threshold`: `recall` (overlap ≥ 0.5), `precision` over pictures with horses, and
    `false_boxes` a picture without a horse. NaN where a set has nothing to say."""

    ap: float
    ap50: float
    recall: float
    precision: float
    false_boxes: float
    horses: int
    negatives: int


def detect(detector: Detector, cases: Sequence[Case]) -> Found:
    """Boxes and scores of every case."""
    return [detector(case.read()) for case in cases]


def average_precision(cases: Sequence[Case], found: Found) -> tuple[float, float]:
    """COCO's AP at 0.5:0.95 and at 0.5."""

    def row(image: int, box: Array, **more: Any) -> dict[str, Any]:
        x, y, w, h = (float(v) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1]))
        return {"image_id": image, "category_id": 1, "bbox": [x, y, w, h], "area": w * h, **more}

    truth = []
    for i, case in enumerate(cases):
        truth += [row(i, box, iscrowd=0) for box in case.boxes] + [row(i, box, iscrowd=1) for box in case.vague]
    results = [row(i, b, score=float(s)) for i, (bs, ss) in enumerate(found) for b, s in zip(bs, ss, strict=True)]
    if not results or not any(len(case.boxes) for case in cases):
        return (0.0 if any(len(case.boxes) for case in cases) else float("nan"),) * 2
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": i} for i in range(len(cases))],
            "categories": [{"id": 1, "name": "horse"}],
            "annotations": [dict(t, id=k + 1) for k, t in enumerate(truth)],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0]), float(judge.stats[1])


def matched(boxes: Array, truth: Array, iou: float = 0.5) -> int:
    """How many of `truth` get a box of their own, best overlaps first."""
    if not len(boxes) or not len(truth):
        return 0
    table = np.stack([overlap(t, boxes) for t in truth])
    count = 0
    while table.size and table.max() >= iou:
        row, column = np.unravel_index(table.argmax(), table.shape)
        table[row], table[:, column] = 0, 0
        count += 1
    return count


def figures(cases: Sequence[Case], found: Found, threshold: float = 0.3) -> Figures:
    """All figures of a set."""
    hit = horses = boxes = false = negatives = 0
    for case, (where, scores) in zip(cases, found, strict=True):
        kept = where[scores >= threshold]
        if len(case.vague):  # a box on something that counts neither way is no false box
            kept = kept[[not len(case.vague) or float(overlap(k, case.vague).max()) < 0.5 for k in kept]]
        if len(case.boxes):
            hit += matched(kept, case.boxes)
            boxes += len(kept)
            horses += len(case.boxes)
        elif not len(case.vague):
            negatives += 1
            false += len(kept)
    ap, ap50 = average_precision(cases, found)
    nan = float("nan")
    return Figures(
        ap,
        ap50,
        hit / horses if horses else nan,
        hit / boxes if boxes else nan,
        false / negatives if negatives else nan,
        horses,
        negatives,
    )


def compare(
    detectors: dict[str, Detector], sets: dict[str, list[Case]], threshold: float = 0.3, cache: Path | None = None
) -> dict[str, dict[str, Figures]]:
    """Figures by set, then by detector. `cache`: a folder in which raw results of the yardsticks are kept."""
    table: dict[str, dict[str, Figures]] = {}
    for name, cases in sets.items():
        table[name] = {}
        for who, detector in detectors.items():
            file = cache / f"{name}-{who}.json" if cache and who.endswith("_coco") else None
            if file and file.exists():
                rows = json.loads(file.read_text())
                found = [(np.array(b, np.float32).reshape(-1, 4), np.array(s, np.float32)) for b, s in rows]
            else:
                found = detect(detector, cases)
            if file:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps([(b.tolist(), s.tolist()) for b, s in found]))
            table[name][who] = figures(cases, found, threshold)
    return table


def render(table: dict[str, dict[str, Figures]]) -> str:
    """The comparison as a Markdown table."""
    lines = [
        "| set | detector | AP | AP50 | recall | precision | false boxes a picture | horses | pictures without |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, by in table.items():
        for who, f in by.items():
            values = [asdict(f)[k] for k in ("ap", "ap50", "recall", "precision", "false_boxes")]
            shown = " | ".join("–" if math.isnan(v) else f"{v:.3f}" for v in values)
            lines.append(f"| {name} | {who} | {shown} | {f.horses} | {f.negatives} |")
    return "\n".join(lines)


def processor_ms(detectors: dict[str, Detector], cases: Sequence[Case], most: int = 40) -> dict[str, Array]:
    """Processor time of each detector on each of up to `most` pictures of a set, spread over it: (n,) milliseconds.

    The detectors take turns on every picture; each sees it once before, and the whole call counts.
    """
    spent: dict[str, list[float]] = {who: [] for who in detectors}
    for case in cases[:: max(1, len(cases) // most)]:
        picture = case.read()
        for who, detector in detectors.items():
            detector(picture)
            start = time.process_time()
            detector(picture)
            spent[who].append((time.process_time() - start) * 1e3)
    return {who: np.array(values, np.float32) for who, values in spent.items()}


def told(spent: dict[str, dict[str, Array]]) -> str:
    """What they took as a Markdown table: median, mean, and the mean by that of the first detector."""
    lines = ["| set | detector | median ms a picture | mean | mean by the first's |", "|---|---|---|---|---|"]
    for name, by in spent.items():
        first = next(iter(by.values())).mean()
        for who, ms in by.items():
            lines.append(f"| {name} | {who} | {np.median(ms):.1f} | {ms.mean():.1f} | {ms.mean() / first:.2f} |")
    return "\n".join(lines)
