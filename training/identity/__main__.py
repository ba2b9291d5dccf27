"""``python -m training.identity store|train|choose|evaluate|export``: the appearance network."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

WEIGHTS = Path("src/barnhand/networks/weights/horse-embedder.onnx")


def main() -> None:
    """Parse the command and run it."""
    parser = argparse.ArgumentParser(prog="python -m training.identity", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with animalpose/, silhouettes/, video/"
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: stored crops, checkpoint, log")
    commands = parser.add_subparsers(dest="command", required=True)
    store = commands.add_parser("store", help="cut the crops out of all pictures; again when more have been rendered")
    store.add_argument(
        "rendered", type=Path, nargs="+", help="folders with parts of `training.synthetic identities` or `stills`"
    )
    train = commands.add_parser("train", help="train on the stored crops; goes on where it stopped")
    train.add_argument("--steps", type=int, default=None)
    train.add_argument("--start-from", type=Path, default=None, help="a checkpoint whose averaged weights the run begins with")
    choose = commands.add_parser("choose", help="rank-1 by share of the untouched branch, on sets no reported figure uses")
    choose.add_argument("dev", type=Path, help="folder with parts of `training.synthetic identities` kept for choices")
    choose.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.2, 0.35, 0.5, 0.7, 1.0])
    _add_earlier(choose)
    for name, about in (
        ("evaluate", "the figures of the file beside plain ImageNet features"),
        ("export", "int8 ONNX with metadata and parity file"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("close", type=Path, help="held-out parts of `training.synthetic identities`")
        command.add_argument("--stills", type=Path, default=None, help="held-out parts of `training.synthetic stills`")
        command.add_argument("--labels", type=Path, default=Path("training/labels"))
        command.add_argument("--films", type=Path, default=Path("src/barnhand/demo"))
        command.add_argument("--model", type=Path, default=WEIGHTS)
        if name == "export":
            command.add_argument("--version", default="3")
            command.add_argument("--share", type=float, required=True, help="share of the untouched branch, as `choose` showed")
            _add_earlier(command)
    arguments = parser.parse_args()

    if arguments.command == "store":
        from training.identity.sources import fill

        for name, count in fill(arguments.run / "store", arguments.data, arguments.rendered).items():
            print(name, count)
    elif arguments.command == "train":
        from training.identity.train import Options
        from training.identity.train import train as run_training

        options = Options() if arguments.steps is None else replace(Options(), steps=arguments.steps)
        run_training(arguments.run / "store", arguments.run, options, arguments.start_from)
    elif arguments.command == "choose":
        from training.identity.combine import assembled, trials

        for share, ranks in trials(
            assembled(arguments.run, _earlier(arguments)), arguments.data, arguments.dev, arguments.shares
        ).items():
            print(f"{share:.2f}", " ".join(f"{name} {value:.3f}" for name, value in ranks.items()))
    else:
        _measure(arguments)


def _add_earlier(command: argparse.ArgumentParser) -> None:
    command.add_argument("--earlier", type=Path, default=None, help="an earlier checkpoint of the run to mix in")
    command.add_argument("--weight", type=float, default=0.5, help="its weight")


def _earlier(arguments: argparse.Namespace) -> tuple[Path, float] | None:
    return None if arguments.earlier is None else (arguments.earlier, arguments.weight)


def _measure(arguments: argparse.Namespace) -> None:
    from training.identity import evaluate as measuring

    sets = measuring.Sets(arguments.data, arguments.labels, arguments.close, arguments.stills, arguments.films)
    if arguments.command == "export":
        from training.identity.export import export

        figures = export(sets, arguments.run, arguments.model, arguments.version, arguments.share, _earlier(arguments))
        for key, value in figures.items():
            print(key, value)
        return
    table = {
        "BarnHand": measuring.evaluate(sets, measuring.onnx_features(arguments.model)),
        "ImageNet": measuring.evaluate(sets, measuring.imagenet_features()),
    }
    measuring.write(arguments.run / "figures.json", table)
    print(measuring.show(table))
    first = table["BarnHand"]
    for name, shares in first["readings"].items():
        print(f"read as the runtime does, {name}:", ", ".join(f"{what} {share:.2f}" for what, share in shares.items()))
    print(f"{first['doubles']} of the {first['identities']} rendered horses have a double: same coat, shade, marks and size")


if __name__ == "__main__":
    main()
