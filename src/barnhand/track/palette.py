"""Ten well-separated colours."""

from collections.abc import Collection

PALETTE: tuple[str, ...] = (
    "#e6194b",  # red
    "#3cb44b",  # green
    "#4363d8",  # blue
    "#ffe119",  # yellow
    "#f032e6",  # magenta
    "#00ced1",  # cyan
    "#f58231",  # orange
    "#911eb4",  # purple
    "#87cefa",  # light blue
    "#ffb6c1",  # pink
)


def color(track_id: int, taken: Collection[str]) -> str:
    """Colour of a new track: its own by number, or the next that no living track of the stream has."""
    order = [PALETTE[(track_id - 1 + k) % len(PALETTE)] for k in range(len(PALETTE))]
    return next((c for c in order if c not in taken), order[0])
