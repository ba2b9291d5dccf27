"""Signing in and out, the first administrator, tickets."""

import logging

from fastapi import APIRouter, Request, Response

from barnhand.api import schemas
from barnhand.api.problems import ProblemError, responses
from barnhand.api.security import COOKIE, Caller, SignedIn
from barnhand.api.services import Api

router = APIRouter(tags=["session"])
log = logging.getLogger(__name__)


def _set_cookie(request: Request, response: Response, token: str, caller: Caller) -> None:
    response.set_cookie(
        COOKIE,
        token,
        expires=caller.expires_at,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )


def _describe(caller: Caller, token: str | None = None) -> schemas.Session:
    user = schemas.User(id=caller.user_id, email=caller.email, role=caller.role)
    return schemas.Session(user=user, expires_at=caller.expires_at, token=token)


@router.get("/setup")
def setup_state(api: Api) -> schemas.SetupState:
    """Whether the first administrator is still to be made."""
    return schemas.SetupState(needed=api.store.users.count() == 0)


@router.post("/setup", status_code=201, responses=responses(401, 409, 422))
def setup(api: Api, request: Request, response: Response, body: schemas.SetupRequest) -> schemas.Session:
    """Make the first administrator with the token of the one-time link, and sign in."""
    password_hash = api.passwords.hash(body.password)
    user = api.store.setup.redeem(body.token, body.email, password_hash)
    token, caller = api.sessions.issue(user.id, user.email, user.role, cookie=True)
    _set_cookie(request, response, token, caller)
    return _describe(caller)


@router.post("/session", responses=responses(401, 422, 429))
def sign_in(api: Api, request: Request, response: Response, body: schemas.Credentials) -> schemas.Session:
    """Sign in; five wrong passwords make one wait."""
    address = request.client.host if request.client else ""
    key = f"{address} {body.email.lower()}"
    wait = api.throttle.wait(key)
    if wait > 0:
        seconds = int(wait) + 1
        raise ProblemError(429, f"too many wrong passwords; try again in {seconds} s", {"Retry-After": str(seconds)})
    user = api.store.users.find(body.email)
    if not api.passwords.matches(user.password_hash if user else None, body.password) or user is None:
        api.throttle.failed(key)
        log.warning("a sign-in failed from %s", address)
        raise ProblemError(401, "e-mail address or password is wrong")
    api.throttle.succeeded(key)
    token, caller = api.sessions.issue(user.id, user.email, user.role, cookie=not body.bearer)
    if body.bearer:
        return _describe(caller, token)
    _set_cookie(request, response, token, caller)
    return _describe(caller)


@router.get("/session", responses=responses(401))
def who(caller: SignedIn) -> schemas.Session:
    """Who is signed in."""
    return _describe(caller)


@router.delete("/session", status_code=204, responses=responses(401))
def sign_out(api: Api, caller: SignedIn, response: Response) -> None:
    """Sign out; the session is worthless from now on."""
    api.sessions.revoke(caller)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


@router.post("/tickets", status_code=201, responses=responses(401))
def ticket(api: Api, caller: SignedIn) -> schemas.Ticket:
    """A ticket for one WebSocket that cannot send the cookie."""
    return schemas.Ticket(ticket=api.tickets.issue(caller), expires_in=int(api.options.ticket_s))
