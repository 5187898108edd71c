"""Inflating: both codings, pieces of any size, the bound, and a missing end."""

from __future__ import annotations

import gzip
import zlib

import pytest

from nimble_async._sansio.inflate import Inflater

BODY = bytes(range(256)) * 40
PLENTY = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


PACKED = [
    ("gzip", gzip.compress(BODY)),
    ("x-gzip", gzip.compress(BODY)),
    ("gzip", gzip.compress(BODY[:100]) + gzip.compress(BODY[100:])),
    ("deflate", zlib.compress(BODY)),
    ("deflate", raw_deflate(BODY)),
]


@pytest.mark.parametrize("size", [1, 7, PLENTY])
@pytest.mark.parametrize(("coding", "packed"), PACKED)
def test_pieces_of_any_size_give_the_body(coding: str, packed: bytes, size: int):
    """However the bytes arrive, the body is the same and its end is found."""
    inflater = Inflater(coding)
    pieces = [inflater.feed(packed[at : at + size], longest=PLENTY) for at in range(0, len(packed), size)]
    inflater.finish()
    assert b"".join(pieces) == BODY


@pytest.mark.parametrize("longest", [1, 100, len(BODY) - 1, len(BODY)])
@pytest.mark.parametrize(("coding", "packed"), PACKED)
def test_no_piece_is_longer_than_asked(coding: str, packed: bytes, longest: int):
    """A bomb gives no more than the bound."""
    assert Inflater(coding).feed(packed, longest=longest) == BODY[:longest]


@pytest.mark.parametrize(("coding", "packed"), PACKED)
@pytest.mark.parametrize("missing", [1, 4, 40])
def test_a_missing_end_is_noticed(coding: str, packed: bytes, missing: int):
    """A body without its last bytes is refused at the end, not taken for whole."""
    inflater = Inflater(coding)
    inflater.feed(packed[:-missing], longest=PLENTY)
    with pytest.raises(ValueError, match="no end"):
        inflater.finish()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_not_compressed_is_refused(coding: str):
    """Bytes that are no such stream are a ValueError."""
    with pytest.raises(ValueError, match="Error"):
        Inflater(coding).feed(b"\xff\xffnothing of the kind", longest=PLENTY)


def test_no_body_is_whole():
    """An answer without a body may name a coding."""
    Inflater("gzip").finish()


@pytest.mark.parametrize("coding", ["br", "", "gzip, gzip"])
def test_a_coding_that_was_not_asked_for_is_refused(coding: str):
    """Only what Accept-Encoding named is read."""
    with pytest.raises(ValueError, match="not asked for"):
        Inflater(coding)
