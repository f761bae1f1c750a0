"""``python -m grantway.cli``."""

from grantway.cli.main import main

main()
