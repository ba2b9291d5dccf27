"""Horses and yards."""

import logging
from typing import Any
from uuid import UUID

import anyio.from_thread
from fastapi import APIRouter

from barnhand.api import schemas
from barnhand.api.problems import responses
from barnhand.api.security import GROOM, SIGNED_IN
from barnhand.api.services import Api, State
from barnhand.core.errors import HubError
from barnhand.store.horses import gallery_row
from barnhand.store.records import HorseRecord, Sighting

log = logging.getLogger(__name__)
router = APIRouter(tags=["horses"], dependencies=[SIGNED_IN])


def _describe(record: HorseRecord, seen: list[Sighting]) -> schemas.Horse:
    sightings = [schemas.Sighting.model_validate(sighting) for sighting in seen]
    fields = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return schemas.Horse(**{**fields, "metadata": dict(record.metadata)}, seen=sightings)


def found(api: State, record: HorseRecord) -> schemas.Horse:
    """A horse and where it was seen."""
    return _describe(record, api.store.horses.sightings([record.id]).get(record.id, []))


def _gallery_row(record: HorseRecord) -> dict[str, Any]:
    return gallery_row(record.id, record.name, record.stranger, record.created_at)


def tell_gallery(api: State, kind: str, row: dict[str, Any]) -> None:
    """Let the analysts' galleries know at once; one that does not hear it reads it from the database when it starts."""
    try:
        anyio.from_thread.run(api.hub.publish_event, "gallery", {"origin": "api", "kind": kind, "row": row})
    except HubError as error:
        log.warning("the analysts were not told of a %s: %s", kind, error)


@router.get("/farms", responses=responses(401))
def list_farms(api: Api) -> list[schemas.Farm]:
    """All yards, by name."""
    return [
        schemas.Farm(id=farm.id, name=farm.name, location=dict(farm.location), metadata=dict(farm.metadata))
        for farm in api.store.farms.all()
    ]


@router.get("/horses", responses=responses(401, 422))
def list_horses(api: Api, farm_id: UUID | None = None, stranger: bool | None = None) -> list[schemas.Horse]:
    """All horses, by name, strangers last."""
    records = api.store.horses.all(None if farm_id is None else str(farm_id), stranger=stranger)
    seen = api.store.horses.sightings([record.id for record in records])
    return [_describe(record, seen.get(record.id, [])) for record in records]


@router.post("/horses", status_code=201, dependencies=[GROOM], responses=responses(401, 403, 422))
def create_horse(api: Api, body: schemas.NewHorse) -> schemas.Horse:
    """Add a horse."""
    fields = body.model_dump() | {"farm_id": None if body.farm_id is None else str(body.farm_id)}
    record = api.store.horses.create(**fields)
    tell_gallery(api, "horse", _gallery_row(record))
    return _describe(record, [])


@router.get("/horses/{horse_id}", responses=responses(401, 404, 422))
def read_horse(api: Api, horse_id: UUID) -> schemas.Horse:
    """One horse. One that was merged answers as the horse it really is."""
    return found(api, api.store.horses.get(str(horse_id)))


@router.patch("/horses/{horse_id}", dependencies=[GROOM], responses=responses(401, 403, 404, 422))
def change_horse(api: Api, horse_id: UUID, body: schemas.HorseChange) -> schemas.Horse:
    """Change a horse. A new name corrects it everywhere, and it is a stranger no longer."""
    record = api.store.horses.update(str(horse_id), body.model_dump(exclude_unset=True))
    tell_gallery(api, "horse", _gallery_row(record))
    return found(api, record)


@router.post("/horses/{horse_id}/merge", dependencies=[GROOM], responses=responses(401, 403, 404, 422))
def merge_horse(api: Api, horse_id: UUID, body: schemas.HorseMerge) -> schemas.Horse:
    """Say that this horse is really another: what was seen of it, its looks and its figures become the other's."""
    into = api.store.horses.merge(str(horse_id), str(body.into))
    tell_gallery(api, "merge", {"horse_id": str(horse_id), "into": into.id})
    return found(api, into)
