"""The two WebSockets: what the camera shows, and what is seen in it."""

import asyncio
import contextlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from barnhand.api.conversions import PLAYABLE
from barnhand.api.fanout import Mailbox, event_message
from barnhand.api.problems import ProblemError
from barnhand.api.security import caller_of_socket
from barnhand.api.services import Api, State
from barnhand.core.errors import BarnHandError, HubError, NotFoundError, StoreError

router = APIRouter()

RECENT_US = 2_000_000
"""How far back observations begin without ``since``: an overlay for the pictures still in the player's buffer."""

CLOSE_INVALID = 4400
CLOSE_UNAUTHORIZED = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_NOT_FOUND = 4404
CLOSE_TRY_AGAIN = 1013


async def _admit(api: State, socket: WebSocket, stream_id: UUID, ticket: str | None) -> bool:
    """Accept a WebSocket; close it with a code and a sentence where the caller or the stream is none."""
    await socket.accept()
    try:
        await asyncio.to_thread(caller_of_socket, socket, ticket)
        await asyncio.to_thread(api.store.streams.get, str(stream_id))
    except ProblemError as error:
        await socket.close(CLOSE_FORBIDDEN if error.status_code == 403 else CLOSE_UNAUTHORIZED, str(error.detail))
    except NotFoundError as error:
        await socket.close(CLOSE_NOT_FOUND, str(error))
    except StoreError:
        await socket.close(CLOSE_TRY_AGAIN, "the database does not answer; try again in a moment")
    except BarnHandError:
        await socket.close(CLOSE_UNAUTHORIZED, "this session cannot be checked; sign in again")
    else:
        return True
    return False


async def _deliver(socket: WebSocket, mailbox: Mailbox) -> None:
    """Send until the viewer is gone. What a viewer sends is read, so that its leaving is noticed, and ignored."""

    async def send() -> None:
        while True:
            message = await mailbox.take()
            if isinstance(message, str):
                await socket.send_text(message)
            else:
                await socket.send_bytes(message)

    async def listen() -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    tasks = {asyncio.create_task(send()), asyncio.create_task(listen())}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@router.websocket("/v1/live/{stream_id}")
async def live(socket: WebSocket, api: Api, stream_id: UUID, ticket: str | None = None, codec: str | None = None) -> None:
    """Fragments as they come, from the newest key frame on; with ``codec=h264`` in H.264, whatever the camera sends."""
    if not await _admit(api, socket, stream_id, ticket):
        return
    if codec not in {None, PLAYABLE}:
        await socket.close(CLOSE_INVALID, f"codec can be {PLAYABLE}, or left out for what the camera sends")
        return
    async with api.fanouts.live(str(stream_id), playable=codec is not None) as mailbox:
        await _deliver(socket, mailbox)


@router.websocket("/v1/ws/streams/{stream_id}")
@router.websocket("/v1/ws/stream/{stream_id}")
@router.websocket("/ws/stream/{stream_id}")
async def updates(
    socket: WebSocket,
    api: Api,
    stream_id: UUID,
    ticket: str | None = None,
    since: Annotated[int | None, Query(ge=0)] = None,
) -> None:
    """Observations, states and events as JSON, resumable from ``since`` (µs) as far as the hub still holds them."""
    if not await _admit(api, socket, stream_id, ticket):
        return
    since_us = api.clock.wall_us() - RECENT_US if since is None else since
    async with api.fanouts.updates(str(stream_id), since_us) as mailbox:
        for role in ("recorder", "analyst"):
            with contextlib.suppress(HubError):
                state = await api.hub.state(str(stream_id), role)
                if state is not None:
                    mailbox.put(event_message(f"state:{role}", state.to_dict()))
        await _deliver(socket, mailbox)
