"""Horses and yards."""

from uuid import UUID

from fastapi import APIRouter

from barnhand.api import schemas
from barnhand.api.problems import responses
from barnhand.api.security import GROOM, SIGNED_IN
from barnhand.api.services import Api
from barnhand.store.records import HorseRecord, Sighting

router = APIRouter(tags=["horses"], dependencies=[SIGNED_IN])


def _describe(record: HorseRecord, seen: list[Sighting]) -> schemas.Horse:
    sightings = [schemas.Sighting.model_validate(sighting) for sighting in seen]
    fields = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return schemas.Horse(**{**fields, "metadata": dict(record.metadata)}, seen=sightings)


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
    return _describe(api.store.horses.create(**body.model_dump()), [])


@router.get("/horses/{horse_id}", responses=responses(401, 404, 422))
def read_horse(api: Api, horse_id: UUID) -> schemas.Horse:
    """One horse. One that was merged answers as the horse it really is."""
    record = api.store.horses.get(str(horse_id))
    return _describe(record, api.store.horses.sightings([record.id]).get(record.id, []))


@router.patch("/horses/{horse_id}", dependencies=[GROOM], responses=responses(401, 403, 404, 422))
def change_horse(api: Api, horse_id: UUID, body: schemas.HorseChange) -> schemas.Horse:
    """Change a horse. A new name corrects it everywhere, and it is a stranger no longer."""
    changes = body.model_dump(exclude_unset=True)
    api.store.horses.update(str(horse_id), changes)
    return read_horse(api, horse_id)


@router.post("/horses/{horse_id}/merge", dependencies=[GROOM], responses=responses(401, 403, 404, 422))
def merge_horse(api: Api, horse_id: UUID, body: schemas.HorseMerge) -> schemas.Horse:
    """Say that this horse is really another: what was seen of it, its looks and its figures become the other's."""
    into = api.store.horses.merge(str(horse_id), body.into)
    return _describe(into, api.store.horses.sightings([into.id]).get(into.id, []))
