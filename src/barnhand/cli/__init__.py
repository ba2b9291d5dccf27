"""The command line: one file a command, registered with one line each in ``main.build``.

A command imports what is heavy inside its function, so that ``barnhand --help`` and the services start without it.
"""

from barnhand.cli.main import build, main

__all__ = ["build", "main"]
