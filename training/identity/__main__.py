"""``python -m training.identity train|evaluate|export``: the appearance network."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path


def main() -> None:
    """Parse the command and run it."""
    parser = argparse.ArgumentParser(prog="python -m training.identity", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with animalpose/, silhouettes/, video/"
    )
    parser.add_argument(
        "--synthetic", type=Path, required=True, help="folder with train/ and val/ of `python -m training.synthetic stills`"
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: cache, checkpoint, log")
    parser.add_argument("--labels", type=Path, default=Path("training/labels/video-horses.json"))
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="cache frozen features, then train; goes on where it stopped")
    train.add_argument("--steps", type=int, default=None)
    train.add_argument("--only-cache", action="store_true", help="stop after the features are cached")
    train.add_argument("--parts", nargs="+", default=None, help="with --only-cache: silhouettes, horses, others, rendered")
    evaluate = commands.add_parser("evaluate", help="rank-1 and mAP beside plain ImageNet features")
    evaluate.add_argument("--model", type=Path, default=Path("src/barnhand/networks/weights/horse-embedder.onnx"))
    export = commands.add_parser("export", help="int8 ONNX with metadata and parity file")
    export.add_argument("--target", type=Path, default=Path("src/barnhand/networks/weights/horse-embedder.onnx"))
    export.add_argument("--version", default="1")
    arguments = parser.parse_args()

    if arguments.command == "train":
        from training.identity.model import HorseEmbedder
        from training.identity.train import Options, prepare
        from training.identity.train import train as run_training

        options = Options() if arguments.steps is None else replace(Options(), steps=arguments.steps)
        if arguments.only_cache:
            prepare(HorseEmbedder(), arguments.data, arguments.synthetic, arguments.run / "cache", options, arguments.parts)
        else:
            run_training(arguments.data, arguments.synthetic, arguments.run, options)
        return
    from training.identity import evaluate as measuring

    if arguments.command == "evaluate":
        figures = {
            "BarnHand": measuring.evaluate(
                arguments.data, arguments.synthetic, arguments.labels, measuring.onnx_features(arguments.model)
            ),
            "ImageNet": measuring.evaluate(
                arguments.data, arguments.synthetic, arguments.labels, measuring.imagenet_features()
            ),
        }
        measuring.write(arguments.run / "figures.json", figures)
        print(measuring.show(figures))
    else:
        from training.identity.export import export as run_export

        figures = run_export(
            arguments.data, arguments.synthetic, arguments.labels, arguments.run, arguments.target, arguments.version
        )
        for key, value in figures.items():
            print(key, value)


if __name__ == "__main__":
    main()
