"""Prints the OpenAPI document: ``python -m barnhand.api.openapi > docs/openapi.json``."""

import json
import sys
from pathlib import Path

from barnhand.api.app import create_app, document
from barnhand.api.services import ApiServices
from barnhand.store.database import connect
from barnhand.store.secrets import KEY_BYTES, SecretBox
from barnhand.store.store import Store


def render() -> str:
    """The document as it is committed. It needs no server: nothing is connected to."""
    box = SecretBox(bytes(KEY_BYTES))
    store = Store(connect("postgresql://nowhere/none"), box)
    nowhere = Path("nowhere")
    app = create_app(ApiServices(store=store, hub_url="redis://nowhere", recordings=nowhere, converted=nowhere, secrets=box))
    return json.dumps(document(app), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
