"""``barnhand analyze``: a video through the same pipeline as live cameras, without a database."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barnhand.cli.console import BAD_INPUT, complain, err, out, tracked
from barnhand.core.errors import MediaError, NotFoundError

if TYPE_CHECKING:
    from barnhand.analyst.offline import Seen, Summary
    from barnhand.analyst.pipeline import Pipeline
    from barnhand.core.observation import HorseObservation


def analyze(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video file.")],
    json: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.jsonl", help="Write what is seen here, one JSON line a picture.")
    ] = None,
    annotated: Annotated[
        Path | None, typer.Option("--video", metavar="OUT.mp4", help="Write the video with boxes, names and skeletons here.")
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option("--fps", min=0.5, help="Pictures a second to analyse; those between are filled in. Default is every one."),
    ] = None,
) -> None:
    """Find, follow, recognise and measure the horses of a video."""
    from barnhand.analyst.offline import Summary, watch
    from barnhand.cli.analyze_output import JsonLines, Overlay
    from barnhand.cli.clip import open_clip

    try:
        with ExitStack() as outputs:
            clip = outputs.enter_context(open_clip(video))
            lines = None if json is None else outputs.enter_context(JsonLines(json))
            overlay = None if annotated is None else outputs.enter_context(Overlay(annotated, clip.rate))
            summary = Summary()
            for seen in tracked(watch(clip.frames(), _pipeline(), fps), "Analysing", clip.count):
                summary.add(seen)
                if lines is not None:
                    lines.add(row(summary.pictures - 1, seen))
                if overlay is not None:
                    overlay.add(seen)
    except MediaError as error:
        complain(error)
        raise typer.Exit(BAD_INPUT) from error
    _tell(summary)


def row(number: int, seen: "Seen") -> dict[str, Any]:
    """One picture: ``bbox`` is x, y, width, height in px, ``keypoints`` x, y, score of each point of ``skeleton``."""
    return {
        "frame": number,
        "time": round(seen.frame.pts / 90_000, 4),
        "analysed": seen.analysed,
        "horses": [_horse(horse) for horse in seen.observation.horses],
    }


def _horse(horse: "HorseObservation") -> dict[str, Any]:
    box = [round(float(v), 2) for v in horse.box]
    points: list[float] | None = None
    if horse.pose is not None:
        points = [
            round(float(v), 4 if k == 2 else 2)
            for point, score in zip(horse.pose.points, horse.pose.scores, strict=True)
            for k, v in enumerate((point[0], point[1], score))
        ]
    return {
        "track": horse.track_id,
        "horse": horse.identity.name,
        "horse_id": horse.identity.horse_id,
        "certainty": horse.identity.certainty.value,
        "bbox": [box[0], box[1], round(box[2] - box[0], 2), round(box[3] - box[1], 2)],
        "score": round(horse.score, 4),
        "keypoints": points,
        "skeleton": None if horse.pose is None else horse.pose.skeleton,
        "color": horse.color,
        "metrics": {name: None if value is None else round(value, 4) for name, value in horse.metrics.items()},
        "interpolated": horse.interpolated,
    }


def _pipeline() -> "Pipeline":
    """The networks in use; a task without one is left out with a word."""
    from barnhand.analyst.networks import gallery_for, load_stages
    from barnhand.analyst.pipeline import Pipeline
    from barnhand.cli.networks import session_options, shelf

    def missing(what: str, error: NotFoundError) -> None:
        err().print(f"barnhand: {what} is left out: {error}", markup=False)

    stages = load_stages(shelf(), session_options(), missing)
    return Pipeline(stages, gallery_for(stages))


def _tell(summary: "Summary") -> None:
    """A table of the horses; a figure says how many seconds it rests on."""
    from rich.table import Table

    horses = summary.horses()
    share = "" if summary.analysed == summary.pictures else f", {summary.analysed} of them analysed"
    out().print(
        f"{summary.pictures} pictures{share}, {summary.seconds:.1f} s: {len(horses) or 'no'} horse{'s' * (len(horses) != 1)}"
    )
    if not horses:
        return
    table = Table("horse", "tracks", "seen", "speed (body lengths/s)", "stride (Hz)", "gait")
    for horse in horses:
        tracks = ", ".join(str(track) for track in sorted(horse.tracks))
        speed = "–" if horse.speed is None else f"{horse.speed:.2f} over {horse.speed_s:.1f} s"
        stride = "–" if horse.stride is None else f"{horse.stride:.2f} over {horse.stride_s:.1f} s"
        gaits = ", ".join(f"{gait} {seconds:.1f} s" for gait, seconds in sorted(horse.gait_s.items(), key=lambda g: -g[1]))
        table.add_row(horse.label, tracks, f"{horse.seconds:.1f} s", speed, stride, gaits or "–")
    out().print(table)
