"""What browser somebody signs in with, so coarsely that a list of sessions can name it and nobody can follow it."""

from __future__ import annotations

from grantway.protocol.sign_in import Browser
from grantway.server.pages.visit import Visit

# The first that fits: each pretends to be those after it.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"), ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_of(visit: Visit) -> Browser:
    """What is noted of this browser when it signs in."""
    return Browser(label_of(visit.request.headers.get("user-agent", "")), visit.language)


def label_of(user_agent: str) -> str:
    """``Firefox (Linux)``; as much of it as can be told, ``""`` for nothing. Names only, so it reads in any language."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} ({system})" if browser and system else browser or system
