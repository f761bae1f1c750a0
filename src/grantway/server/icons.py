"""Icons of integrations and the platform's logo: whatever picture comes in, what goes out was drawn anew by us.

A remote picture on the consent page would tell its owner who looks at it and could be swapped after approval; a picture
kept as it came could carry more than a picture. SVG is a program and is not taken.
"""

from __future__ import annotations

import warnings
from io import BytesIO

# Pillow is imported where a picture is read: a start without a logo does without it.

LARGEST_UPLOAD = 1 << 20
LARGEST_SIDE = 256
MOST_PIXELS = 4096 * 4096
"""A megabyte of PNG can unpack into gigabytes of pixels; no icon needs more than this."""
FORMATS = ("PNG", "JPEG", "WEBP")


class TooLarge(Exception):
    """More pixels than any icon has."""


def encode_icon(data: bytes, box: tuple[int, int] = (LARGEST_SIDE, LARGEST_SIDE)) -> bytes:
    """The picture as a PNG that fits into the box, square pictures staying square, without any metadata.

    Takes PNG, JPEG and WebP up to 1 MiB. Raises ``ValueError`` with a sentence for anything else.
    """
    if len(data) > LARGEST_UPLOAD:
        raise ValueError("A picture has at most 1 MiB here.")
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _encode(data, box)
    except UnidentifiedImageError:
        raise ValueError("A picture is a PNG, JPEG or WebP file here.") from None
    except TooLarge:
        raise ValueError("This picture is too large: at most 4096 by 4096 pixels.") from None
    except Exception:  # noqa: BLE001 - Pillow's readers raise nearly anything on a crafted file
        raise ValueError("This picture cannot be read.") from None


def _encode(data: bytes, box: tuple[int, int]) -> bytes:
    from PIL import Image, ImageOps

    with Image.open(BytesIO(data), formats=FORMATS) as picture:
        # Only the header has been read so far.
        if picture.width * picture.height > MOST_PIXELS:
            raise TooLarge
        picture.draft("RGB", (box[0] * 2, box[1] * 2))
        picture.load()
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    upright.thumbnail(box, Image.Resampling.LANCZOS)
    clean = Image.new("RGBA", upright.size)
    clean.paste(upright)
    out = BytesIO()
    clean.save(out, "PNG", optimize=True)
    return out.getvalue()
