"""What became of a chunk, told to everybody once its rows are there: the contract's ``chunk:processed`` and ``chunk:ready``."""

import logging
from collections.abc import Sequence
from dataclasses import asdict

from barnhand.core.chunk import ChunkState
from barnhand.core.errors import HubError
from barnhand.hub.hub import Hub
from barnhand.store.writer import Verdict

log = logging.getLogger(__name__)


def tell_verdicts(hub: Hub, verdicts: Sequence[Verdict]) -> None:
    """``chunk:processed`` for each, however its analysis ended; ``chunk:ready`` for those to be played with their overlay.

    Without the hub they are not told: the rows say the same, and nobody listens.
    """
    try:
        for verdict in verdicts:
            payload = {**asdict(verdict), "state": verdict.state.value}
            hub.publish_event("chunk:processed", payload)
            if verdict.state is ChunkState.ANALYSED:
                hub.publish_event("chunk:ready", payload)
    except HubError as error:
        log.debug("what became of %d chunks was not told: %s", len(verdicts), error)
