"""Figures for Prometheus. Nothing in them names a horse, a person or an address."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from barnhand.core.errors import StoreError
from barnhand.store.store import Store


class Metrics:
    """A registry of its own, so that two apps in one process do not meet."""

    def __init__(self, viewers: Callable[[], dict[str, int]]) -> None:
        self._registry = CollectorRegistry()
        self._viewers = viewers
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = Counter(
            "barnhand_http_requests",
            "Answers by route, method and status",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "barnhand_http_request_seconds", "Time to the end of an answer", ["route", "method"], registry=self._registry
        )
        self._viewer_gauge = Gauge("barnhand_viewers", "Open WebSockets", ["kind"], registry=self._registry)
        self._chunks = Gauge("barnhand_chunks", "Chunks by state of analysis", ["state"], registry=self._registry)
        self._streams = Gauge("barnhand_streams", "Cameras by what was asked for", ["status"], registry=self._registry)
        self._horses = Gauge("barnhand_horses", "Horses, strangers included", registry=self._registry)
        self._database = Gauge("barnhand_database_up", "1 while the database answers", registry=self._registry)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)

    def text(self, store: Store) -> bytes:
        """All figures; those of the database keep their last value while it is away."""
        for kind, count in self._viewers().items():
            self._viewer_gauge.labels(kind).set(count)
        try:
            for state, count in store.chunks.states().items():
                self._chunks.labels(state.value).set(count)
            statuses = [record.status.value for record in store.streams.all()]
            for status in ("active", "inactive"):
                self._streams.labels(status).set(statuses.count(status))
            self._horses.set(store.horses.count())
            self._database.set(1)
        except StoreError:
            self._database.set(0)
        return generate_latest(self._registry)
