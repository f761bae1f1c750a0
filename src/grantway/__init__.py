"""Grantway: OAuth for platforms with integrations, both ends of the wire.

``wire`` is what is said, ``protocol`` is what is allowed, ``server`` makes it so. Arrows point inward.
"""

__version__ = "0.1.0"
