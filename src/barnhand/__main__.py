"""``python -m barnhand`` is ``barnhand``."""

from barnhand.cli import main

if __name__ == "__main__":
    main()
