"""One module for each dialect that an integration of the demo speaks."""

from grantway.server.demo.speeches.phonecom import SPEECH as PHONECOM
from grantway.server.demo.speeches.square import SPEECH as SQUARE
from grantway.server.demo.speeches.standard import SPEECH as STANDARD
from grantway.server.demo.speeches.sunshine import SPEECH as SUNSHINE

SPEECHES = {"standard": STANDARD, "sunshine": SUNSHINE, "square": SQUARE, "phonecom": PHONECOM}
"""By profile."""
