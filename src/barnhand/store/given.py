"""A PostgreSQL that a person named: looked at before anything starts, so that what is wrong with it is one sentence."""

import re

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from barnhand.core.errors import ConfigurationError, StoreError
from barnhand.store.database import connect

VARIABLE = "BARNHAND_DATABASE_URL"
OLDEST = 15
"""The oldest PostgreSQL that is tried, and the one of Debian 12."""
ANSWERED = ("FATAL:", "fe_sendauth:")
"""How libpq begins what a server said, and that it asked for a password and was given none."""

_ABOUT = text("""
    select current_setting('server_version_num')::integer / 10000 as version, current_user as name,
           current_database() as database, coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_create
""")
_REASON = re.compile(r"failed: (?!connection)(.+)")


def check(url: str, oldest: int = OLDEST) -> None:
    """Look whether rows can be kept at ``url``.

    Raises ``ConfigurationError`` when they cannot: the address, the login, the database, a server older than ``oldest``, a user
    who may not make tables. Raises ``StoreError`` while nobody answers. Neither names a password.
    """
    engine = connect(url, pool=1)
    where = f"{engine.url.host or 'the local socket'}:{engine.url.port or 5432}"
    try:
        with engine.connect() as connection:
            about = connection.execute(_ABOUT).one()
    except DBAPIError as error:
        reason = _reason(error)
        if reason.startswith(ANSWERED):
            told = reason.partition(":")[2].strip()
            raise ConfigurationError(
                f"{VARIABLE} cannot be used: the PostgreSQL at {where} refuses ({told}); check user, password and database"
            ) from error
        raise StoreError(f"{VARIABLE}: no PostgreSQL answers at {where} ({reason}); start it or correct the address") from error
    finally:
        engine.dispose()
    if about.version < oldest:
        raise ConfigurationError(
            f"{VARIABLE} cannot be used: the PostgreSQL at {where} is version {about.version}; BarnHand needs {oldest} or newer"
        )
    if not about.may_create:
        raise ConfigurationError(
            f"{VARIABLE} cannot be used: the user {about.name} may not make tables in the database {about.database} at {where};"
            f" make it the owner: alter database {about.database} owner to {about.name}"
        )


def _reason(error: DBAPIError) -> str:
    """What libpq says last: the server's own words, or why there is none."""
    told = str(error.orig)
    return (_REASON.findall(told) or told.splitlines())[-1].strip()
