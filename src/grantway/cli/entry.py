"""What the ``grantway`` command starts: the command line, or a sentence where only the client is installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, if what it needs is there."""
    try:
        from grantway.cli.running import main as run
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "grantway":
            raise
        sys.exit("Only Grantway's client is installed. The server is an extra: pip install 'grantway[server]'")
    run()
