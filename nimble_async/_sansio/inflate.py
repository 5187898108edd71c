"""Inflate a compressed body piece by piece, with a bound, and notice a missing end.

Rule: never more than `longest` bytes come out of one piece, however well they were packed.
"""

from __future__ import annotations

import zlib

__all__ = ["Inflater"]

_GZIP, _ZLIB, _DEFLATE = 31, 15, -15
"""Window bits as zlib takes them: with gzip's frame, with zlib's, with none."""


class Inflater:
    """Reads `gzip`, or `deflate` with zlib's frame, as named, or without, as often sent.

    Raises:
        ValueError: The coding is neither.
    """

    def __init__(self, coding: str) -> None:
        if coding not in {"gzip", "x-gzip", "deflate"}:
            raise ValueError(f"the coding {coding!r} was not asked for")
        self._deflate = coding == "deflate"
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes, *, longest: int) -> bytes:
        """Return what `data` inflates to, `longest` bytes at most; who gets that many has to stop.

        Raises:
            ValueError: It is not compressed as it was said to be.
        """
        pieces: list[bytes] = []
        while data and longest > 0:
            stream = self._stream
            if stream is None or stream.eof:
                self._stream = stream = self._opened(data)
            try:
                piece = stream.decompress(data, longest)
            except zlib.error as error:
                raise ValueError(str(error)) from error
            pieces.append(piece)
            longest -= len(piece)
            data = stream.unused_data
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> None:
        """Say that there is no more.

        Raises:
            ValueError: The end is missing. No body at all is none that was cut.
        """
        if self._stream is not None and not self._stream.eof:
            raise ValueError("its compressed form has no end")

    def _opened(self, data: bytes) -> zlib._Decompress:
        if not self._deflate:
            return zlib.decompressobj(_GZIP)
        # The low four bits of a zlib frame say that deflate follows.
        return zlib.decompressobj(_ZLIB if data[0] & 0x0F == 8 else _DEFLATE)
