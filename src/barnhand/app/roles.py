"""What each worker process is: the services of a role put together, run until the parent says stop."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from barnhand.app.folder import DataFolder, Lock
from barnhand.app.inbox import Inbox
from barnhand.app.streams import streams_of
from barnhand.core.errors import BarnHandError, ConfigurationError
from barnhand.core.stream import Stream
from barnhand.core.time import SystemClock
from barnhand.hub.hub import Hub
from barnhand.settings.settings import Settings
from barnhand.store.spool import Spool

log = logging.getLogger(__name__)

HANDOVER_SECONDS = 10.0
"""How long a worker waits for a namesake, left over from a killed supervisor, to end."""


def _settings(configuration: Mapping[str, Any]) -> Settings:
    return Settings(**configuration["settings"])


def _take_over(folder: DataFolder, name: str, inbox: Inbox) -> Lock:
    """Be the only worker of this name; wait for a predecessor that is still stopping."""
    lock = Lock(folder.run / f"{name}.lock")
    clock = SystemClock()
    end = clock.monotonic() + HANDOVER_SECONDS
    while (holder := lock.take()) is not None:
        if clock.monotonic() > end:
            raise ConfigurationError(f"another {name} (process {holder}) still runs; end it and start again")
        if inbox.stop.wait(0.1):
            break
    return lock


def api(configuration: Mapping[str, Any], inbox: Inbox) -> None:
    """The REST and WebSocket API and the page."""
    import uvicorn

    from barnhand.api.app import create_app
    from barnhand.api.services import ApiServices
    from barnhand.store.database import connect
    from barnhand.store.secrets import SecretBox
    from barnhand.store.store import Store

    settings = _settings(configuration)
    folder = DataFolder(settings.data)
    secrets = SecretBox.open(folder.secrets)
    store = Store(connect(configuration["database_url"]), secrets)
    services = ApiServices(
        store=store,
        hub_url=configuration["hub_url"],
        recordings=folder.recordings,
        converted=folder.converted,
        secrets=secrets,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(services),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            ws_max_size=1 << 20,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=2,
        )
    )

    async def serve() -> None:
        serving = asyncio.create_task(server.serve())
        while not serving.done():
            if inbox.stop.is_set():
                server.should_exit = True
            await asyncio.sleep(0.1)
        await serving

    asyncio.run(serve())
    store.close()


def writer(configuration: Mapping[str, Any], inbox: Inbox) -> None:
    """Copies the spool to the database, tells what became of chunks, and keeps the tables in shape."""
    from barnhand.app.verdicts import tell_verdicts
    from barnhand.store.database import connect
    from barnhand.store.writer import Writer

    settings = _settings(configuration)
    folder = DataFolder(settings.data)
    lock = _take_over(folder, "writer", inbox)
    engine = connect(configuration["database_url"], pool=2)
    hub = Hub(configuration["hub_url"])
    Writer(folder.spool, engine, SystemClock(), tell=partial(tell_verdicts, hub)).run(inbox.stop)
    hub.close()
    engine.dispose()
    lock.give_back()


def recorder(configuration: Mapping[str, Any], inbox: Inbox) -> None:
    """Records every camera."""
    from barnhand.recorder.options import RecorderOptions
    from barnhand.recorder.recorder import Recorder
    from barnhand.sources.options import SourceOptions, YoutubeOptions

    # Many threads that each do little: a shorter turn lets a packet be written sooner (docs/design/fragments.md).
    sys.setswitchinterval(0.001)
    settings = _settings(configuration)
    folder = DataFolder(settings.data)
    lock = _take_over(folder, "recorder", inbox)
    hub, spool = Hub(configuration["hub_url"]), Spool(folder.spool)
    options = RecorderOptions(
        retention_s=settings.retention_days * 86_400,
        retention_bytes=None if settings.retention_gb is None else round(settings.retention_gb * 1e9),
        free_bytes=round(settings.min_free_gb * 1e9),
        source=SourceOptions(
            youtube=YoutubeOptions(
                cookies=settings.youtube_cookies,
                proxies=tuple(proxy.strip() for proxy in settings.youtube_proxies.split(",") if proxy.strip()),
                cache=folder.cache,
            )
        ),
    )
    service = Recorder(folder.recordings, hub, spool, SystemClock(), options)
    _follow(service.reconcile, inbox)
    service.stop()
    spool.close()
    lock.give_back()


def analyst(configuration: Mapping[str, Any], inbox: Inbox) -> None:
    """Analyses its share of the cameras."""
    from barnhand.analyst.analyst import Analyst
    from barnhand.analyst.options import AnalystOptions
    from barnhand.app.analysis import StoredChunks, open_gallery, open_stages
    from barnhand.store.database import connect
    from barnhand.store.secrets import SecretBox
    from barnhand.store.store import Store

    settings = _settings(configuration)
    folder = DataFolder(settings.data)
    name = f"analyst-{configuration['worker']}"
    lock = _take_over(folder, name, inbox)
    clock, hub, spool = SystemClock(), Hub(configuration["hub_url"]), Spool(folder.spool)
    store = Store(connect(configuration["database_url"], pool=1), SecretBox.open(folder.secrets), clock)
    stages = open_stages(folder.models, settings.device)
    gallery = open_gallery(stages, hub, spool, clock, name, folder.cache, store.horses.gallery)
    service = Analyst(
        hub,
        spool,
        lambda: stages,
        clock,
        AnalystOptions(fps=settings.analysis_fps, least_fps=min(1.0, settings.analysis_fps)),
        gallery=None if gallery is None else gallery.gallery,
        chunks=StoredChunks(lambda limit: [stored.chunk for stored in store.chunks.pending(limit)], spool),
        recordings=folder.recordings,
    )
    _follow(service.reconcile, inbox, service.alive)
    service.stop()
    if gallery is not None:
        gallery.stop()
    spool.close()
    store.close()
    lock.give_back()


def transcoder(configuration: Mapping[str, Any], inbox: Inbox) -> None:
    """Converts H.265 for those who cannot play it."""
    # After recording, before what only has to be done some time: somebody is looking at it. Loading its code comes after, too.
    os.nice(5)
    from barnhand.transcode.options import TranscodeOptions
    from barnhand.transcode.transcoder import Transcoder

    settings = _settings(configuration)
    folder = DataFolder(settings.data)
    lock = _take_over(folder, "transcoder", inbox)
    options = TranscodeOptions(
        live=settings.conversions,
        cache_bytes=round(settings.converted_gb * 1e9),
        free_bytes=round(settings.min_free_gb * 1e9),
    )
    hub = Hub(configuration["hub_url"])
    Transcoder(hub, folder.recordings, folder.converted, SystemClock(), options).run(inbox.stop)
    lock.give_back()


def cameras(configuration: Mapping[str, Any], inbox: Inbox) -> None:
    """Serves files as live cameras: ``{"clips": {name: path}, "port": int}``."""
    from barnhand.sources.rtsp_server import RtspServer

    async def serve() -> None:
        server = RtspServer(
            {name: Path(path) for name, path in configuration["clips"].items()}, port=int(configuration["port"])
        )
        port = await server.start()
        log.info("%d cameras on port %d", len(configuration["clips"]), port)
        while not inbox.stop.is_set():
            await asyncio.sleep(0.1)
        await server.stop()

    asyncio.run(serve())


def _follow(reconcile: Callable[[Sequence[Stream]], None], inbox: Inbox, alive: Callable[[], bool] = lambda: True) -> None:
    """Hand every list of streams on until the end. Raises ``BarnHandError`` when the service is dead: start it again."""
    told = False
    while not inbox.stop.is_set():
        message = inbox.next(0.2)
        if message is not None and "streams" in message:
            reconcile(streams_of(message))
            told = True
        elif told and not alive():
            raise BarnHandError("the service ended by itself; its log says why")
