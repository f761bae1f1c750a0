"""From bytes to values: what is read, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from grantway.wire.encoding import (
    MAX_DEPTH,
    MAX_PARAMETERS,
    MAX_VALUE,
    Parameters,
    join_query,
    read_form,
    read_json_object,
    read_scope,
    split_query,
    write_form,
)
from grantway.wire.errors import INVALID_CLIENT, INVALID_SCOPE, INVALID_TARGET, INVALID_TOKEN, Malformed
from grantway.wire.headers import read_basic, read_bearer, read_retry_after, write_basic
from grantway.wire.http import HttpAnswer


def reason(call: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(Malformed) as caught:
        call(*arguments, **more)
    return caught.value.reason


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"state=abc", "abc"),
        (b"state=a+b", "a b"),
        (b"state=a%2Bb", "a+b"),
        (b"state=a%2bb%25", "a+b%"),
        (b"state=a=b=", "a=b="),
        (b"st%61te=x", "x"),
        (b"&&state=x&", "x"),
        (b"other&state=x", "x"),
        (b"state=%C3%A9", "é"),
        ("state=é".encode(), "é"),
        ("state=é%20".encode(), "é "),
        (b"state=%F0%9F%94%91+%41", "🔑 A"),
        (b"state=", ""),
        (b"state", ""),
        (b"", None),
        (b"State=x", None),
    ],
)
def test_a_form_is_decoded(body: bytes, expected: str | None) -> None:
    assert read_form(body).exact("state") == expected


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"a=%", "percent_encoding_broken"),
        (b"a=%4", "percent_encoding_broken"),
        (b"a=%zz", "percent_encoding_broken"),
        (b"a=%+1", "percent_encoding_broken"),
        (b"a=%FF", "percent_encoding_broken"),
        (b"a=%C3", "percent_encoding_broken"),
        (b"a=%ED%A0%80", "percent_encoding_broken"),
        (b"a=\xff", "form_not_utf8"),
        (b"a=\0", "form_with_nul"),
        (b"a=%00", "form_with_nul"),
        (b"a=1&a=2", "parameter_repeated"),
        (b"a=1&%61=2", "parameter_repeated"),
        (b"a=&a=2", "parameter_repeated"),
        (b"a&a", "parameter_repeated"),
        (b"unknown=1&unknown=1", "parameter_repeated"),
        (b"&".join(b"a%d=1" % n for n in range(MAX_PARAMETERS + 1)), "too_many_parameters"),
        (b"a=" + b"x" * (MAX_VALUE + 1), "parameter_too_long"),
        (b"a=" + b"%C3%A9" * (MAX_VALUE // 2 + 1), "parameter_too_long"),
    ],
)
def test_a_form_is_refused(body: bytes, why: str) -> None:
    assert reason(read_form, body) == why


def test_a_form_is_read_up_to_its_limits() -> None:
    assert read_form(b"&".join(b"a%d=1" % n for n in range(MAX_PARAMETERS))).one("a63") == "1"
    assert read_form(b"a=" + b"x" * MAX_VALUE).one("a") == "x" * MAX_VALUE
    assert read_form(b"a=" + b"%C3%A9" * (MAX_VALUE // 2)).one("a") == "é" * (MAX_VALUE // 2)


def test_resource_and_audience_may_occur_more_than_once() -> None:
    form = read_form(b"resource=a&audience=x&resource=b&audience=y&resource=c")
    assert form.many("resource") == ("a", "b", "c")
    assert form.many("audience") == ("x", "y")
    assert form.many("other") == ()
    assert reason(form.one, "resource") == "resource_not_text"
    assert read_form(b"resource=&resource=b").many("resource") == ("b",)


def test_sent_without_a_value_is_absent_but_exact_tells_the_difference() -> None:
    form = read_form(b"a=&scope=")
    assert (form.one("a"), form.visible("a"), form.scope(), form.many("a"), form.exact("a")) == (
        None,
        None,
        None,
        (),
        "",
    )
    assert (form.one("b"), form.visible("b"), form.exact("b")) == (None, None, None)


def test_a_needed_parameter_is_missed() -> None:
    assert read_form(b"code=x").needed("code") == "x"
    assert reason(read_form(b"code=").needed, "code") == "code_missing"


@pytest.mark.parametrize("value", [b"a%0Ab", b"a\tb", b"%7F", b"%C3%A9"])
def test_only_visible_characters_where_the_grammar_says_so(value: bytes) -> None:
    form = read_form(b"code=" + value + b"&resource=" + value)
    assert reason(form.visible, "code") == "code_malformed"
    with pytest.raises(Malformed) as caught:
        form.many("resource", INVALID_TARGET)
    assert caught.value.error is INVALID_TARGET
    assert form.one("code")


def test_parameters_do_not_show() -> None:
    assert "hunter2" not in repr(read_form(b"client_secret=hunter2"))


@pytest.mark.parametrize(
    "body", [b'{"a":"x"}', b' { "a" : "x" , "b" : 1 } ', b'{"a":"x","b":["x"]}', b'{"\\u0061":"x"}']
)
def test_a_json_object_is_read(body: bytes) -> None:
    assert read_json_object(body).one("a") == "x"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "json_malformed"),
        (b"{", "json_malformed"),
        (b'{"a":"\xff"}', "json_malformed"),
        (b'{"a":"\\ud800"}', "json_malformed"),
        (b'{"a":NaN}', "json_malformed"),
        (b'\xef\xbb\xbf{"a":1}', "json_malformed"),
        ('{"a":"x"}'.encode("utf-16"), "json_malformed"),
        (b"[" * 5000, "json_malformed"),
        (b"[]", "json_not_an_object"),
        (b'"a"', "json_not_an_object"),
        (b'{"a":"x","a":"x"}', "parameter_repeated"),
        (b'{"a":1,"a":2}', "parameter_repeated"),
        (b'{"a":1,"\\u0061":2}', "parameter_repeated"),
        (b'{"a":{"b":1,"b":2}}', "parameter_repeated"),
        (b'{"a":[{"b":1,"b":2}]}', "parameter_repeated"),
        (b'{"a":"\\u0000"}', "json_with_nul"),
        (b'{"\\u0000":1}', "json_with_nul"),
        (b'{"a":["\\u0000"]}', "json_with_nul"),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "json_too_deep"),
        (b'{"a":' + b"[" * 1000 + b"]" * 1000 + b',"a":1}', "json_malformed"),
        (b'{"a":"' + b"x" * (MAX_VALUE + 1) + b'"}', "parameter_too_long"),
        (b"{" + b",".join(b'"a%d":1' % n for n in range(MAX_PARAMETERS + 1)) + b"}", "too_many_parameters"),
    ],
)
def test_a_json_body_is_refused(body: bytes, why: str) -> None:
    assert reason(read_json_object, body) == why


def test_json_is_read_up_to_its_limits() -> None:
    assert read_json_object(b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH).mapping("a")
    assert read_json_object(b'{"a":"' + b"x" * MAX_VALUE + b'"}').one("a") == "x" * MAX_VALUE


def test_a_quotation_mark_inside_a_text_is_no_repeated_name() -> None:
    assert read_json_object(b'{"a":"\\"","b":"\\\\u0000"}').one("b") == "\\u0000"


@pytest.mark.parametrize("value", [b"1", b"true", b"false", b"[]", b"{}", b"0", b'["a"]'])
def test_what_should_be_text_and_is_not_is_refused(value: bytes) -> None:
    json = read_json_object(b'{"a":' + value + b"}")
    assert reason(json.one, "a") == "a_not_text"
    assert reason(json.exact, "a") == "a_not_text"
    assert reason(json.visible, "a") == "a_malformed"
    assert reason(json.scope, "a") == "a_not_text"


def test_null_is_absent() -> None:
    json = read_json_object(b'{"a":null}')
    assert (json.one("a"), json.many("a"), json.number("a"), json.flag("a"), json.mapping("a")) == (
        None,
        (),
        None,
        None,
        None,
    )
    assert json.mappings("a") == ()


@pytest.mark.parametrize(
    ("value", "number"), [(b"0", 0), (b"3600", 3600), (b'"3600"', 3600), (b"9223372036854775807", 2**63 - 1)]
)
def test_a_number_is_read(value: bytes, number: int) -> None:
    assert read_json_object(b'{"a":' + value + b"}").number("a") == number


@pytest.mark.parametrize(
    "value",
    [
        b"-1",
        b"1.5",
        b"true",
        b'"x"',
        b'"-1"',
        '"²"'.encode(),
        b"1e3",
        b"9223372036854775808",
        b'"9999999999999999999"',
        b"[1]",
    ],
)
def test_what_is_no_number_is_refused(value: bytes) -> None:
    assert reason(read_json_object(b'{"a":' + value + b"}").number, "a") == "a_not_a_number"


def test_flags_and_objects_are_strict() -> None:
    json = read_json_object(b'{"yes":true,"no":false,"one":1,"object":{"a":1},"list":[{"a":1}],"mixed":[{},1]}')
    assert (json.flag("yes"), json.flag("no")) == (True, False)
    assert reason(json.flag, "one") == "one_not_true_or_false"
    assert json.mapping("object") == {"a": 1}
    assert reason(json.mapping, "list") == "list_not_an_object"
    assert json.mappings("list") == ({"a": 1},)
    assert reason(json.mappings, "mixed") == "mixed_not_objects"
    assert reason(json.mappings, "object") == "object_not_objects"


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("read", ("read",)),
        ("write read", ("write", "read")),
        ("read write read", ("read", "write")),
        (" read  write ", ("read", "write")),
        ("methods:ALL https://a/b", ("methods:ALL", "https://a/b")),
    ],
)
def test_a_scope_keeps_its_order_and_loses_repeats(text: str, scope: tuple[str, ...]) -> None:
    assert read_scope(text) == scope


@pytest.mark.parametrize("text", ["", " ", 'a"b', "a\\b", "a\tb", "é", "a\nb", "a\n"])
def test_a_malformed_scope_is_an_invalid_scope(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_scope(text)
    assert caught.value.error is INVALID_SCOPE


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("Basic", None),
        ("Basic ", None),
        ("Basic Og==", None),
        ("Bearer YTpi", None),
        ("Basical YTpi", None),
        ("Basic YTpi", ("a", "b")),
        ("basic YTpi", ("a", "b")),
        ("BASIC   YTpi", ("a", "b")),
        ("Basic YTo=", ("a", "")),
        ("Basic YTpiOmM=", ("a", "b:c")),
        ("Basic YSUzQWI6Yw==", ("a:b", "c")),
        ("Basic YTpiK2M=", ("a", "b c")),
    ],
)
def test_basic_credentials_are_read(header: str | None, expected: tuple[str, str] | None) -> None:
    assert read_basic(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        "Basic YTpi YTpi",
        "Basic YTp",
        "Basic é",
        "Basic Zm9v",  # no colon
        "Basic OmI=",  # no name
        "Basic YTr/",  # not UTF-8
        "Basic YTol",  # a lonely %
        "Basic YTrDqQ==",  # é
        "Basic YTolMDA=",  # %00
        write_basic("a", "x" * MAX_VALUE),
    ],
)
def test_broken_basic_credentials_are_an_invalid_client(header: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_basic(header)
    assert caught.value.error is INVALID_CLIENT


def test_basic_credentials_that_are_not_form_encoded_are_taken_as_they_are() -> None:
    assert read_basic("Basic YTpiK2M=", form_encoded=False) == ("a", "b+c")
    assert read_basic("Basic YTolMQ==", form_encoded=False) == ("a", "%1")


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic YTpi", None),
        ("Bearer a.b-c_d~e+f/g==", "a.b-c_d~e+f/g=="),
        ("bearer  x", "x"),
    ],
)
def test_a_bearer_token_is_read(header: str | None, token: str | None) -> None:
    assert read_bearer(header) == token


@pytest.mark.parametrize(
    "header", ["Bearer a b", 'Bearer "a"', "Bearer =", "Bearer a=b", "Bearer é", "Bearer " + "x" * (MAX_VALUE + 1)]
)
def test_a_broken_bearer_token_is_an_invalid_token(header: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_bearer(header)
    assert caught.value.error is INVALID_TOKEN


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"7", 7),
        (b"", None),
        (b"-1", None),
        (b"\xb2", None),
        (b"Fri, 31 Dec 1999 23:59:59 GMT", None),
        (b"9" * 10, None),
    ],
)
def test_retry_after_is_seconds_or_nothing(value: bytes, seconds: int | None) -> None:
    assert read_retry_after(HttpAnswer(503, ((b"retry-after", value),))) == seconds
    assert read_retry_after(HttpAnswer(503)) is None


def test_a_form_is_written_so_that_every_decoder_reads_it() -> None:
    assert (
        write_form([("a", "x y"), ("b", "1+1=2&%"), ("c", "é~-._"), ("d", "")])
        == "a=x%20y&b=1%2B1%3D2%26%25&c=%C3%A9~-._&d="
    )


@pytest.mark.parametrize(
    ("url", "joined"),
    [
        ("https://a/cb", "https://a/cb?k=v"),
        ("https://a/cb?", "https://a/cb?k=v"),
        ("https://a/cb?x=1", "https://a/cb?x=1&k=v"),
        ("https://a/cb?x=1&", "https://a/cb?x=1&k=v"),
        ("com.example:/cb", "com.example:/cb?k=v"),
    ],
)
def test_parameters_join_a_query_that_is_kept(url: str, joined: str) -> None:
    assert join_query(url, [("k", "v")]) == joined


def test_a_query_is_split_and_the_rest_stays_as_it_was_written() -> None:
    url, taken = split_query("https://a/cb?x=%7e&code=1&y=+#_=_", frozenset({"code"}))
    assert url == "https://a/cb?x=%7e&y=+"
    assert taken.one("code") == "1"
    assert split_query("https://a/cb", frozenset({"code"}))[0] == "https://a/cb"
    assert reason(split_query, "https://a/?\ud800", frozenset({"code"})) == "url_not_unicode"


def test_values_made_by_hand_are_read_the_same() -> None:
    assert Parameters({"a": "b"}).one("a") == "b"
