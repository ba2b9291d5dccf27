"""Passwords, sessions and tickets.

A session is a signed token (JWT, HS256) that a browser keeps in an ``HttpOnly`` cookie and a script sends as ``Bearer``.
It is never in an address: a WebSocket that cannot send the cookie uses a ticket, good once and for seconds.
"""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import argon2
import jwt
from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from barnhand.api.problems import ProblemError
from barnhand.core.errors import NotFoundError, StoreError
from barnhand.core.time import SECOND_US, Clock, datetime_of_wall
from barnhand.store.records import Role
from barnhand.store.secrets import SecretBox
from barnhand.store.store import Store

COOKIE = "barnhand_session"
ALGORITHM = "HS256"
SHORTEST_PASSWORD = 10
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Passwords:
    """Argon2id (RFC 9106). Two at a time: each takes ``memory_kib``, and strangers may ask for it."""

    def __init__(self, memory_kib: int, passes: int) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib)
        self._turns = threading.BoundedSemaphore(2)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        """A hash to keep. Raises ``ProblemError`` for a password that is too short."""
        if len(password) < SHORTEST_PASSWORD:
            raise ProblemError(422, f"the password is too short; use at least {SHORTEST_PASSWORD} characters")
        with self._turns:
            return self._hasher.hash(password)

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether ``password`` is right; without a hash the answer is no, after just as long."""
        try:
            with self._turns:
                return self._hasher.verify(password_hash or self._nobody, password) and password_hash is not None
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


@dataclass(frozen=True)
class Caller:
    """Who asks."""

    user_id: str
    email: str
    role: Role
    session_id: str
    expires_us: int
    cookie: bool

    @property
    def expires_at(self) -> datetime:
        """Until when the session lasts."""
        return datetime_of_wall(self.expires_us)


class Sessions:
    """Issues and checks sessions."""

    def __init__(self, store: Store, box: SecretBox, hours: float, recheck_s: float, clock: Clock) -> None:
        self._store = store
        self._key = box.derive("session")
        self._hours = hours
        self._recheck_s = recheck_s
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Caller]] = {}

    def issue(self, user_id: str, email: str, role: Role, *, cookie: bool) -> tuple[str, Caller]:
        """A new session's token."""
        expires_us = self._clock.wall_us() + round(self._hours * 3600) * SECOND_US
        caller = Caller(user_id, email, role, secrets.token_urlsafe(16), expires_us // SECOND_US * SECOND_US, cookie)
        claims = {"sub": user_id, "role": role.value, "jti": caller.session_id, "exp": caller.expires_us // SECOND_US}
        return jwt.encode(claims, self._key, ALGORITHM), caller

    def check(self, token: str, *, cookie: bool) -> Caller:
        """Who the token speaks for. Raises ``ProblemError`` 401.

        The database is asked at most every ``recheck_s``; while it is away, a session this process has seen stays good,
        so that live view goes on.
        """
        try:
            claims = jwt.decode(token, self._key, [ALGORITHM], options={"require": ["sub", "jti", "exp"], "verify_exp": False})
        except jwt.InvalidTokenError as error:
            raise ProblemError(401, "the session is not valid; sign in again") from error
        expires_us = int(claims["exp"]) * SECOND_US
        if expires_us <= self._clock.wall_us():
            raise ProblemError(401, "the session has ended; sign in again")
        session_id = str(claims["jti"])
        now = self._clock.monotonic()
        with self._lock:
            known = self._known.get(session_id)
        if known is not None and now - known[0] < self._recheck_s:
            return known[1]
        try:
            if self._store.users.is_revoked(session_id):
                raise ProblemError(401, "the session was signed out; sign in again")
            user = self._store.users.get(str(claims["sub"]))
        except NotFoundError as error:
            raise ProblemError(401, "this account is no more; ask an administrator") from error
        except StoreError:
            if known is None:
                raise
            return known[1]
        caller = Caller(user.id, user.email, user.role, session_id, expires_us, cookie)
        with self._lock:
            self._known[session_id] = (now, caller)
            while len(self._known) > 10_000:
                del self._known[next(iter(self._known))]
        return caller

    def revoke(self, caller: Caller) -> None:
        """Sign out: the token is worthless from now on."""
        self._store.users.revoke(caller.session_id, caller.expires_at)
        with self._lock:
            self._known.pop(caller.session_id, None)


class Tickets:
    """Good once, for seconds, in this process."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[float, Caller]] = {}

    def issue(self, caller: Caller) -> str:
        """A ticket for ``caller``."""
        ticket = secrets.token_urlsafe(24)
        now = self._clock.monotonic()
        with self._lock:
            self._waiting = {key: value for key, value in self._waiting.items() if value[0] > now}
            self._waiting[ticket] = (now + self._seconds, caller)
        return ticket

    def redeem(self, ticket: str) -> Caller | None:
        """Who the ticket was for, or ``None`` when it is unknown, used or too old."""
        with self._lock:
            until, caller = self._waiting.pop(ticket, (0.0, None))
        return caller if caller is not None and until > self._clock.monotonic() else None


def origin_allowed(connection: HTTPConnection, allowed: tuple[str, ...]) -> bool:
    """Whether a browser's ``Origin`` is this server's own or one that is let in; no origin means no browser."""
    origin = connection.headers.get("origin")
    if origin is None or origin in allowed:
        return True
    return origin.split("://", 1)[-1] == connection.headers.get("host")


def _token_of(connection: HTTPConnection) -> tuple[str, bool]:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip(), False
    return connection.cookies.get(COOKIE, ""), True


def caller_of(request: Request) -> Caller:
    """The dependency of every route that needs somebody signed in."""
    state = request.app.state.barnhand
    token, cookie = _token_of(request)
    if not token:
        raise ProblemError(401, "you are not signed in; sign in first", {"WWW-Authenticate": "Bearer"})
    if cookie and request.method not in SAFE_METHODS and not origin_allowed(request, state.options.allowed_origins):
        raise ProblemError(403, "this page comes from another address than the api; open BarnHand at its own address")
    caller: Caller = state.sessions.check(token, cookie=cookie)
    return caller


def caller_of_socket(connection: HTTPConnection, ticket: str | None) -> Caller:
    """Who opened a WebSocket: by ticket, cookie or ``Bearer``. Raises ``ProblemError``. Asks the database: not for the loop."""
    state = connection.app.state.barnhand
    if ticket is not None:
        caller: Caller | None = state.tickets.redeem(ticket)
        if caller is None:
            raise ProblemError(401, "the ticket is used or too old; ask for another")
        return caller
    token, cookie = _token_of(connection)
    if not token:
        raise ProblemError(401, "you are not signed in; sign in first")
    if cookie and not origin_allowed(connection, state.options.allowed_origins):
        raise ProblemError(403, "this page comes from another address than the api; open BarnHand at its own address")
    checked: Caller = state.sessions.check(token, cookie=cookie)
    return checked


SignedIn = Annotated[Caller, Depends(caller_of)]


def require(role: Role) -> Any:
    """A dependency: somebody who may do what ``role`` may."""

    def check(caller: SignedIn) -> None:
        if not caller.role.includes(role):
            raise ProblemError(403, f"this needs the role {role.value} and yours is {caller.role.value}; ask an administrator")

    return Depends(check)


SIGNED_IN = Depends(caller_of)
GROOM = require(Role.GROOM)
ADMIN = require(Role.ADMIN)
