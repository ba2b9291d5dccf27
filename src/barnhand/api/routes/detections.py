"""What was seen: detections, the playback overlay, activity, skeletons."""

import gzip
from datetime import datetime
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response

from barnhand.api import schemas
from barnhand.api.overlay import observations, pose_of
from barnhand.api.problems import ProblemError, responses
from barnhand.api.routes.recordings import EndUs, StartUs
from barnhand.api.security import SIGNED_IN
from barnhand.api.services import Api
from barnhand.core.identity import Certainty
from barnhand.core.skeleton import load_skeleton
from barnhand.core.time import datetime_of_wall, wall_of_datetime
from barnhand.store.detections import Cursor
from barnhand.store.records import DetectionRecord

router = APIRouter(tags=["detections"], dependencies=[SIGNED_IN])

Moment = Annotated[datetime | None, Query(description="RFC 3339 with a zone, e.g. 2026-11-22T03:04:05Z")]


def _micros(moment: datetime | None, name: str, default: int) -> int:
    if moment is None:
        return default
    try:
        return wall_of_datetime(moment)
    except ValueError as error:
        raise ProblemError(422, f"{name}: {error}") from error


def _describe(record: DetectionRecord) -> schemas.Detection:
    return schemas.Detection(
        timestamp=datetime_of_wall(record.time_us),
        stream_id=record.stream_id,
        horse_id=record.horse_id,
        bbox=schemas.BoundingBox(**record.bbox, confidence=round(record.confidence, 3)),
        pose=None if (pose := pose_of(record)) is None else schemas.Pose.model_validate(pose),
        metrics=dict(record.metrics),
        track_id=record.track_id,
        name=record.horse_name,
        certainty=Certainty(record.certainty),
        pts=record.pts,
    )


@router.get(
    "/detections",
    responses={
        200: {
            "headers": {
                "X-Next-Cursor": {"schema": {"type": "string"}, "description": "what to send as cursor for the next page"},
                "Link": {"schema": {"type": "string"}, "description": 'the next page, rel="next" (RFC 8288)'},
            }
        },
        **responses(401, 404, 422),
    },
)
def list_detections(
    api: Api,
    request: Request,
    response: Response,
    stream_id: UUID,
    horse_id: UUID | None = None,
    start_time: Moment = None,
    end_time: Moment = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(description="X-Next-Cursor of the page before")] = None,
) -> list[schemas.Detection]:
    """Detections of a camera, newest first; ``end_time`` is not included."""
    api.store.streams.get(str(stream_id), removed=True)
    rows = api.store.detections.page(
        str(stream_id),
        horse_id=None if horse_id is None else str(horse_id),
        start_us=_micros(start_time, "start_time", 0),
        end_us=_micros(end_time, "end_time", 2**62),
        after=None if cursor is None else Cursor.read(cursor),
        limit=limit + 1,
    )
    if len(rows) > limit:
        following = Cursor(rows[limit - 1].time_us, rows[limit - 1].track_id).text()
        response.headers["X-Next-Cursor"] = following
        response.headers["Link"] = f'<{request.url.include_query_params(cursor=following)}>; rel="next"'
    return [_describe(row) for row in rows[:limit]]


@router.get(
    "/streams/{stream_id}/observations",
    response_model=schemas.ObservationPage,
    responses=responses(401, 404, 422),
)
def list_observations(api: Api, request: Request, stream_id: UUID, start_us: StartUs, end_us: EndUs) -> Response:
    """The overlay of a time, oldest first, in the form the WebSocket sends; pictures without a horse are left out."""
    if end_us <= start_us:
        raise ProblemError(422, "end_us is not after start_us; give the later time as end_us")
    api.store.streams.get(str(stream_id), removed=True)
    rows, next_us = api.store.detections.stretch(str(stream_id), start_us, end_us, limit=api.options.observations_limit)
    covered = api.store.activity.minutes(str(stream_id), start_us, end_us if next_us is None else next_us)
    body = orjson.dumps(
        {
            "observations": observations(rows),
            "next_us": next_us,
            "coverage": [{"minute_us": minute, "observed_seconds": seconds} for minute, seconds in covered],
        }
    )
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        # Names of points repeat in every picture: a fast level already takes nine tenths away.
        body = gzip.compress(body, 1)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)


@router.get("/activity", responses=responses(401, 422))
def activity(
    api: Api,
    start_time: datetime,
    end_time: datetime,
    stream_id: UUID | None = None,
    horse_id: UUID | None = None,
) -> schemas.Activity:
    """Hour by hour what horses did and how much was watched at all; complete up to about an hour ago."""
    start_us, end_us = _micros(start_time, "start_time", 0), _micros(end_time, "end_time", 0)
    stream, horse = None if stream_id is None else str(stream_id), None if horse_id is None else str(horse_id)
    hours = api.store.activity.hours(start_us, end_us, stream_id=stream, horse_id=horse)
    coverage = api.store.activity.coverage(start_us, end_us, stream_id=stream)
    return schemas.Activity(
        hours=[schemas.HourlyActivity.model_validate(hour) for hour in hours],
        coverage=[schemas.HourlyCoverage.model_validate(hour) for hour in coverage],
    )


@router.get("/skeletons/{name}", responses=responses(401, 404))
def skeleton(name: str) -> schemas.Skeleton:
    """Points and bones of a skeleton, for drawing."""
    found = load_skeleton(name)
    return schemas.Skeleton(name=found.name, points=list(found.points), bones=list(found.bones))
