"""From a checkpoint to `horse-pose.onnx`: quantise, calibrate, describe, and write the fixture of the runtime's parity test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from training.common.checkpoint import load_checkpoint
from training.common.export import export_fp32, open_session, quantise_int8, write_metadata
from training.common.seed import sample_rng
from training.pose.augment import AugmentOptions, augmented, plain
from training.pose.data import Animals, Entry
from training.pose.decode import NAME as DECODE_NAME
from training.pose.decode import decode
from training.pose.evaluate import CROP_SCALE, SIZE, Predict, calibration_of, look, read_pictures
from training.pose.model import ModelOptions, PoseNet
from training.pose.restore import restore

Floats = npt.NDArray[np.float32]

INPUT, OUTPUT = "crops", "heatmaps"


@dataclass(frozen=True)
class ExportOptions:
    """How the deployed file is made."""

    range_pictures: int = 160
    """Training pictures that set the int8 ranges."""
    keep_fp32: tuple[str, ...] = (
        "/MatMul*",
        "/Softmax*",
        "/Mul*",
        "/Reduce*",
        "/Sub*",
        "/Clip*",
        "/Max*",
        "/Sigmoid*",
        "/visible_*",
        "/fine/*",
        "/Add_[45]",
        "/mix4*",
        "/attention.?/MatMul*",
        "/attention.?/Softmax*",
        "/attention.?/Mul*",
    )
    """Nodes that stay in full precision: attention's own products, the last block, and what makes probabilities of it."""
    seed: int = 11
    version: str = "2.2"


def load_network(run: Path, *, inner: int | None = None, mirror: bool = False) -> PoseNet:
    """The averaged weights of a run, in evaluation mode, working at `inner` pixels, on the mirror too with `mirror`."""
    state = load_checkpoint(run / "checkpoint.pt", restore_rng=False)
    if state is None:
        raise FileNotFoundError(f"{run} has no checkpoint.pt: train first")
    fields: dict[str, Any] = state["options"]["model"]
    model = PoseNet(replace(ModelOptions(**fields), inner_size=inner, mirror=mirror))
    model.load_state_dict(state["ema"]["shadow"])
    return model.eval()


def load_file(path: Path, animals: Animals, *, inner: int, mirror: bool = False) -> PoseNet:
    """The network of an exported file, working at `inner` pixels; `animals` set what `restore` has to measure."""
    crops = np.concatenate(list(range_batches(animals, ExportOptions())))
    model = PoseNet(ModelOptions(inner_size=inner, mirror=mirror))
    model.load_state_dict(restore(path, crops, inner).state_dict())
    return model.eval()


def onnx_predictor(path: Path) -> Predict:
    """Heatmaps of an ONNX file on one thread."""
    session = open_session(path)

    def predict(crops: Floats) -> Floats:
        return np.asarray(session.run([OUTPUT], {INPUT: crops})[0], np.float32)

    return predict


def range_batches(animals: Animals, options: ExportOptions) -> Iterator[Floats]:
    """Training horses for the int8 ranges, half of them augmented, eight at a time."""
    horses = np.flatnonzero(animals.species == "horse")
    picked = sample_rng(options.seed, 0).choice(horses, min(options.range_pictures, len(horses)), replace=False)
    settings = AugmentOptions()
    images = []
    for order, index in enumerate(picked):
        crop, points, box = animals.crops[index], animals.points[index], animals.box[index]
        if order % 2:
            images.append(augmented(crop, points, box, SIZE, settings, sample_rng(options.seed, order + 1)).image)
        else:
            images.append(plain(crop, points, SIZE, settings).image)
    for start in range(0, len(images), 8):
        yield np.stack(images[start : start + 8]).transpose(0, 3, 1, 2).astype(np.float32)


