"""The shelf and the device as the settings say."""

from barnhand.app.folder import DataFolder
from barnhand.networks.session import Device, SessionOptions
from barnhand.networks.shelf import Shelf
from barnhand.settings.settings import read_settings


def shelf() -> Shelf:
    """The networks of the data folder (``BARNHAND_DATA``) and the embedded ones."""
    return Shelf(DataFolder(read_settings().data).models)


def session_options() -> SessionOptions:
    """The device of ``BARNHAND_DEVICE``, one thread."""
    return SessionOptions(device=Device(read_settings().device))
