"""Exports the embedder to int8 ONNX with its metadata and the parity file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.common.export import export_fp32, median_cpu_ms, median_latency_ms, open_session, quantise_int8, write_metadata
from training.identity import crops
from training.identity.combine import assembled
from training.identity.crops import HEIGHT, WIDTH
from training.identity.evaluate import Sets, evaluate, onnx_features
from training.identity.model import HorseEmbedder
from training.identity.sampler import Sampler
from training.identity.store import Store
from training.identity.train import pictures

LICENCE = (
    "MIT for the file. Trained on AnimalPose and Weizmann horses (no licence stated), pictures rendered from "
    "Quaternius' CC0 horse; backbone EfficientNet-Lite0, Apache-2.0."
)


def _calibration(store: Path, batches: int = 16) -> Iterator[np.ndarray]:
    """Augmented training crops, rendered and photographed, from which int8's ranges are taken."""
    found = Store.open(store)
    sampler = Sampler(found, 6, 2, 6)
    for number in range(batches):
        rng = np.random.default_rng((9, number))
        yield pictures(found, sampler.batch(rng), rng).numpy()


def export(
    sets: Sets, run: Path, target: Path, version: str, share: float, earlier: tuple[Path, float] | None = None
) -> dict[str, Any]:
    """Write ``target`` (int8) and its parity file beside it; returns the figures of the written file.

    ``share`` of the similarity comes from the untouched branch; see `combine.trials`. ``earlier``: see `combine.mixed`.
    """
    torch.set_num_threads(1)
    model = assembled(run, earlier)
    model.share.fill_(share)
    plain = run / "horse-embedder-fp32.onnx"
    export_fp32(model, torch.zeros(2, 3, HEIGHT, WIDTH), plain, input_name="crops", output_names=["embedding"])
    quantise_int8(
        plain,
        target,
        input_name="crops",
        batches=_calibration(run / "store"),
        op_types=("Conv", "Clip", "Add", "Gemm", "MatMul"),
        keep_fp32=("*stem*", "*blocks.0/*", "*blocks.1/*", "*blocks.2/*"),
    )
    figures = evaluate(sets, onnx_features(target))
    distances = {
        **figures["spreads"]["films and tracklets"],
        "measured_on": "tracks of four crops against a horse's looks: demo films and labelled tracklets, split in time",
        "rendered": {**figures["spreads"]["rendered"], **figures["distances"], **figures["thresholds"]},
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
    figures["parity"] = _parity(model, plain, target, sets.close)
    one = {"crops": np.zeros((1, 3, HEIGHT, WIDTH), np.float32)}
    figures["latency_ms"] = median_latency_ms(open_session(target), one)
    figures["processor_ms"] = median_cpu_ms(open_session(target), one)
    figures["bytes"] = target.stat().st_size
    return figures


def _parity(model: HorseEmbedder, plain: Path, target: Path, rendered: Path) -> dict[str, float]:
    """Crops and the torch model's answers, for the test that compares the runtime with training.

    And how far ONNX and int8 are off.
    """
    chosen = []
    for number, crop in enumerate(crops.rendered(rendered)):
        if number % 40 == 0:
            chosen.append(crops.stretch(crop.picture, crop.box))
        if len(chosen) == 4:
            break
    pictures_ = np.stack(chosen)
    inputs = np.ascontiguousarray(pictures_[:, :, :, ::-1].transpose(0, 3, 1, 2)).astype(np.float32)
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
