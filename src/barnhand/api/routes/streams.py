"""Cameras: list, add, change, start, stop, remove."""

import logging
from uuid import UUID

import anyio.from_thread
from fastapi import APIRouter

from barnhand.api import schemas
from barnhand.api.problems import responses
from barnhand.api.security import ADMIN, SIGNED_IN
from barnhand.api.services import Api, State
from barnhand.core.errors import HubError
from barnhand.core.stream import Status, StreamState
from barnhand.store.addresses import Address, same_host, split
from barnhand.store.records import RecordingFacts, StreamRecord

router = APIRouter(prefix="/streams", tags=["streams"], dependencies=[SIGNED_IN])
log = logging.getLogger(__name__)


def _states(api: State) -> dict[str, StreamState]:
    """What the recorders tell; nothing while the hub is away, because a list of cameras is worth having without."""
    try:
        return anyio.from_thread.run(api.hub.states)
    except HubError:
        return {}


def _tell(api: State, stream_id: str, change: str) -> None:
    """Wake the fleet. Without the hub it finds the change in the database by itself, a little later."""
    try:
        anyio.from_thread.run(api.hub.publish_event, "streams:changed", {"stream_id": stream_id, "change": change})
    except HubError as error:
        log.warning("the fleet was not told that stream %s was %s: %s", stream_id, change, error)


def _describe(record: StreamRecord, state: StreamState | None, facts: RecordingFacts | None) -> schemas.Stream:
    status = record.status
    if status is Status.INACTIVE and state is not None and state.status is not Status.INACTIVE:
        state = None  # of the time before it was stopped
    elif status is not Status.INACTIVE and state is not None:
        # A recorder that has not come up yet still tells of the stop before.
        status = state.status if state.status is not Status.INACTIVE else record.status
    return schemas.Stream(
        id=record.id,
        farm_id=record.farm_id,
        name=record.name,
        source_type=record.source_type,
        source_url=record.source_url,
        status=status,
        config=dict(record.config),
        created_at=record.created_at,
        updated_at=record.updated_at,
        has_credentials=record.has_secret,
        state=None if state is None else schemas.StreamState.model_validate(state),
        recording=None if facts is None else schemas.Recording.model_validate(facts),
    )


def _new_address(api: State, before: StreamRecord, body: schemas.StreamChange) -> Address | None:
    """The address after a change, or ``None`` where nothing of it changes. What is not given stays, the password too."""
    if body.source_url is None and body.source_type is None and body.username is None and body.password is None:
        return None
    old = api.store.streams.address(before.id)
    kind = body.source_type or before.source_type
    new = split(kind, body.source_url or old.whole_url, body.username, body.password)
    # A login is kept for its own host only: nobody gets at a password by sending the camera elsewhere.
    if old.login is None or (new.login is not None and body.source_url is not None) or not same_host(new, old):
        return new
    user, _, password = old.login.partition(":")
    user = user if body.username is None else body.username
    password = password if body.password is None else body.password
    return split(kind, new.whole_url, user, password)


def _one(api: State, stream_id: UUID) -> schemas.Stream:
    record = api.store.streams.get(str(stream_id))
    facts = api.store.chunks.facts([record.id])
    return _describe(record, _states(api).get(record.id), facts.get(record.id))


@router.get("", responses=responses(401, 422))
def list_streams(api: Api, farm_id: UUID | None = None, status: Status | None = None) -> list[schemas.Stream]:
    """All cameras, by name."""
    records = api.store.streams.all(None if farm_id is None else str(farm_id))
    states = _states(api)
    facts = api.store.chunks.facts([record.id for record in records])
    streams = [_describe(record, states.get(record.id), facts.get(record.id)) for record in records]
    return [stream for stream in streams if status is None or stream.status is status]


@router.post("", status_code=201, dependencies=[ADMIN], responses=responses(401, 403, 422))
def create_stream(api: Api, body: schemas.StreamConfig) -> schemas.Stream:
    """Add a camera."""
    address = split(body.source_type, body.source_url, body.username, body.password)
    record = api.store.streams.create(
        name=body.name,
        source_type=body.source_type,
        address=address,
        config={**body.config, "processing_delay": body.processing_delay},
        farm_id=None if body.farm_id is None else str(body.farm_id),
        status=Status.ACTIVE if body.start else Status.INACTIVE,
    )
    _tell(api, record.id, "created")
    return _describe(record, None, None)


@router.get("/{stream_id}", responses=responses(401, 404, 422))
def read_stream(api: Api, stream_id: UUID) -> schemas.Stream:
    """One camera."""
    return _one(api, stream_id)


@router.patch("/{stream_id}", dependencies=[ADMIN], responses=responses(401, 403, 404, 422))
def change_stream(api: Api, stream_id: UUID, body: schemas.StreamChange) -> schemas.Stream:
    """Change a camera; a running one is started anew where that is needed."""
    before = api.store.streams.get(str(stream_id))
    address = _new_address(api, before, body)
    config = dict(before.config)
    if body.config is not None:
        config = {key: value for key, value in {**config, **body.config}.items() if value is not None}
    if body.processing_delay is not None:
        config["processing_delay"] = body.processing_delay
    api.store.streams.update(before.id, name=body.name, source_type=body.source_type, address=address, config=config)
    _tell(api, before.id, "updated")
    return _one(api, stream_id)


@router.delete("/{stream_id}", status_code=204, dependencies=[ADMIN], responses=responses(401, 403, 404, 422))
def delete_stream(api: Api, stream_id: UUID) -> None:
    """Remove a camera; what it recorded ages out as any other recording."""
    api.store.streams.delete(str(stream_id))
    _tell(api, str(stream_id), "deleted")


@router.post("/{stream_id}/start", dependencies=[ADMIN], responses=responses(401, 403, 404, 422))
def start_stream(api: Api, stream_id: UUID) -> schemas.Stream:
    """Record and analyse from now on."""
    api.store.streams.update(str(stream_id), status=Status.ACTIVE)
    _tell(api, str(stream_id), "started")
    return _one(api, stream_id)


@router.post("/{stream_id}/stop", dependencies=[ADMIN], responses=responses(401, 403, 404, 422))
def stop_stream(api: Api, stream_id: UUID) -> schemas.Stream:
    """Stop recording and analysing."""
    api.store.streams.update(str(stream_id), status=Status.INACTIVE)
    _tell(api, str(stream_id), "stopped")
    return _one(api, stream_id)
