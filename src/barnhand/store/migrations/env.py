"""Alembic's entry: always on a connection that ``store.migrate`` (or a developer's script) hands in."""

from alembic import context
from sqlalchemy import MetaData, Table
from sqlalchemy.sql.schema import SchemaItem

from barnhand.store.tables import TIMESERIES, Base


def include(item: SchemaItem, _name: str | None, _kind: str, reflected: bool, _other: SchemaItem | None) -> bool:
    """Leave out what ``store.timeseries`` makes."""
    table = item if isinstance(item, Table) else getattr(item, "table", None)
    if table is None:
        return True
    ours = Base.metadata.tables.get(table.name)
    if ours is None:
        return not (reflected and table.name.startswith("detections_p"))
    return ours.info != TIMESERIES


metadata: MetaData = Base.metadata
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=include,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
