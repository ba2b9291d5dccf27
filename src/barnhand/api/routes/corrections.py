"""People's words about one animal on screen."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from barnhand.api import schemas
from barnhand.api.problems import responses
from barnhand.api.routes.horses import found, tell_gallery
from barnhand.api.security import GROOM
from barnhand.api.services import Api

router = APIRouter(prefix="/streams/{stream_id}/tracks/{track_id}", tags=["horses"], dependencies=[GROOM])

# Wider than 32 bits, and no wider than a number of JSON is exact.
TrackId = Annotated[int, Path(ge=0, lt=2**53, description="track_id of what was seen")]


@router.put("/horse", responses=responses(401, 403, 404, 422))
def assign_horse(api: Api, stream_id: UUID, track_id: TrackId, body: schemas.TrackHorse) -> schemas.Horse:
    """Say which horse this animal is, from its first picture on; answers with the horse."""
    horse_id = api.store.corrections.assign(str(stream_id), track_id, str(body.horse_id))
    tell_gallery(api, "assign", {"stream_id": str(stream_id), "track_id": track_id, "horse_id": horse_id})
    return found(api, api.store.horses.get(horse_id))


@router.delete("/horse", status_code=204, responses=responses(401, 403, 404, 422))
def refuse_horse(api: Api, stream_id: UUID, track_id: TrackId, horse_id: UUID | None = None) -> None:
    """Say that this animal is not ``horse_id``, or not the horse it is called now: it loses the name, in the past too."""
    refused = api.store.corrections.refuse(str(stream_id), track_id, None if horse_id is None else str(horse_id))
    tell_gallery(api, "refuse", {"stream_id": str(stream_id), "track_id": track_id, "horse_id": refused})
