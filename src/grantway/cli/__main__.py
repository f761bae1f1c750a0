"""``python -m grantway.cli``."""

from grantway.cli.running import main

main()
