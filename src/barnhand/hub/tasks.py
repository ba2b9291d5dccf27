"""Ending tasks that read the hub."""

import asyncio

_AGAIN_S = 0.2


async def end(*tasks: "asyncio.Task[None]") -> None:
    """Cancel tasks until they are over.

    Once is not enough: ``asyncio.wait_for``, which the hub's client uses, may swallow a cancellation before Python 3.12
    (python/cpython issue 86296), and a reader that was to end would read on for ever.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=_AGAIN_S)
