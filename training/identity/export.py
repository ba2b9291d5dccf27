"""Exports the embedder to int8 ONNX with its metadata and the parity file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.common.export import export_fp32, median_latency_ms, open_session, quantise_int8, write_metadata
from training.identity import crops
from training.identity.augment import view
from training.identity.cache import read_cache
from training.identity.crops import HEIGHT, WIDTH
from training.identity.discriminant import fit_still
from training.identity.evaluate import evaluate, onnx_features
from training.identity.model import HorseEmbedder

LICENCE = (
    "MIT for the file. Trained on AnimalPose and Weizmann horses (no licence stated), pictures rendered from "
    "Quaternius' CC0 horse; backbone EfficientNet-Lite0, Apache-2.0."
)


def fitted(run: Path) -> HorseEmbedder:
    """The network with its discriminant fitted to the run's cached features."""
    model = HorseEmbedder()
    features, identities, _ = read_cache(run / "cache", ["silhouettes", "horses", "others", "rendered"])
    fit_still(model, features, identities)
    return model.eval()


def _calibration(data: Path, synthetic: Path, count: int = 320) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(9)
    batch = []
    for number, crop in enumerate(crops.rendered(synthetic / "train")):
        if number >= count // 2:
            break
        batch.append(view(crop, rng, [], False))
    for crop in crops.photographed(data, {"horse": count // 2}, 6):
        batch.append(view(crop, rng, [], True))
    for start in range(0, len(batch) - 15, 16):
        yield np.ascontiguousarray(np.stack(batch[start : start + 16])[:, :, :, ::-1].transpose(0, 3, 1, 2)).astype(np.float32)


def export(data: Path, synthetic: Path, labels: Path, run: Path, target: Path, version: str) -> dict[str, Any]:
    """Write ``target`` (int8), its parity file beside it and ``figures.json`` in the run; returns the figures."""
    torch.set_num_threads(1)
    model = fitted(run)
    plain = run / "horse-embedder-fp32.onnx"
    export_fp32(model, torch.zeros(2, 3, HEIGHT, WIDTH), plain, input_name="crops", output_names=["embedding"])
    quantise_int8(
        plain,
        target,
        input_name="crops",
        batches=_calibration(data, synthetic),
        op_types=("Conv", "Clip", "Add", "Gemm", "MatMul"),
        keep_fp32=("*stem*", "*blocks.0/*", "*blocks.1/*", "*blocks.2/*"),
    )
    figures = evaluate(data, synthetic, labels, onnx_features(target))
    distances = {
        **figures["calibration"],
        "measured_on": "hand-labelled tracklets split in time",
        "rendered": {**figures["distances"], **figures["thresholds"]},
    }
    write_metadata(
        target,
        {
            "barnhand.family": "barnhand-embedder",
            "barnhand.version": version,
            "barnhand.crop": json.dumps({"kind": "stretch", "scale": 1.0, "border": 114}),
            "barnhand.distances": json.dumps(distances),
            "licence": LICENCE,
        },
    )
    figures["parity"] = _parity(model, plain, target, synthetic)
    figures["latency_ms"] = median_latency_ms(open_session(target), {"crops": np.zeros((1, 3, HEIGHT, WIDTH), np.float32)})
    figures["bytes"] = target.stat().st_size
    return figures


def _parity(model: HorseEmbedder, plain: Path, target: Path, synthetic: Path) -> dict[str, float]:
    """Crops and the torch model's answers, for the test that compares the runtime with training.

    And how far ONNX and int8 are off.
    """
    chosen = []
    for number, crop in enumerate(crops.rendered(synthetic / "val")):
        if number % 40 == 0:
            chosen.append(crops.stretch(crop.picture, crop.box))
        if len(chosen) == 4:
            break
    pictures = np.stack(chosen)
    inputs = np.ascontiguousarray(pictures[:, :, :, ::-1].transpose(0, 3, 1, 2)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(inputs)).numpy()
    np.savez_compressed(target.with_suffix(".parity.npz"), crops=inputs.astype(np.uint8), embedding=expected)
    fp32 = open_session(plain).run(None, {"crops": inputs})[0]
    int8 = open_session(target).run(None, {"crops": inputs})[0]
    return {
        "fp32_max_difference": float(np.abs(fp32 - expected).max()),
        "int8_least_cosine": float((int8 * expected).sum(1).min()),
        "int8_mean_cosine": float((int8 * expected).sum(1).mean()),
    }
