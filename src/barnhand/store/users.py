"""People, their sessions and the link that makes the first of them."""

import hashlib
import re
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from barnhand.core.errors import ConfigurationError, NotFoundError
from barnhand.core.time import datetime_of_wall
from barnhand.store.database import Database
from barnhand.store.farms import default_farm
from barnhand.store.records import Role, UserRecord
from barnhand.store.tables import Membership, RevokedSession, SetupToken, User

TOKEN_LIFE = timedelta(hours=24)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _record(row: Row[Any]) -> UserRecord:
    return UserRecord(row.id, row.email, Role(row.role), row.created_at, row.updated_at, row.password_hash)


def _email(text: str) -> str:
    text = text.strip().lower()
    if not _EMAIL.fullmatch(text):
        raise ConfigurationError("the e-mail address is not one; write NAME@HOST")
    return text


def _hash(token: str) -> str:
    # The token is 256 random bits: a fast hash is enough.
    return hashlib.sha256(token.encode()).hexdigest()


class Users:
    """Reads and writes people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self) -> int:
        """How many there are."""
        with self._database.begin() as connection:
            return connection.scalar(select(func.count()).select_from(User)) or 0

    def all(self) -> list[UserRecord]:
        """All, by e-mail address."""
        with self._database.begin() as connection:
            return [_record(row) for row in connection.execute(select(User.__table__).order_by(User.email))]

    def get(self, user_id: str) -> UserRecord:
        """One. Raises ``NotFoundError``."""
        with self._database.begin() as connection:
            row = connection.execute(select(User.__table__).where(User.id == user_id)).one_or_none()
        if row is None:
            raise NotFoundError("there is no such person")
        return _record(row)

    def find(self, email: str) -> UserRecord | None:
        """By e-mail address, in any case of letters."""
        with self._database.begin() as connection:
            row = connection.execute(select(User.__table__).where(User.email == email.strip().lower())).one_or_none()
        return None if row is None else _record(row)

    def create(self, email: str, password_hash: str, role: Role = Role.VIEWER) -> UserRecord:
        """A new person on the first yard. Raises ``ConfigurationError`` for an address that is taken or is none."""
        now_us = self._database.clock.wall_us()
        now = datetime_of_wall(now_us)
        values = {"id": str(uuid.uuid4()), "email": _email(email), "password_hash": password_hash, "role": role.value}
        try:
            with self._database.begin() as connection:
                row = connection.execute(
                    insert(User).values(**values, created_at=now, updated_at=now).returning(User.__table__)
                ).one()
                farm_id = default_farm(connection, now_us)
                connection.execute(insert(Membership).values(farm_id=farm_id, user_id=row.id, role=role.value))
        except IntegrityError as error:
            raise ConfigurationError("this e-mail address has an account already; sign in or use another") from error
        return _record(row)

    def set_password(self, user_id: str, password_hash: str) -> None:
        """Replace the password. Raises ``NotFoundError``."""
        self._change(user_id, password_hash=password_hash)

    def set_role(self, user_id: str, role: Role) -> None:
        """Replace the role. Raises ``NotFoundError``."""
        self._change(user_id, role=role.value)

    def delete(self, user_id: str) -> None:
        """Remove. Raises ``NotFoundError``."""
        with self._database.begin() as connection:
            if connection.execute(delete(User).where(User.id == user_id)).rowcount == 0:
                raise NotFoundError("there is no such person")

    def _change(self, user_id: str, **values: str) -> None:
        now = datetime_of_wall(self._database.clock.wall_us())
        with self._database.begin() as connection:
            if connection.execute(update(User).where(User.id == user_id).values(**values, updated_at=now)).rowcount == 0:
                raise NotFoundError("there is no such person")

    def revoke(self, session_id: str, expires_at: datetime) -> None:
        """Remember a session that was signed out; forget those that have ended anyway."""
        now = datetime_of_wall(self._database.clock.wall_us())
        with self._database.begin() as connection:
            connection.execute(delete(RevokedSession).where(RevokedSession.expires_at < now))
            connection.execute(
                upsert(RevokedSession).values(session_id=session_id, expires_at=expires_at).on_conflict_do_nothing()
            )

    def is_revoked(self, session_id: str) -> bool:
        """Whether the session was signed out."""
        with self._database.begin() as connection:
            return (
                connection.scalar(select(RevokedSession.session_id).where(RevokedSession.session_id == session_id)) is not None
            )


class Setup:
    """The first administrator."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self) -> str | None:
        """The token of a new one-time link, good for a day; ``None`` when somebody is there already."""
        token = secrets.token_urlsafe(32)
        now = datetime_of_wall(self._database.clock.wall_us())
        with self._database.begin() as connection:
            if connection.scalar(select(User.id).limit(1)) is not None:
                return None
            connection.execute(delete(SetupToken))
            connection.execute(insert(SetupToken).values(token_hash=_hash(token), expires_at=now + TOKEN_LIFE))
        return token

    def redeem(self, token: str, email: str, password_hash: str) -> UserRecord:
        """Make the first administrator, owner of the first yard.

        Raises ``ConfigurationError`` when the token is wrong, used or too old, or somebody is there already.
        """
        now_us = self._database.clock.wall_us()
        now = datetime_of_wall(now_us)
        email = _email(email)
        with self._database.begin() as connection:
            # Taking the token and finding nobody are one step: two links cannot make two administrators.
            taken = connection.execute(
                delete(SetupToken).where(SetupToken.token_hash == _hash(token), SetupToken.expires_at > now)
            ).rowcount
            if taken == 0 or connection.scalar(select(User.id).limit(1)) is not None:
                raise ConfigurationError(
                    "this link is used or too old; restart BarnHand and it prints another while nobody is there"
                )
            row = connection.execute(
                insert(User)
                .values(
                    id=str(uuid.uuid4()), email=email, password_hash=password_hash, role="admin", created_at=now, updated_at=now
                )
                .returning(User.__table__)
            ).one()
            farm_id = default_farm(connection, now_us)
            connection.execute(insert(Membership).values(farm_id=farm_id, user_id=row.id, role="admin"))
            connection.exec_driver_sql("update farms set owner_id = %s where id = %s and owner_id is null", (row.id, farm_id))
        return _record(row)
