"""Errors as RFC 9457 problems: one sentence each, never a stack trace."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from barnhand.api.schemas import Problem
from barnhand.core.errors import (
    BarnHandError,
    ConfigurationError,
    DamagedMediaError,
    HubError,
    MediaError,
    NotFoundError,
    SpaceError,
    StoreError,
)

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[BarnHandError], int], ...] = (
    (NotFoundError, 404),
    (ConfigurationError, 422),
    (StoreError, 503),
    (HubError, 503),
    (SpaceError, 507),
    (DamagedMediaError, 503),
    (MediaError, 422),
)

_PLAIN = {
    401: "You are not signed in; sign in first.",
    403: "Your role does not allow this; ask an administrator.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
}

log = logging.getLogger(__name__)


class ProblemError(HTTPException):
    """An answer other than success, with its sentence."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, dict(headers or {}))


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may answer with these problems."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def _answer(
    status: int, detail: str, errors: list[dict[str, str]] | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    body["errors"] = errors or []
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def _sentence(detail: str) -> str:
    text = detail[:1].upper() + detail[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        given = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
        detail = given or _PLAIN.get(error.status_code, HTTPStatus(error.status_code).description)
        return _answer(error.status_code, _sentence(detail), headers=error.headers)

    @app.exception_handler(BarnHandError)
    async def known(request: Request, error: BarnHandError) -> JSONResponse:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
        headers = {"Retry-After": "2"} if status == 503 else None
        if status >= 500:
            log.warning("%s %s: %s", request.method, request.url.path, error)
        return _answer(status, _sentence(str(error)), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"field": ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]), "detail": _sentence(item["msg"])}
            for item in error.errors()
        ]
        first = errors[0]
        return _answer(422, f"{first['field']}: {first['detail']}", errors)

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
        return _answer(500, "Something in BarnHand failed; the log of the api says what.")


def describe(document: dict[str, Any]) -> None:
    """Replace FastAPI's own validation errors in an OpenAPI document by ``Problem``."""
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    definition = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(definition.pop("$defs", {}))
    schemas["Problem"] = definition
    for path in document["paths"].values():
        for operation in path.values():
            if "422" in operation["responses"]:
                operation["responses"]["422"] = responses(422)[422]
