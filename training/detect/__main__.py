"""`python -m training.detect mine|hard|train|blend|copy|round|evaluate|export`: see `training/README.md`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from training.detect.network import Nano


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m training.detect", description="The horse detector.")
    top.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with the training sets")
    top.add_argument("--models", type=Path, default=Path("../shared/models"), help="folder with the COCO detectors")
    top.add_argument("--threads", type=int, default=1, help="threads torch may use")
    commands = top.add_subparsers(dest="command", required=True)

    mine = commands.add_parser("mine", help="look for unlabelled horses with the COCO detectors")
    mine.add_argument("--out", type=Path, required=True, help="JSON file to write")

    hard = commands.add_parser("hard", help="look for other animals a checkpoint takes for horses")
    hard.add_argument("checkpoint", type=Path)
    hard.add_argument("--out", type=Path, required=True, help="JSON file to write")

    train = commands.add_parser("train", help="fine-tune from the COCO weights; goes on where it stopped")
    train.add_argument("--out", type=Path, required=True, help="folder for checkpoints and log")
    train.add_argument("--mined", type=Path, help="what `mine` wrote")
    train.add_argument("--synthetic", type=Path, nargs="*", default=[], help="folders of rendered scenes")
    train.add_argument("--checked", type=Path, help="JSON of pictures known to hold no horse")
    train.add_argument("--hard", type=Path, help="what `hard` wrote: pictures of other animals to train on more often")
    train.add_argument("--start", type=Path, help="checkpoint or exported file to start from when OUT has none")
    train.add_argument("--steps", type=int, help="optimiser steps in all")
    train.add_argument("--batch", type=int, help="pictures a step")
    train.add_argument("--rate", type=float, help="learning rate")
    train.add_argument("--device", default="cpu", help="cpu or cuda")
    train.add_argument("--workers", type=int, default=1, help="loader processes")

    blend = commands.add_parser("blend", help="mean of the COCO weights and of checkpoints")
    blend.add_argument("parts", nargs="+", metavar="CHECKPOINT=SHARE", help="what is left of 1 goes to COCO")
    blend.add_argument("--out", type=Path, required=True, help="checkpoint to write")

    copy = commands.add_parser("copy", help="teach a copy with hard-swish to answer as a network with SiLU does")
    copy.add_argument("network", type=Path, help="checkpoint (.pt) or exported file (.onnx)")
    copy.add_argument("--out", type=Path, required=True, help="folder for checkpoints and log")
    pictures(copy)
    copy.add_argument("--start", type=Path, help="an earlier copy (.pt or .onnx) to go on from when OUT has none")
    copy.add_argument("--steps", type=int, default=2400, help="optimiser steps in all")
    copy.add_argument("--rate", type=float, default=1e-3, help="highest step, as a share of a tensor's own size")

    whole = commands.add_parser("round", help="make a copy of a network with hard-swish that computes in bytes")
    whole.add_argument("network", type=Path, help="checkpoint (.pt) or exported file (.onnx)")
    whole.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    pictures(whole)

    evaluate = commands.add_parser("evaluate", help="figures beside both yardsticks")
    evaluate.add_argument("detectors", nargs="*", type=Path, help="checkpoints (.pt) or exported files (.onnx)")
    evaluate.add_argument(
        "--verifier", type=Path, help="horse-verifier.onnx, which the exported files ask about boxes in doubt"
    )
    evaluate.add_argument("--sets", default="animalpose,arena,video", help="comma list, or all")
    evaluate.add_argument("--mined", type=Path, help="what `mine` wrote, for the held-out set")
    evaluate.add_argument("--cache", type=Path, help="folder in which the yardsticks' results are kept")

    export = commands.add_parser("export", help="write the calibrated file and its parity archive")
    export.add_argument("checkpoint", type=Path, help="checkpoint (.pt), or an exported file (.onnx) to calibrate anew")
    export.add_argument("--out", type=Path, required=True, help="horse-detector.onnx to write")
    export.add_argument("--version", required=True, help="written into the file")
    export.add_argument("--mined", type=Path, help="what `mine` wrote")
    export.add_argument("--rate", type=float, default=0.02, help="false boxes a picture of other animals at 0.3")
    export.add_argument("--shift", type=float, help="the score's shift, instead of finding the one that gives --rate")
    export.add_argument("--verifier", type=Path, help="horse-verifier.onnx, to be asked about boxes in doubt")
    export.add_argument("--rendered", type=Path, nargs="*", default=[], help="pictures for the parity archive")
    return top


def pictures(command: argparse.ArgumentParser) -> None:
    """Where the pictures of a copy come from, beside `--data`."""
    command.add_argument("--mined", type=Path, help="what `mine` wrote")
    command.add_argument("--synthetic", type=Path, nargs="*", default=[], help="folders of rendered scenes")
    command.add_argument("--hard", type=Path, help="what `hard` wrote: pictures of other animals to show more often")


def any_network(path: Path, coco: Path) -> Nano:
    """The network of a checkpoint or of an exported file."""
    from training.detect.recover import load_deployed
    from training.detect.train import load_average

    return load_deployed(path, coco) if path.suffix == ".onnx" else load_average(path)


def measured(options: argparse.Namespace) -> str:
    """What `evaluate` prints."""
    from training.detect.detector import Exported, Torch
    from training.detect.evaluate import compare, processor_ms, render, told
    from training.detect.sets import evaluation_sets
    from training.detect.train import load_average
    from training.detect.yardsticks import YARDSTICKS, Detector

    detectors: dict[str, Detector] = {name: make(options.models / f"{name}.onnx") for name, make in YARDSTICKS.items()}
    for path in options.detectors:
        detectors[path.stem] = Torch(load_average(path)) if path.suffix == ".pt" else Exported(path, options.verifier)
    known = evaluation_sets(options.data, options.mined)
    wanted = known if options.sets == "all" else options.sets.split(",")
    cases = {name: known[name]() for name in wanted}
    table = compare(detectors, cases, cache=options.cache)
    spent = {name: processor_ms(detectors, found) for name, found in cases.items()}
    return render(table) + "\n\n" + told(spent)


def exported(options: argparse.Namespace) -> str:
    """Calibrate on held-out and val pictures, export, write the parity archive."""
    from training.detect.calibrate import shift_for
    from training.detect.detector import Exported, Suppression
    from training.detect.evaluate import detect
    from training.detect.export import VERIFICATION, Calibration, Deployed, export
    from training.detect.parity import write_parity
    from training.detect.sets import held_out, still

    asked = None if options.verifier is None else VERIFICATION

    def written(calibration: Calibration) -> Deployed:
        network = any_network(options.checkpoint, options.models / "yolox_nano_coco.onnx")
        return export(network, options.out, options.version, calibration, Suppression(), verification=asked)

    shift = options.shift
    if shift is None:
        written(Calibration())
        animals = held_out(options.data, options.mined, ("livestock", "pet"))
        animals += [case for case in still(options.data, "animalpose") if not len(case.boxes)]
        shift = shift_for(animals, detect(Exported(options.out, options.verifier), animals), options.rate)
    chosen = Calibration(shift=shift)
    deployed = written(chosen)
    pictures = [np.asarray(cv2.imread(str(path)), np.uint8) for path in options.rendered]
    write_parity(deployed, options.out.with_suffix(".parity.npz"), pictures)
    return f"{options.out.name}: {options.out.stat().st_size / 1e6:.2f} MB, {chosen}"


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
    elif options.command == "hard":
        from training.detect.detector import Torch
        from training.detect.mine import mistaken
        from training.detect.train import load_average

        mistaken(Torch(load_average(options.checkpoint)), options.data, options.out)
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
            hard=options.hard,
            start=options.start,
            device=options.device,
            workers=options.workers,
        )
    elif options.command == "blend":
        from training.detect.train import blend

        pairs = [part.rsplit("=", 1) for part in options.parts]
        blend(coco, [(Path(path), float(share)) for path, share in pairs], options.out)
    elif options.command == "copy":
        from training.detect.copying import Copying
        from training.detect.copying import train as copied

        options.out.mkdir(parents=True, exist_ok=True)
        logging.getLogger().addHandler(logging.FileHandler(options.out / "train.log"))
        teacher = any_network(options.network, coco)
        recipe = Copying(steps=options.steps, rate=options.rate)
        start = None if options.start is None else any_network(options.start, coco)
        copied(
            options.data,
            teacher,
            options.out,
            recipe,
            start=start,
            mined=options.mined,
            synthetic=options.synthetic,
            hard=options.hard,
        )
    elif options.command == "round":
        from training.detect.data import load
        from training.detect.ranges import in_bytes_of

        library = load(options.data, options.mined, options.synthetic, hard=options.hard)
        network = in_bytes_of(any_network(options.network, coco).eval(), library)
        torch.save({"average": network.state_dict(), "hard": True, "bytes": True}, options.out)
    elif options.command == "evaluate":
        print(measured(options))
    else:
        print(exported(options))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
