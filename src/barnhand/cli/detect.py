"""``barnhand detect``: where the horses are in pictures and videos."""

from pathlib import Path
from typing import Annotated, Any

import typer

from barnhand.cli.console import BAD_INPUT, complain, out, tracked
from barnhand.core.detection import Detections
from barnhand.core.errors import MediaError
from barnhand.core.geometry import xywh

ALL = 0.003
"""Least score of a box in the file when nobody says otherwise."""


def detect(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, videos, or folders of them.")],
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the boxes to this file.")] = None,
    draw: Annotated[Path | None, typer.Option("--draw", metavar="DIR", help="Write the pictures with boxes here.")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="Network; default is the one in use.")] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0, max=1, help="Least score; default is the network's own, and 0.003 in the file."),
    ] = None,
    tiles: Annotated[int, typer.Option("--tiles", min=1, max=8, help="Look at N x N parts too, for distant horses.")] = 1,
    every: Annotated[int, typer.Option("--every", min=1, help="Of a video, every N-th picture.")] = 1,
) -> None:
    """Find the horses in pictures, folders and videos."""
    from barnhand.cli.draw import Marked
    from barnhand.cli.networks import session_options, shelf
    from barnhand.cli.output import Drawings, write_json
    from barnhand.cli.pictures import gather, read
    from barnhand.detect import DetectOptions, Detector

    # Average precision is a figure over all scores: a file of boxes for it must hold the unsure ones too.
    least = ALL if threshold is None and json is not None else threshold
    detector = Detector.load(shelf(), DetectOptions(model=model, session=session_options(), threshold=least, tiles=tiles))
    sure = detector.network.threshold if threshold is None else threshold
    sources, complaints = gather(paths)
    for complaint in complaints:
        complain(complaint)
    failed = bool(complaints)
    results: list[dict[str, Any]] = []
    with Drawings(draw) as drawings:
        for source in tracked(sources, "Looking for horses", len(sources)):
            try:
                for picture in read(source, every):
                    (found,) = detector.detect([picture.image])
                    results += rows(picture.file_name, picture.frame, found)
                    horses = found[found.scores >= sure]
                    if json is None:
                        out().print(f"{picture.file_name}: {told(horses)}", markup=False)
                    scored = zip(horses.boxes, horses.scores, strict=True)
                    drawings.add(picture, [Marked(box, f"Horse {score:.2f}") for box, score in scored])
            except MediaError as error:
                complain(error)
                failed = True
    if json is not None:
        write_json(json, results)
    if failed:
        raise typer.Exit(BAD_INPUT)


def rows(file_name: str, frame: int | None, found: Detections) -> list[dict[str, Any]]:
    """COCO-style results of one picture: ``bbox`` is x, y, width, height in px."""
    place = {"file_name": file_name} | ({} if frame is None else {"frame": frame})
    boxes = xywh(found.boxes).tolist()
    return [
        place | {"bbox": [round(v, 2) for v in box], "score": round(float(score), 4)}
        for box, score in zip(boxes, found.scores, strict=True)
    ]


def told(found: Detections) -> str:
    """``no horse``, ``1 horse (0.91)``, ``2 horses (0.91, 0.44)``."""
    if not len(found):
        return "no horse"
    scores = ", ".join(f"{score:.2f}" for score in found.scores)
    return f"{len(found)} horse{'s' if len(found) > 1 else ''} ({scores})"
