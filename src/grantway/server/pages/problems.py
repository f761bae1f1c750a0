"""What a person is told when something cannot go on: what happened, and what to do about it. Never a traceback.

Nothing of the request is repeated, and the private reason stays in the log; the page shows the request's id instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grantway.protocol.decision import Refusal


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of trouble. ``title`` and ``advice`` are sentences of the catalogue."""

    status: int
    title: str
    advice: tuple[str, ...]


def _(sentence: str) -> str:
    """Marks a sentence for the catalogue; it is looked up when it is shown."""
    return sentence


START_AGAIN = _("Go back to the app that sent you here and start again from there.")

NOT_FOUND = Problem(404, _("There is nothing here"), (_("Check the address, or start from the first page."),))
WRONG_METHOD = Problem(405, _("This address is used differently"), (_("Start from the first page."),))
UNREADABLE = Problem(400, _("We could not read that"), (_("The request is incomplete or damaged. Please try again."),))
TOO_LARGE = Problem(413, _("That is too much"), (_("What was sent is larger than we accept here."),))
NOT_A_FORM = Problem(415, _("We could not read that"), (_("This address takes what our own forms send."),))
FOREIGN_FORM = Problem(
    403,
    _("This form is out of date"),
    (
        _("It was opened before you signed in or out, or it does not come from us. Nothing was changed."),
        _("If this happens again, allow cookies for this site: without them we cannot tell your forms from others."),
    ),
)
REQUEST_GONE = Problem(
    400,
    _("This request is no longer open"),
    (
        _("It has been answered already, has expired, or was started in another browser. Nothing was changed."),
        START_AGAIN,
    ),
)
NOBODY_SIGNED_IN = Problem(
    400,
    _("You are not signed in"),
    (_("The app that sent you here asked that you should not have to sign in, but nobody is."), START_AGAIN),
)
REQUEST_UNUSABLE = Problem(
    400,
    _("This app’s request cannot be used"),
    (
        _("The app that sent you here asked in a way that we cannot accept. Nothing was shared with it."),
        _("If you run the app: check its client ID and that the redirect URI is registered exactly as it is sent."),
    ),
)
SHOWN_DIFFERS = Problem(
    409,
    _("Something has changed in the meantime"),
    (_("What you were shown is no longer what would be allowed. Nothing was changed. Please look at it again."),),
)
NOTHING_CHOSEN = Problem(
    400,
    _("Nothing was chosen"),
    (_("Everything was left out, so there is nothing to allow. Choose something, or deny the request."),),
)
NOT_YOURS = Problem(
    403,
    _("You cannot do this"),
    (_("It needs an owner or an admin of the account. Nothing was changed."),),
)
ONLY_VIEWING = Problem(
    403,
    _("You may look, but not change anything"),
    (_("Ask an operator. Nothing was changed."),),
)
NOT_CONNECTED = Problem(
    404,
    _("This app is not connected"),
    (_("It may have been removed in the meantime."),),
)
NOT_YOUR_INTEGRATION = Problem(
    404,
    _("There is no such integration"),
    (_("It may have been deleted in the meantime, or somebody else looks after it."),),
)
REGISTRATION_CLOSED = Problem(
    403,
    _("You cannot register integrations"),
    (_("Ask the people who run this platform to register it for you."),),
)
TRIAL_UNUSABLE = Problem(
    400,
    _("This trial is not yours"),
    (
        _(
            "It was started in another browser, or before you signed in again. Start it again from the integration’s page."
        ),
    ),
)
TOO_MANY = Problem(
    429,
    _("Too many attempts"),
    (_("There were too many failed sign-ins from your network. Please wait a few minutes and try again."),),
)
ENOUGH_LETTERS = Problem(
    429,
    _("Enough letters for now"),
    (_("We have written to several new addresses of yours within the last hour. Please wait before you try another."),),
)
SIGN_IN_GONE = Problem(
    400,
    _("This sign-in is no longer open"),
    (
        _("It took longer than ten minutes, was used already, or was begun in another browser. You are not signed in."),
        _("Go back to where you came from and begin again. If it happens again, allow cookies for this site."),
    ),
)
SIGN_IN_TOO_OLD = Problem(
    403,
    _("Please sign in anew"),
    (_("What you want to do asks for a sign-in that is not long ago, and yours is. Sign out there, then try again."),),
)
NO_ENTRY = Problem(
    403,
    _("You cannot sign in here"),
    (_("Your access was switched off. Ask those who run this site."),),
)
LINK_GONE = Problem(
    404,
    _("This link does not work any more"),
    (_("It has been used, has expired, or a newer one was sent to you. Nothing was changed."),),
)
EMAIL_TAKEN = Problem(
    409,
    _("This address cannot be used"),
    (_("Somebody else signs in with it by now. Your address stays as it was."),),
)
BUSY = Problem(503, _("We are busy right now"), (_("Nothing was changed. Please try again in a moment."),))
UNTOLD = Problem(
    503,
    _("We do not know whether this was done"),
    (_("The confirmation did not come in time. In a moment, look whether it was done before you do it again."),),
)
FAILED = Problem(500, _("Something went wrong on our side"), (_("It has been logged. Please try again later."),))


class Stop(Exception):
    """A handler cannot go on: show the problem. ``again`` is a page of ours where the person can take it up again."""

    def __init__(
        self, problem: Problem, *, again: str | None = None, reason: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(reason or problem.title)
        self.problem = problem
        self.again = again
        self.reason = reason
        self.retry_after = retry_after


def stop(problem: Problem, refusal: Refusal, *, again: str | None = None) -> Stop:
    """The problem that a rule's refusal is to a person."""
    return Stop(problem, again=again, reason=refusal.reason, retry_after=refusal.retry_after)


def told(problem: Problem, gettext: Callable[[str], str]) -> tuple[str, list[str]]:
    """Title and advice in a language."""
    return gettext(problem.title), [gettext(sentence) for sentence in problem.advice]
