"""Is the port free? Asked before anything starts: a worker that dies of it is started again and again, and says so in a log."""

import errno
import socket

from barnhand.core.errors import ConfigurationError


def check_port(host: str, port: int, use: str, advice: str) -> None:
    """Raise ``ConfigurationError`` when ``port`` of ``host`` cannot be served on; ``use`` says what it is for."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the server does: what an earlier run left in TIME_WAIT is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "another program uses it" if taken else (error.strerror or str(error)).lower()
            raise ConfigurationError(f"port {port} of {host}, for {use}, cannot be had ({why}); {advice}") from error
