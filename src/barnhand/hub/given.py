"""A Redis or Valkey that a person named: looked at before anything starts, so that what is wrong with it is one sentence."""

from typing import Any
from urllib.parse import urlsplit

import valkey
from valkey.exceptions import AuthenticationError, NoPermissionError, ResponseError, ValkeyError

from barnhand.core.errors import ConfigurationError, HubError

VARIABLE = "BARNHAND_REDIS_URL"
OLDEST = (6, 2)
"""Streams that are trimmed by id (XADD … MINID) came with Redis 6.2."""


def check(url: str, oldest: tuple[int, int] = OLDEST) -> None:
    """Look whether the hub can live at ``url``.

    Raises ``ConfigurationError`` when it cannot: the address, the login, a server older than ``oldest``. Raises ``HubError``
    while nobody answers. Neither names a password.
    """
    try:
        parts = urlsplit(url)
        where = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
        client: Any = valkey.Valkey.from_url(url, socket_connect_timeout=2, socket_timeout=5)
    except ValueError:
        # Without its cause, which may quote what it took for a port and is a part of the password.
        raise ConfigurationError(
            f"{VARIABLE} cannot be used: the address cannot be read; write redis://USER:PASSWORD@HOST:PORT/NUMBER"
        ) from None
    try:
        version = _version(client)
    except (AuthenticationError, ResponseError) as error:
        told = str(error).rstrip(".")
        raise ConfigurationError(
            f"{VARIABLE} cannot be used: the Redis at {where} refuses ({told}); check user, password and number"
        ) from error
    except ValkeyError as error:
        raise HubError(
            f"{VARIABLE}: no Redis answers at {where} ({type(error).__name__}); start it or correct the address"
        ) from error
    finally:
        client.close()
    if version is not None and version < oldest:
        raise ConfigurationError(
            f"{VARIABLE} cannot be used: the Redis at {where} is version {'.'.join(map(str, version))}; "
            f"BarnHand needs {'.'.join(map(str, oldest))} or newer"
        )


def _version(client: Any) -> tuple[int, int] | None:
    """The Redis version it is, or speaks like; ``None`` where it does not tell this user."""
    client.ping()
    try:
        info = client.info("server")
    except NoPermissionError:
        return None
    major, minor = str(info["redis_version"]).split(".")[:2]
    return int(major), int(minor)
