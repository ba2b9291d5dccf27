"""``python -m training.synthetic stills|strides|people|identities|gait|demo|preview``.

Render training pictures, horses in stride, gait sequences, demo footage, or a contact sheet.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm  # type: ignore[import-untyped]


def main() -> None:
    """Parse the command and run it."""
    parser = argparse.ArgumentParser(prog="python -m training.synthetic", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds models3d/")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("stills", "training pictures in parts"),
        ("strides", "side views of horses in stride, in parts"),
        ("people", "pictures with people and no horse, in parts"),
    ):
        stills = commands.add_parser(name, help=about)
        stills.add_argument("out", type=Path)
        stills.add_argument("--parts", type=int, nargs=2, default=(0, 12), metavar=("FIRST", "END"))
        stills.add_argument("--per-part", type=int, default=400)
        stills.add_argument("--size", type=int, nargs=2, default=(480, 360), metavar=("WIDTH", "HEIGHT"))
        stills.add_argument("--seed", type=int, default=0, help="first seed; train and val must not share seeds")
        stills.add_argument("--identities", type=int, nargs=2, default=(0, 400), metavar=("FIRST", "END"))
    identities = commands.add_parser("identities", help="close pictures of one horse each, every identity equally often")
    identities.add_argument("out", type=Path)
    identities.add_argument("--parts", type=int, nargs=2, default=(0, 20), metavar=("FIRST", "END"))
    identities.add_argument("--per-part", type=int, default=1000)
    identities.add_argument("--size", type=int, nargs=2, default=(192, 156), metavar=("WIDTH", "HEIGHT"))
    identities.add_argument("--seed", type=int, default=3000000, help="first seed; train and val must not share seeds")
    identities.add_argument("--identities", type=int, nargs=2, default=(3000, 4000), metavar=("FIRST", "END"))
    gait = commands.add_parser("gait", help="side views of walk, trot and canter")
    gait.add_argument("out", type=Path)
    gait.add_argument("--horses", type=int, nargs=2, default=(2000, 2006), metavar=("FIRST", "END"))
    demo = commands.add_parser("demo", help="the demo footage with its ground truth")
    demo.add_argument("out", type=Path)
    demo.add_argument("--films", nargs="+", default=["stall_night", "paddock", "aisle", "arena"])
    demo.add_argument("--crf", type=int, default=None, help="x264 quality; smaller is better and larger files")
    preview = commands.add_parser("preview", help="a contact sheet of stills with their truth drawn in")
    preview.add_argument("out", type=Path)
    preview.add_argument("--count", type=int, default=24)
    preview.add_argument("--seed", type=int, default=0)
    preview.add_argument("--plain", action="store_true", help="without boxes and joints")
    arguments = parser.parse_args()

    from training.synthetic.identities import IdentityMaker
    from training.synthetic.parts import Maker, make_part
    from training.synthetic.people import PeopleMaker
    from training.synthetic.stills import StillMaker
    from training.synthetic.strides import StrideMaker
    from training.synthetic.studio import Studio

    makers: dict[str, Callable[[Studio, int, int, range], Maker]] = {
        "stills": StillMaker,
        "strides": StrideMaker,
        "people": PeopleMaker,
        "identities": IdentityMaker,
    }
    if arguments.command in makers:
        close = arguments.command == "identities"
        studio = Studio(arguments.data, 1.0, 1, shadow_size=512) if close else Studio(arguments.data, 1.25, 1)
        maker = makers[arguments.command](studio, arguments.size[0], arguments.size[1], range(*arguments.identities))
        for part in tqdm(range(*arguments.parts), unit="part"):
            first = arguments.seed + part * arguments.per_part
            make_part(maker, arguments.out / f"part-{part:03d}", range(first, first + arguments.per_part))
    elif arguments.command == "gait":
        from training.synthetic.gait_set import make_gait_set

        make_gait_set(Studio(arguments.data, 1.25, 1), arguments.out, range(*arguments.horses))
    elif arguments.command == "demo":
        from training.synthetic.demo import make_film

        studio = Studio(arguments.data, 1.25, 1)
        for name in arguments.films:
            make_film(studio, name, arguments.out, arguments.crf)
    elif arguments.command == "preview":
        from training.synthetic.preview import annotated

        maker = StillMaker(Studio(arguments.data, 1.25, 1), 480, 360, range(400))
        tiles = []
        for seed in range(arguments.seed, arguments.seed + arguments.count):
            picture, _, found = maker.make(seed)
            tiles.append(picture if arguments.plain else annotated(picture, found))
        columns = 6
        rows = [np.hstack(tiles[k : k + columns]) for k in range(0, len(tiles) - columns + 1, columns)]
        cv2.imwrite(str(arguments.out), np.vstack(rows))


if __name__ == "__main__":
    main()
