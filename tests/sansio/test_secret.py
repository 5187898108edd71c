"""A secret comes out by `reveal` and by nothing else."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import traceback

import msgspec
import pytest

from nimble_async._sansio.login import LoginRequest
from nimble_async._sansio.message import Request, Response
from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import TokenRecord

CANARY = "cAnArY-5ecret"


def _logged(secret):
    return logging.LogRecord("x", 10, "f", 1, "%s %r", (secret, [secret]), None).getMessage()


SHOWING = [
    repr,
    str,
    format,
    lambda secret: f"{secret:>40}",
    lambda secret: f"{secret!r:s}",
    lambda secret: f"{secret} {secret!r}",
    lambda secret: repr([secret, {"a": secret}]),
    pprint.pformat,
    _logged,
    lambda secret: "".join(traceback.format_exception(ValueError(secret))),
    lambda secret: repr(TokenRecord(gen=1, access=secret, refresh=secret)),
    lambda secret: repr(LoginRequest(url="https://x/", state="s", verifier=secret)),
    lambda secret: repr(dir(secret)),
    lambda secret: repr(secret.__slots__),
    lambda secret: repr(msgspec.structs.asdict(TokenRecord(gen=1, access=secret))),
    lambda secret: repr(TokenRecord(gen=1, access=secret).__rich_repr__()),
]


@pytest.mark.parametrize("show", SHOWING)
def test_secret_shows_as_stars(show):
    """Whatever prints, formats, logs or lists a secret shows none of it."""
    assert CANARY not in show(Secret(CANARY))


REFUSING = [
    (pickle.dumps, TypeError),
    (json.dumps, TypeError),
    (msgspec.json.encode, TypeError),
    (msgspec.msgpack.encode, TypeError),
    (vars, TypeError),
    (bytes, TypeError),
    (list, TypeError),
    (len, TypeError),
    (lambda secret: pickle.dumps(TokenRecord(gen=1, access=secret)), TypeError),
    (lambda secret: msgspec.json.encode(TokenRecord(gen=1, access=secret)), TypeError),
    (lambda secret: secret + "", TypeError),
    (lambda secret: "".join([secret]), TypeError),
]


@pytest.mark.parametrize(("use", "error"), REFUSING)
def test_secret_refuses_to_become_bytes_or_text(use, error):
    """Serialising, pickling and treating a secret as text fail, and the error does not quote it."""
    with pytest.raises(error) as caught:
        use(Secret(CANARY))
    assert CANARY not in str(caught.value)


def test_secret_comes_out_when_asked():
    """`reveal` returns the text, also of a copy."""
    secret = Secret(CANARY)
    assert secret.reveal() == CANARY
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


@pytest.mark.parametrize(
    ("other", "equal"), [(Secret(CANARY), True), (Secret("x"), False), (CANARY, False), (None, False)]
)
def test_secrets_compare_by_content_with_secrets_only(other, equal):
    """Two secrets of one text are equal and hash alike; a text is not equal to a secret."""
    assert (Secret(CANARY) == other) is equal
    assert (hash(Secret(CANARY)) == hash(other)) is equal or other == CANARY


def test_messages_show_no_header_query_or_body():
    """A request and an answer, in a log or a pretty printer, show where and nothing that was sent."""
    request = Request(
        method="POST", url=f"https://x/y?t={CANARY}", headers={"a": CANARY}, body=CANARY.encode()
    )
    response = Response(status=200, headers={"a": CANARY}, body=CANARY.encode())
    shown = (
        f"{request!r} {request} {request.__rich_repr__()} {response!r} {response} {response.__rich_repr__()}"
    )
    assert CANARY not in shown
    assert "https://x/y" in shown
