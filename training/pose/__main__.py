"""`python -m training.pose train|evaluate|export`."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training.pose.data import Animals, animalpose, load_animals, synthetic


def main() -> None:
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m training.pose", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with animalpose/")
    parser.add_argument("--run", type=Path, default=Path("runs/pose"), help="folder of checkpoints, logs and cached crops")
    parser.add_argument("--synthetic", type=Path, default=None, help="folder of rendered horses (COCO files and pictures)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of torch")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train", help="train or resume")
    one.add_argument("--steps", type=int, default=None, help="optimiser steps in all")
    one.add_argument("--device", default="cpu")
    one.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.command == "train":
        run_training(arguments)


def horses_of(animals: Animals) -> Animals:
    """The horses among them."""
    keep = np.flatnonzero(animals.species == "horse")
    return Animals(animals.crops[keep], animals.points[keep], animals.box[keep], animals.species[keep], animals.source[keep])


def run_training(arguments: argparse.Namespace) -> None:
    """The command `train`."""
    from training.pose.train import TrainOptions, train

    cache = arguments.run / "cache"
    real = load_animals(animalpose(arguments.data, "train", min_points=4, min_side=32), cache, "animalpose-train")
    val = horses_of(load_animals(animalpose(arguments.data, "val"), cache, "animalpose-val"))
    rendered = None
    if arguments.synthetic is not None:
        rendered = load_animals(synthetic(arguments.synthetic), cache, "synthetic")
    options = TrainOptions(device=arguments.device, workers=arguments.workers)
    if arguments.steps is not None:
        options = replace(options, steps=arguments.steps)
    train(options, real, rendered, val, arguments.run)


if __name__ == "__main__":
    main()
