"""The database as the other rooms see it: one repository a table."""

from sqlalchemy import Engine, text

from barnhand.core.time import Clock, SystemClock
from barnhand.store.activity import Activity
from barnhand.store.chunks import Chunks, Gaps
from barnhand.store.corrections import Corrections
from barnhand.store.database import Database
from barnhand.store.detections import Detections
from barnhand.store.farms import Farms
from barnhand.store.horses import Horses
from barnhand.store.secrets import SecretBox
from barnhand.store.streams import Streams
from barnhand.store.users import Setup, Users


class Store:
    """Repositories over one engine, safe to share between threads.

    Every method of every repository raises ``StoreError`` while the database is away.
    """

    def __init__(self, engine: Engine, secrets: SecretBox, clock: Clock | None = None) -> None:
        self.database = Database(engine, clock or SystemClock())
        self.users = Users(self.database)
        self.setup = Setup(self.database)
        self.farms = Farms(self.database)
        self.streams = Streams(self.database, secrets)
        self.chunks = Chunks(self.database)
        self.gaps = Gaps(self.database)
        self.horses = Horses(self.database)
        self.corrections = Corrections(self.database)
        self.detections = Detections(self.database)
        self.activity = Activity(self.database)

    def ping(self) -> None:
        """Raise ``StoreError`` unless the database answers."""
        with self.database.begin() as connection:
            connection.execute(text("select 1"))

    def close(self) -> None:
        """Give the connections back."""
        self.database.engine.dispose()
