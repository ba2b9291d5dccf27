"""From a checkpoint to `horse-verifier.onnx`: int8, its metadata, and torch's answers to a few crops beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from training.common.checkpoint import load_checkpoint
from training.common.export import export_fp32, median_cpu_ms, open_session, quantise_int8, write_metadata
from training.identity.crops import HEIGHT, WIDTH
from training.identity.store import TALL, WIDE, Store
from training.verify.augment import view
from training.verify.model import Verifier
from training.verify.train import drawers_of, tensor

Array = npt.NDArray[np.float32]

LICENCE = (
    "MIT for the file. Trained on AnimalPose, Weizmann horses, Horses or Humans (no licence stated), Mergui (CC BY 4.0) and "
    "rendered pictures; first blocks of EfficientNet-Lite0, Apache-2.0."
)
KEPT = ("*stem*", "*blocks.0/*", "*blocks.1/*", "*blocks.2/*")
"""Layers that stay in fp32: few weights, and int8 hurts them most."""


def batches(store: Store, count: int = 16, size: int = 16) -> Iterator[Array]:
    """Augmented crops, from which int8's ranges are taken."""
    rng = np.random.default_rng(31)
    for _ in range(count):
        rows = rng.integers(0, len(store), size)
        yield tensor([view(store.picture(int(row)), rng) for row in rows]).numpy()


def both(model: Verifier, file: Path, crops: Array) -> tuple[Array, Array]:
    """What torch and the file answer to crops (N, 3, H, W)."""
    with torch.no_grad():
        expected = model(torch.from_numpy(crops)).numpy()
    return expected, open_session(file).run(None, {"crops": crops})[0]


def write_parity(model: Verifier, folder: Path, store: Store, path: Path, each: int = 4) -> None:
    """Torch's answers to crops of our own renderings, horses and others, for the test that compares the runtime with them."""
    drawers = drawers_of(folder, store)
    rows = [row for name in ("synthetic", "recumbent", "empty") for row in np.flatnonzero(drawers == name)[:each]]
    edge_y, edge_x = (TALL - HEIGHT) // 2, (WIDE - WIDTH) // 2
    crops = tensor([store.picture(int(row))[edge_y : edge_y + HEIGHT, edge_x : edge_x + WIDTH] for row in rows]).numpy()
    with torch.no_grad():
        horse = model(torch.from_numpy(crops)).numpy()
    np.savez_compressed(path, crops=crops.astype(np.uint8), horse=horse)


def export(folder: Path, run: Path, target: Path, version: str) -> dict[str, float]:
    """Write `target` and its parity archive from the run's weights; returns size, time and how far int8 is off."""
    torch.set_num_threads(1)
    model = Verifier(pretrained=False)
    saved = load_checkpoint(run / "last.pt", restore_rng=False)
    if saved is None:
        raise FileNotFoundError(f"no checkpoint in {run}: train first")
    model.load_state_dict(saved["model"])
    model.eval()
    plain = run / "horse-verifier-fp32.onnx"
    export_fp32(model, torch.zeros(2, 3, HEIGHT, WIDTH), plain, input_name="crops", output_names=["horse"])
    store = Store.open(folder)
    quantise_int8(
        plain, target, input_name="crops", batches=batches(store), op_types=("Conv", "Clip", "Add", "Gemm"), keep_fp32=KEPT
    )
    write_metadata(target, {"barnhand.family": "barnhand-verifier", "barnhand.version": version, "licence": LICENCE})

    expected, answered = both(model, target, next(batches(store, 1, 64)))
    write_parity(model, folder, store, target.with_suffix(".parity.npz"))
    one = {"crops": np.zeros((1, 3, HEIGHT, WIDTH), np.float32)}

    return {
        "bytes": target.stat().st_size,
        "processor_ms": median_cpu_ms(open_session(target), one),
        "int8_mean_difference": float(np.abs(answered - expected).mean()),
        "int8_correlation": float(np.corrcoef(answered, expected)[0, 1]),
    }
