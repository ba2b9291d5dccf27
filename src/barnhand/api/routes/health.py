"""For whoever looks after the service. None of it needs signing in, and none of it names a horse or a camera."""

import anyio.from_thread
from fastapi import APIRouter, Response

from barnhand.api import schemas
from barnhand.api.services import Api
from barnhand.core.errors import HubError, StoreError

router = APIRouter(tags=["service"])


@router.get("/healthz")
def health() -> schemas.Health:
    """The process answers."""
    return schemas.Health(status="ok")


@router.get("/readyz", responses={503: {"model": schemas.Readiness, "description": "something it leans on is away"}})
def readiness(api: Api, response: Response) -> schemas.Readiness:
    """Whether database, hub and recordings folder are there; 503 while one is not."""
    database = hub = recordings = "ok"
    try:
        api.store.ping()
    except StoreError as error:
        database = str(error)
    try:
        anyio.from_thread.run(api.hub.ping)
    except HubError as error:
        hub = str(error)
    if not api.services.recordings.is_dir():
        recordings = "the recordings folder is not there"
    ready = database == hub == recordings == "ok"
    response.status_code = 200 if ready else 503
    return schemas.Readiness(ready=ready, database=database, hub=hub, recordings=recordings)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(api: Api) -> Response:
    """Figures in Prometheus's text format."""
    return Response(api.metrics.text(api.store), media_type="text/plain; version=0.0.4")
