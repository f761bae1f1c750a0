"""Icons are drawn anew, passwords hashed as agreed."""

from __future__ import annotations

import unicodedata
import zlib
from io import BytesIO

import pytest
from argon2 import extract_parameters
from PIL import Image

from grantway.server.icons import LARGEST_UPLOAD, encode_icon
from grantway.server.passwords import LONGEST_PASSWORD, hash_password, verify_password


def picture(kind: str, size: tuple[int, int] = (400, 300), **options: object) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#336699").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_becomes_a_png_of_at_most_256_pixels(kind: str) -> None:
    with Image.open(BytesIO(encode_icon(picture(kind)))) as icon:
        assert (icon.format, icon.size) == ("PNG", (256, 192))


def test_nothing_but_the_picture_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    icon = encode_icon(picture("JPEG", exif=exif) + b"<script>and more</script>")
    assert b"where I live" not in icon
    assert b"script" not in icon


def test_a_small_picture_stays_as_small_as_it_is() -> None:
    with Image.open(BytesIO(encode_icon(picture("PNG", (32, 32))))) as icon:
        assert icon.size == (32, 32)


def bomb() -> bytes:
    """A PNG header that promises 65,000 by 65,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    size = (65_000).to_bytes(4, "big") * 2
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + b"\x08\x02\0\0\0")
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "PNG, JPEG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "PNG, JPEG or WebP"),
        (picture("GIF"), "PNG, JPEG or WebP"),
        (picture("PNG", (4097, 4097)), "too large"),
        (bomb(), "cannot be read"),
        (picture("PNG")[:200], "cannot be read"),
        (b"\0" * (LARGEST_UPLOAD + 1), "1 MiB"),
    ],
    ids=["empty", "svg", "gif", "too many pixels", "bomb", "cut off", "too many bytes"],
)
def test_anything_else_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        encode_icon(data)


def test_passwords_are_hashed_with_the_agreed_cost() -> None:
    found = extract_parameters(hash_password("x"))
    assert (found.type.name, found.time_cost, found.memory_cost, found.parallelism) == ("ID", 2, 19 * 1024, 1)


def test_a_password_verifies_in_any_spelling_of_its_characters_and_no_other_does() -> None:
    known = hash_password("Zoë’s Ångström")
    assert verify_password(unicodedata.normalize("NFD", "Zoë’s Ångström"), known)
    assert not verify_password("zoë’s Ångström", known)
    assert not verify_password("", known)


def test_a_hash_that_is_none_and_a_password_that_is_too_long_are_wrong() -> None:
    longest = "x" * LONGEST_PASSWORD
    assert verify_password(longest, hash_password(longest))
    assert not verify_password(longest + "x", hash_password(longest))
    assert not verify_password("x", "no hash at all")
    assert not verify_password("nobody's password", None)


@pytest.mark.parametrize("password", ["", "x" * (LONGEST_PASSWORD + 1)])
def test_no_password_and_an_endless_one_are_refused_with_a_sentence(password: str) -> None:
    with pytest.raises(ValueError, match="A password has at"):
        hash_password(password)
