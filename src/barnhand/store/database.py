"""One way to the database for every repository: transactions, and its errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from barnhand.core.errors import ConfigurationError, StoreError
from barnhand.core.time import Clock


def connect(url: str, *, pool: int = 5, statement_timeout_s: float = 30) -> Engine:
    """An engine for a PostgreSQL address, which may begin with ``postgres://`` or ``postgresql://``.

    No connection is made yet. Raises ``ConfigurationError``, which repeats no part of the address, for another database and
    for an address that cannot be read.
    """
    if url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Without its cause, which may quote what it took for a port and is a part of the password.
        raise ConfigurationError(
            "the database address cannot be read; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        ) from None
    if parsed.drivername.partition("+")[0] != "postgresql":
        raise ConfigurationError("the database address starts with postgresql://; BarnHand keeps its rows in PostgreSQL only")
    if "@" in (parsed.host or ""):
        raise ConfigurationError("the password in the database address has an @ in it; write %40 in its place")
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool,
        max_overflow=pool,
        pool_timeout=5,
        # A restarted server is found out before a request, not by it.
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "barnhand",
            "options": f"-c timezone=UTC -c statement_timeout={round(statement_timeout_s * 1000)}",
        },
    )


def is_away(error: SQLAlchemyError) -> bool:
    """Whether the database could not be reached, as opposed to refusing a row."""
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout)):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


@contextmanager
def away_as_store_error() -> Iterator[None]:
    """``StoreError`` while the database is away."""
    try:
        yield
    except SQLAlchemyError as error:
        if is_away(error):
            raise StoreError("the database does not answer; it is tried again, please wait a moment") from error
        raise


def unhurried(connection: Connection) -> None:
    """Let the statements of this transaction take as long as they need: a limit would only make them fail again and again."""
    connection.exec_driver_sql("set local statement_timeout = 0")


class Database:
    """An engine and a clock."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: committed at the end, rolled back by an error. Raises ``StoreError`` while the database is away."""
        with away_as_store_error(), self.engine.begin() as connection:
            yield connection
