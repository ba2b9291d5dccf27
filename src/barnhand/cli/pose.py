"""``barnhand pose``: the skeletons of the horses in pictures and videos."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from barnhand.cli.console import BAD_INPUT, complain, out, tracked
from barnhand.core.errors import MediaError
from barnhand.core.geometry import xywh, xyxy
from barnhand.core.pose import Pose

if TYPE_CHECKING:
    from barnhand.cli.boxes import GivenBox
    from barnhand.cli.pictures import Picture, Source
    from barnhand.detect import Detector
    from barnhand.pose import PoseEstimator

Result = dict[str, Any]


def pose(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures, videos, or folders of them.")],
    boxes: Annotated[
        Path | None, typer.Option("--boxes", metavar="COCO.json", help="Use these boxes, one result each, find none.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the skeletons to this file.")] = None,
    draw: Annotated[Path | None, typer.Option("--draw", metavar="DIR", help="Write the pictures with skeletons here.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Pose network; default is the one in use.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option("--detector", metavar="NAME", help="Network that finds the horses; default is the one in use.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="Least score of a horse; default is the network's own.")
    ] = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Of a video, every N-th picture.")] = 1,
) -> None:
    """Find the horses' skeletons in pictures, folders and videos."""
    from barnhand.cli.boxes import read_boxes
    from barnhand.cli.draw import Marked
    from barnhand.cli.networks import session_options, shelf
    from barnhand.cli.output import Drawings, write_json
    from barnhand.cli.pictures import gather
    from barnhand.detect import DetectOptions, Detector
    from barnhand.pose import PoseEstimator, PoseOptions

    given = None if boxes is None else read_boxes(boxes)
    estimator = PoseEstimator.load(shelf(), PoseOptions(model=model, session=session_options()))
    finder: Detector | None = None
    if given is None:
        finder = Detector.load(shelf(), DetectOptions(model=detector, session=session_options(), threshold=threshold))
    sources, complaints = gather(paths)
    work = _Work(estimator, finder, given, sources, every, complaints)
    with Drawings(draw) as drawings:
        for picture, poses, results in tracked(work.pictures(), "Looking for skeletons"):
            if json is None:
                out().print(f"{picture.file_name}: {told(poses)}", markup=False)
            horses = [
                Marked(xyxy(np.array([result["bbox"]], np.float32))[0], f"Horse {result['score']:.2f}", pose)
                for pose, result in zip(poses, results, strict=True)
            ]
            drawings.add(picture, horses)
    for complaint in work.complaints:
        complain(complaint)
    if json is not None:
        write_json(json, work.results())
    if work.complaints:
        raise typer.Exit(BAD_INPUT)


class _Work:
    """Goes through the sources and keeps the results in the order of the boxes, or of the pictures."""

    def __init__(
        self,
        estimator: "PoseEstimator",
        finder: "Detector | None",
        given: "list[GivenBox] | None",
        sources: "list[Source]",
        every: int,
        complaints: list[str],
    ) -> None:
        from barnhand.cli.boxes import match

        self._estimator, self._finder, self._every = estimator, finder, every
        self._given, self._sources, self.complaints = given or [], sources, list(complaints)
        self._matched, missing = match(self._given, sources) if given is not None else ({}, [])
        self.complaints += missing
        self._found: list[Result] = []
        self._by_box: dict[int, Result] = {}

    def results(self) -> list[Result]:
        return self._found or [self._by_box[index] for index in sorted(self._by_box)]

    def pictures(self) -> "Iterator[tuple[Picture, list[Pose], list[Result]]]":
        for source in self._sources:
            try:
                yield from self._with_finder(source) if self._finder else self._with_boxes(source)
            except MediaError as error:
                self.complaints.append(str(error))

    def _with_finder(self, source: "Source") -> "Iterator[tuple[Picture, list[Pose], list[Result]]]":
        from barnhand.cli.pictures import read

        assert self._finder is not None
        for picture in read(source, self._every):
            (found,) = self._finder.detect([picture.image])
            poses = self._estimator.estimate(picture.image, found.boxes)
            corner = xywh(found.boxes).tolist()
            results = [
                row(picture, [round(v, 2) for v in box], float(score), pose)
                for box, score, pose in zip(corner, found.scores, poses, strict=True)
            ]
            self._found += results
            yield picture, poses, results

    def _with_boxes(self, source: "Source") -> "Iterator[tuple[Picture, list[Pose], list[Result]]]":
        from barnhand.cli.pictures import read

        wanted = self._matched.get(source, [])
        if not wanted:
            return
        frames: dict[int | None, list[int]] = {}
        for index in wanted:
            frames.setdefault(self._given[index].frame if source.is_video else None, []).append(index)
        for picture in read(source):
            indices = frames.pop(picture.frame, [])
            if not indices:
                continue
            boxes = [self._given[index] for index in indices]
            poses = self._estimator.estimate(picture.image, xyxy(np.array([box.bbox for box in boxes], np.float32)))
            results = []
            for index, box, pose in zip(indices, boxes, poses, strict=True):
                score = float(pose.scores.mean()) if box.score is None else box.score
                self._by_box[index] = row(picture, list(box.bbox), score, pose) | dict(box.keys)
                results.append(self._by_box[index])
            yield picture, poses, results
        if frames:
            missing = sum(len(indices) for indices in frames.values())
            self.complaints.append(f"{source.path} has {missing} boxes for pictures it does not have")


def row(picture: "Picture", bbox: list[float], score: float, pose: Pose) -> Result:
    """A COCO-style result: ``bbox`` is x, y, width, height, ``keypoints`` x, y, score of each point, in px."""
    place: Result = {"file_name": picture.file_name} | ({} if picture.frame is None else {"frame": picture.frame})
    triples = np.concatenate([pose.points, pose.scores[:, None]], axis=1)
    keypoints = [round(float(v), 4 if i % 3 == 2 else 2) for i, v in enumerate(triples.ravel())]
    return place | {"bbox": bbox, "score": round(score, 4), "keypoints": keypoints, "skeleton": pose.skeleton}


def told(poses: list[Pose]) -> str:
    """``no horse``, or for each horse how many of its points are seen."""
    if not poses:
        return "no horse"
    seen = ", ".join(f"{int((pose.scores >= 0.3).sum())} of {len(pose.scores)} points" for pose in poses)
    return f"{len(poses)} horse{'s' if len(poses) > 1 else ''} ({seen})"
