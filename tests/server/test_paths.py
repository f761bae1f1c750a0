"""Addresses with values in them."""

from __future__ import annotations

import pytest

from grantway.server.paths import Templates

TEMPLATES = Templates(
    ["/v1/webhooks/{id}", "/v1/webhooks/{id}/test", "/v1/webhooks/latest", "/v2/apps/{app}/integrations/{integration}"]
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/webhooks/wh_1", ("/v1/webhooks/{id}", {"id": "wh_1"})),
        ("/v1/webhooks/wh_1/test", ("/v1/webhooks/{id}/test", {"id": "wh_1"})),
        ("/v1/webhooks/{id}", ("/v1/webhooks/{id}", {"id": "{id}"})),
        ("/v1/webhooks/{}", ("/v1/webhooks/{id}", {"id": "{}"})),
        ("/v1/webhooks/latest", ("/v1/webhooks/latest", {})),
        (
            "/v2/apps/a/integrations/me",
            ("/v2/apps/{app}/integrations/{integration}", {"app": "a", "integration": "me"}),
        ),
    ],
)
def test_an_address_gives_its_template_and_the_values_in_it(path: str, found: tuple[str, dict[str, str]]) -> None:
    assert TEMPLATES.match(path) == found


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/v1",
        "/v1/webhooks",
        "/v1/webhooks/",
        "/v1/webhooks//test",
        "/v1/webhooks/a/b",
        "/v1/webhooks/a/test/",
    ],
)
def test_an_address_that_is_too_short_too_long_or_has_an_empty_part_fits_none(path: str) -> None:
    assert TEMPLATES.match(path) is None
