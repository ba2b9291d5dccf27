"""The committed description of the api is the api."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from starlette.routing import BaseRoute, WebSocketRoute
from tests.api.service import Service

from barnhand.api.openapi import render

DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_document_is_what_the_app_says() -> None:
    assert render() == (DOCS / "openapi.json").read_text(), "run: python -m barnhand.api.openapi > docs/openapi.json"


def test_the_document_is_openapi_3_1() -> None:
    document = json.loads(render())
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_route_is_described_in_words() -> None:
    words = (DOCS / "api.md").read_text()
    for path, operations in json.loads(render())["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}`" in words, f"docs/api.md says nothing of {method.upper()} {path}"


def test_every_websocket_is_described_in_words(service: Service) -> None:
    words = (DOCS / "api.md").read_text()
    found = list(sockets(service.app.routes))
    assert len(found) >= 4
    for path in found:
        assert f"`{path}`" in words, f"docs/api.md says nothing of {path}"


def sockets(routes: list[BaseRoute]) -> list[str]:
    found = []
    for route in routes:
        if hasattr(route, "original_router"):
            found += sockets(route.original_router.routes)
        elif isinstance(route, WebSocketRoute) or type(route).__name__ == "APIWebSocketRoute":
            found.append(str(getattr(route, "path", "")))
    return found


def test_the_words_name_no_route_that_is_not_there() -> None:
    known = {f"{method.upper()} {path}" for path, operations in json.loads(render())["paths"].items() for method in operations}
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`? ]+)`", (DOCS / "api.md").read_text()))
    assert named <= known


@pytest.mark.parametrize("module", ["barnhand.api.app", "barnhand.store.store", "barnhand.store.writer"])
def test_api_and_store_load_no_heavy_package(module: str) -> None:
    heavy = "('cv2', 'onnxruntime', 'faiss', 'av', 'scipy', 'torch')"
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
