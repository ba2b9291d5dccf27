"""`python -m training.detect mine|train|evaluate|export`: see `training/README.md`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import cv2


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m training.detect", description="The horse detector.")
    top.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with the training sets")
    top.add_argument("--models", type=Path, default=Path("../shared/models"), help="folder with the COCO detectors")
    top.add_argument("--threads", type=int, default=1, help="threads torch may use")
    commands = top.add_subparsers(dest="command", required=True)

    mine = commands.add_parser("mine", help="look for unlabelled horses with the COCO detectors")
    mine.add_argument("--out", type=Path, required=True, help="JSON file to write")

    train = commands.add_parser("train", help="fine-tune from the COCO weights; goes on where it stopped")
    train.add_argument("--out", type=Path, required=True, help="folder for checkpoints and log")
    train.add_argument("--mined", type=Path, help="what `mine` wrote")
    train.add_argument("--synthetic", type=Path, help="folder of rendered scenes")
    train.add_argument("--checked", type=Path, help="JSON of pictures known to hold no horse")
    train.add_argument("--start", type=Path, help="checkpoint to start from when OUT has none")
    train.add_argument("--steps", type=int, help="optimiser steps in all")
    train.add_argument("--batch", type=int, help="pictures a step")
    train.add_argument("--rate", type=float, help="learning rate")
    train.add_argument("--device", default="cpu", help="cpu or cuda")
    train.add_argument("--workers", type=int, default=1, help="loader processes")
    return top


def main(arguments: list[str] | None = None) -> int:
    import torch

    from training.detect.train import Recipe, train

    options = parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    coco = options.models / "yolox_nano_coco.onnx"
    if options.command == "mine":
        from training.detect.mine import mine

        mine(options.data, options.models, options.out)
    elif options.command == "train":
        options.out.mkdir(parents=True, exist_ok=True)
        logging.getLogger().addHandler(logging.FileHandler(options.out / "train.log"))
        given = {name: getattr(options, name) for name in ("steps", "batch", "rate") if getattr(options, name) is not None}
        train(
            options.data,
            coco,
            options.out,
            Recipe(**given),
            mined=options.mined,
            synthetic=options.synthetic,
            checked=options.checked,
            start=options.start,
            device=options.device,
            workers=options.workers,
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
