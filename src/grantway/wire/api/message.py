"""What all messages of the API are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import Meta, Struct

T = TypeVar("T")

Time = Annotated[datetime, Meta(tz=True)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", description="A day, UTC.")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Url = Annotated[str, Meta(min_length=1, max_length=2048)]
ScopeName = Annotated[str, Meta(min_length=1, max_length=191)]
Slug = Annotated[str, Meta(min_length=1, max_length=100, pattern="^[a-z0-9_.]+$")]
EventType = Annotated[
    str, Meta(max_length=128, pattern="^[A-Za-z0-9_-]+([.:][A-Za-z0-9_-]+)*$", examples=["order.paid"])
]
"""Texts that several messages have."""

UserId = Annotated[str, Meta(pattern="^us_[0-9A-Za-z]{22}$")]
AccountId = Annotated[str, Meta(min_length=1, max_length=191, description="ac_…, or the platform's own id of it.")]
ClientId = Annotated[str, Meta(pattern="^[A-Za-z0-9._~-]{1,128}$")]
ConnectionId = Annotated[str, Meta(pattern="^(cn_[0-9A-Za-z]{22}|[0-9a-f]{24})$")]
ResourceId = Annotated[str, Meta(pattern="^rs_[0-9A-Za-z]{22}$")]
DeliveryId = Annotated[str, Meta(pattern="^nt_[0-9A-Za-z]{22}$")]
SignInId = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{43}$", description="The `request` that the browser came with.")]
TokenId = Annotated[str, Meta(pattern="^gr_[0-9A-Za-z]{22}$")]
OperatorKeyId = Annotated[str, Meta(pattern="^ok_[0-9A-Za-z]{22}$")]
"""Ids, as addresses and queries have them."""


class Request(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked. Members that are not known are refused."""


class Answer(Struct, frozen=True, kw_only=True):
    """What is told."""


class Nothing(Request, frozen=True, kw_only=True):
    """A body without members. No body at all is as good."""


class PageQuery(Request, frozen=True, kw_only=True):
    """Which page of a listing."""

    limit: Annotated[int, Meta(ge=1, le=200, description="How many on a page.")] = 50
    cursor: Annotated[str, Meta(pattern="^[0-9A-Za-z]{22}$", description="The `next` of the page before.")] | None = (
        None
    )


class Listing(Answer, Generic[T], frozen=True, kw_only=True):
    """One page, newest first; ``next`` is the cursor of the page after, null at the end."""

    data: list[T]
    next: str | None


class Whole(Answer, Generic[T], frozen=True, kw_only=True):
    """A listing that is short enough for one page."""

    data: list[T]


Json = dict[str, Any]
"""A JSON object that is kept as it is."""

Role = Literal["owner", "admin", "member"]
