"""Puts the api together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from barnhand.api import page, problems
from barnhand.api.conversions import Conversions
from barnhand.api.fanout import Fanouts
from barnhand.api.metrics import Metrics
from barnhand.api.middleware import Envelope
from barnhand.api.routes import (
    clips,
    corrections,
    detections,
    health,
    horses,
    protection,
    recordings,
    session,
    sockets,
    streams,
)
from barnhand.api.security import Passwords, Sessions, Tickets
from barnhand.api.services import ApiServices, State
from barnhand.api.snapshot import Snapshots
from barnhand.api.throttle import Throttle
from barnhand.hub.async_hub import AsyncHub

VERSION = "1.0.0"
DESCRIPTION = "Cameras, recordings and what the horses in them do. docs/api.md has the WebSockets and examples."
TAGS = [
    {"name": "session", "description": "Signing in and out"},
    {"name": "streams", "description": "Cameras"},
    {"name": "recordings", "description": "What is on disk"},
    {"name": "detections", "description": "What was seen"},
    {"name": "horses", "description": "Horses and yards"},
    {"name": "service", "description": "Health and figures"},
]


def create_app(services: ApiServices) -> FastAPI:
    """The app; it connects to nothing before the first request."""
    options, clock = services.options, services.clock
    hub = AsyncHub(services.hub_url)
    fanouts = Fanouts(hub, options.viewer_backlog, clock)
    state = State(
        services=services,
        hub=hub,
        passwords=Passwords(options.password_memory_kib, options.password_passes),
        sessions=Sessions(services.store, services.secrets, options.session_hours, options.session_recheck_s, clock),
        tickets=Tickets(options.ticket_s, clock),
        throttle=Throttle(options.login_tries, options.login_wait_s, clock),
        fanouts=fanouts,
        conversions=Conversions(hub, services.converted),
        snapshots=Snapshots(hub, services.store, lambda: services.recordings, options.snapshot_age_s, clock),
        metrics=Metrics(fanouts.viewers),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await hub.close()

    # FastAPI's own pages of documentation load scripts from elsewhere; docs/api.md and the document itself do.
    app = FastAPI(
        title="BarnHand",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.barnhand = state
    versioned = APIRouter(prefix="/v1")
    for room in (session, streams, recordings, clips, protection, detections, horses, corrections):
        versioned.include_router(room.router)
    app.include_router(versioned)
    app.include_router(health.router)
    app.include_router(sockets.router)
    problems.install(app)
    page.install(app, options.static_folder)
    app.add_middleware(Envelope, metrics=state.metrics)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return app


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document, the same bytes every time."""
    described = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes, tags=TAGS, openapi_version="3.1.0"
    )
    problems.describe(described)
    described["components"]["securitySchemes"] = {
        "cookie": {"type": "apiKey", "in": "cookie", "name": "barnhand_session"},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    for path in described["paths"].values():
        for operation in path.values():
            if "401" in operation["responses"]:
                operation["security"] = [{"cookie": []}, {"bearer": []}]
    return described
