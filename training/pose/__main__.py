"""`python -m training.pose train|evaluate|export`: the horse-20 pose network."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training.pose.data import Animals, animalpose, horses, in_stride, load_animals, synthetic

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "src/barnhand/networks/weights/horse-pose.onnx"
LABELS = ROOT / "training/labels/paddock_trot_pose.json"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.pose", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with animalpose/ and video/")
    parser.add_argument("--run", type=Path, default=Path("runs/pose"), help="folder of checkpoints, logs and cached crops")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of torch")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train", help="train, or go on from the run's last checkpoint")
    one.add_argument("--synthetic", type=Path, default=None, help="folder of rendered horses (annotations.json and pictures)")
    one.add_argument(
        "--strides", type=Path, default=None, help="folder of rendered horses in stride (python -m training.synthetic strides)"
    )
    one.add_argument("--start", type=Path, default=None, help="exported ONNX file to go on from instead of ImageNet weights")
    one.add_argument("--steps", type=int, default=None, help="optimiser steps in all")
    one.add_argument("--device", default="cpu", help="cpu or cuda")
    one.add_argument("--workers", type=int, default=1, help="loader processes")
    two = commands.add_parser("evaluate", help="figures of an exported network, or of a run with --torch")
    two.add_argument("--weights", type=Path, default=WEIGHTS, help="ONNX file")
    two.add_argument("--torch", action="store_true", help="the run's averaged weights in fp32 instead of an ONNX file")
    two.add_argument(
        "--gait", type=Path, default=None, help="folder of rendered side views (python -m training.synthetic gait)"
    )
    two.add_argument("--out", type=Path, default=None, help="write the figures as JSON")
    three = commands.add_parser("export", help="the run's averaged weights as int8 ONNX with its parity fixture")
    three.add_argument("--weights", type=Path, default=WEIGHTS, help="ONNX file to write")
    three.add_argument("--start", type=Path, default=None, help="exported ONNX file to write anew instead of the run's weights")
    for command in (two, three):
        command.add_argument("--inner", type=int, default=192, help="pixels at which the network works inside the graph")
        command.add_argument("--mirror", action="store_true", help="look at the crop's mirror too, in twice the time")
    return parser.parse_args(arguments)


def main() -> None:
    """Run one command."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    {"train": run_train, "evaluate": run_evaluate, "export": run_export}[arguments.command](arguments)


def real_animals(arguments: argparse.Namespace) -> Animals:
    """AnimalPose's training animals as cached crops."""
    return load_animals(
        animalpose(arguments.data, "train", min_points=4, min_side=32), arguments.run / "cache", "animalpose-train"
    )


def run_train(arguments: argparse.Namespace) -> None:
    """Train."""
    from training.pose.train import TrainOptions, train

    cache, real = arguments.run / "cache", real_animals(arguments)
    rendered = load_animals(synthetic(arguments.synthetic), cache, "synthetic") if arguments.synthetic is not None else None
    folders = [folder for folder in (arguments.synthetic, arguments.strides) if folder is not None]
    strides = load_animals(in_stride(folders), cache, "strides") if folders else None
    options = TrainOptions(device=arguments.device, workers=arguments.workers)
    if arguments.steps is not None:
        options = replace(options, steps=arguments.steps)
    start = None
    if arguments.start is not None and not (arguments.run / "checkpoint.pt").exists():
        from training.pose.export import ExportOptions, range_batches
        from training.pose.restore import restore

        crops = np.concatenate(list(range_batches(real, ExportOptions())))
        start = restore(arguments.start, crops, options.feed.size_at(0.0), options.model)
    val = horses(animalpose(arguments.data, "val"))
    train(options, real, rendered, val, arguments.run, start=start, strides=strides)


def run_evaluate(arguments: argparse.Namespace) -> None:
    """Print the figures."""
    from training.common.export import median_cpu_ms, median_latency_ms, open_session
    from training.pose.evaluate import SIZE, full_report, torch_predictor
    from training.pose.export import INPUT, load_network, onnx_predictor

    predict = (
        torch_predictor(load_network(arguments.run, inner=arguments.inner, mirror=arguments.mirror), narrow=False)
        if arguments.torch
        else onnx_predictor(arguments.weights)
    )
    val = horses(animalpose(arguments.data, "val"))
    video = arguments.data / "video" / "paddock_trot.mp4"
    report = full_report(predict, val, gait=arguments.gait, labels=LABELS, video=video if video.exists() else None)
    if not arguments.torch:
        crop = np.full((1, 3, SIZE, SIZE), 114, np.float32)
        session = open_session(arguments.weights)
        report["wall_ms_one_thread"] = median_latency_ms(session, {INPUT: crop})
        report["cpu_ms_one_thread"] = median_cpu_ms(session, {INPUT: crop})
    text = json.dumps(report, indent=1)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text + "\n", encoding="utf-8")


def run_export(arguments: argparse.Namespace) -> None:
    """Export."""
    from training.pose.export import ExportOptions, export_run, load_file, load_network

    arguments.weights.parent.mkdir(parents=True, exist_ok=True)
    val, real = horses(animalpose(arguments.data, "val")), real_animals(arguments)
    if arguments.start is None:
        network = load_network(arguments.run, inner=arguments.inner, mirror=arguments.mirror)
    else:
        network = load_file(arguments.start, real, inner=arguments.inner, mirror=arguments.mirror)
    summary = export_run(
        network,
        real,
        val,
        arguments.weights,
        arguments.run,
        ExportOptions(),
    )
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
