"""The error tree.

Each error's message is one sentence a stable owner can act on: what is wrong and what to do.

    BarnHandError
    ├── ConfigurationError        a setting or an argument cannot be used
    ├── MediaError                a file or a stream is not usable video
    │   ├── UnsupportedCodecError
    │   └── DamagedMediaError
    ├── SourceError               a camera cannot be read (``cause`` names the state, see core.stream.Cause)
    ├── ModelError                a network's file is missing, damaged or of another family
    ├── HubError                  the hub cannot be reached
    ├── StoreError                the database cannot be reached or refuses a row
    ├── SpaceError                the disk is full or below its floor
    └── NotFoundError             nothing by that name
"""


class BarnHandError(Exception):
    """Root of every error BarnHand raises on purpose."""


class ConfigurationError(BarnHandError):
    """A setting or an argument cannot be used."""


class MediaError(BarnHandError):
    """A file or a stream is not usable video."""


class UnsupportedCodecError(MediaError):
    """The video is in a codec BarnHand does not record."""


class DamagedMediaError(MediaError):
    """The bytes end early or contradict themselves."""


class SourceError(BarnHandError):
    """A camera cannot be read. ``cause`` is a ``core.stream.Cause`` value."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class ModelError(BarnHandError):
    """A network's file is missing, damaged or of another family."""


class HubError(BarnHandError):
    """The hub cannot be reached."""


class StoreError(BarnHandError):
    """The database cannot be reached or refuses a row."""


class SpaceError(BarnHandError):
    """The disk is full or below its free-space floor."""


class NotFoundError(BarnHandError):
    """Nothing by that name."""