def drawn_crops(seed: int, count: int = 3) -> Floats:
    """(count, 3, 256, 256) float32 pictures in 0..255 drawn from a seed with numpy alone: a dark shape on four legs, noise."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    pictures = []
    for index in range(count):
        ground = np.broadcast_to(rng.uniform(90, 200, 3)[:, None, None], (3, SIZE, SIZE)) + 12 * np.sin(xx / (5 + 3 * index))
        coat = rng.uniform(20, 110, 3)[:, None, None]
        shape = ((xx - 128) / 70) ** 2 + ((yy - 110) / 32) ** 2 < 1
        shape |= ((xx - 195 - (110 - yy) * 0.4) / 16) ** 2 + ((yy - 80) / 40) ** 2 < 1
        for x, lean in zip(rng.uniform(70, 190, 4), rng.uniform(-0.2, 0.2, 4), strict=True):
            shape |= (np.abs(xx - x - (yy - 130) * lean) < 7) & (yy > 115) & (yy < 225)
        picture = np.where(shape[None], coat, ground) + rng.integers(-8, 9, (3, SIZE, SIZE))
        pictures.append(np.clip(np.rint(picture), 0, 255))
    return np.stack(pictures).astype(np.float32)


def write_parity(path: Path, model: PoseNet, seed: int = 20) -> None:
    """What the fp32 torch network answers to drawn pictures, so that the runtime is tested without torch.

    `crops` (1, 3, 256, 256) uint8 is the picture itself, `heatmaps` (1, 20, 64, 64) float16, `points` (1, 20, 2) and `peaks`
    (1, 20) the reference decoding of it. `quiet` (1, 3, 256, 256) uint8 is a plain grey crop and `quiet_peak` the largest
    peak found in it.
    """
    crops = drawn_crops(seed, 1)
    crops = np.rint(crops / 8) * 8
    quiet = np.full((1, 3, SIZE, SIZE), 114, np.uint8)
    with torch.no_grad():
        heat = model(torch.from_numpy(np.clip(crops, 0, 255))).numpy().astype(np.float16)
        calm = model(torch.from_numpy(quiet.astype(np.float32))).numpy()
    points, peaks = decode(heat.astype(np.float32))  # of the rounded heatmaps, as a reader of the file sees them
    np.savez_compressed(
        path,
        crops=np.clip(crops, 0, 255).astype(np.uint8),
        heatmaps=heat,
        points=points,
        peaks=peaks,
        quiet=quiet,
        quiet_peak=decode(calm)[1].max(),
    )


def export_run(
    model: PoseNet, ranges: Animals, calibration: Sequence[Entry], target: Path, work: Path, options: ExportOptions
) -> dict[str, Any]:
    """Write `target` (int8 with metadata), the parity fixture beside it and the fp32 twin in `work`."""
    fp32 = work / "horse-pose.fp32.onnx"
    export_fp32(model, torch.zeros(1, 3, SIZE, SIZE), fp32, input_name=INPUT, output_names=[OUTPUT])
    quantise_int8(fp32, target, input_name=INPUT, batches=range_batches(ranges, options), keep_fp32=options.keep_fp32)
    slope, shift = calibration_of(look(onnx_predictor(target), read_pictures(calibration)))
    curves = {"on": "logit", "a": [round(float(v), 4) for v in slope], "b": [round(float(v), 4) for v in shift]}
    write_metadata(
        target,
        {
            "barnhand.family": "barnhand-pose",
            "barnhand.version": options.version,
            "barnhand.skeleton": "horse-20",
            "barnhand.crop_scale": str(CROP_SCALE),
            "barnhand.decode": DECODE_NAME,
            "barnhand.calibration": json.dumps(curves),
            "licence": "MIT; backbone initialised from EfficientNet-Lite0 weights (Apache-2.0)",
        },
    )
    write_parity(target.with_suffix(".parity.npz"), model)
    return {"int8_bytes": target.stat().st_size, "fp32_bytes": fp32.stat().st_size, "calibration": curves}
