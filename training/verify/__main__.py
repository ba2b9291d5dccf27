"""`python -m training.verify collect|train|export`: see `training/README.md`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m training.verify", description="The verifier of the detector's boxes.")
    top.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with the training sets")
    commands = top.add_subparsers(dest="command", required=True)

    collect = commands.add_parser("collect", help="cut out labelled animals and what a detector takes for horses")
    collect.add_argument("detector", type=Path, help="horse-detector.onnx")
    collect.add_argument("--out", type=Path, required=True, help="folder to write")
    collect.add_argument("--mined", type=Path, required=True, help="what `python -m training.detect mine` wrote")
    collect.add_argument("--synthetic", type=Path, nargs="*", default=[], help="folders of rendered scenes")

    train = commands.add_parser("train", help="train the head over ImageNet's features")
    train.add_argument("crops", type=Path, help="what `collect` wrote")
    train.add_argument("--out", type=Path, required=True, help="folder for the features, the checkpoint and the log")
    train.add_argument("--steps", type=int, help="optimiser steps in all")
    train.add_argument("--threads", type=int, default=1, help="threads torch may use")

    export = commands.add_parser("export", help="write the int8 file and its parity archive")
    export.add_argument("crops", type=Path, help="what `collect` wrote")
    export.add_argument("run", type=Path, help="folder `train` wrote")
    export.add_argument("--out", type=Path, required=True, help="horse-verifier.onnx to write")
    export.add_argument("--version", required=True, help="written into the file")
    return top


def main(arguments: list[str] | None = None) -> int:
    import cv2
    import torch

    options = parser().parse_args(arguments)
    cv2.setNumThreads(1)
    if options.command == "collect":
        from training.verify.collect import collect

        rows = collect(options.data, options.mined, options.synthetic, options.detector, options.out)
        print(json.dumps(rows, indent=1))
    elif options.command == "train":
        from training.verify.train import Options, train

        torch.set_num_threads(options.threads)
        train(options.crops, options.out, Options(**({} if options.steps is None else {"steps": options.steps})))
    else:
        from training.verify.export import export

        print(json.dumps(export(options.crops, options.run, options.out, options.version), indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
