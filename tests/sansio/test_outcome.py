from __future__ import annotations

from typing import Any

import pytest

from nimble_async._sansio.dialect import Dialect, Failure
from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Operation, get, post
from nimble_async._sansio.outcome import failure_of, general_failure, not_found
from nimble_async.errors import (
    Forbidden,
    NotFound,
    QuotaExceeded,
    RateLimited,
    ResponseError,
    ServerError,
    Unauthorized,
)

GET = get("cats.get", "/cats/{cat_id}", returns=dict)
LIST = get("lost_cats.list", "/cats", returns=dict)
PLAIN = Dialect(
    name="plain", base_url="https://example.com", agent="nimble_async", read_failure=lambda failure: None
)


def judged(
    status: int, body: bytes = b"", *, operation: Operation = GET, dialect: Dialect = PLAIN, **headers: str
) -> Any:
    response = Response(
        status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=body
    )
    return failure_of(
        operation, response, ids={"cat_id": "7"} if operation is GET else {}, dialect=dialect, now=1000.0
    )


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_a_success(status):
    """Every 2xx is a success, whatever its body."""
    assert judged(status, b"not json") is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (199, ResponseError),
        (300, ResponseError),
        (304, ResponseError),
        (400, ResponseError),
        (401, Unauthorized),
        (402, QuotaExceeded),
        (403, Forbidden),
        (404, NotFound),
        (405, ResponseError),
        (406, ResponseError),
        (409, ResponseError),
        (429, RateLimited),
        (499, ResponseError),
        (500, ServerError),
        (503, ServerError),
        (599, ServerError),
    ],
)
def test_status_decides_the_error(status, kind):
    """The general table goes by the status alone, and the error carries the answer."""
    error = judged(status, b"words of the server", x_id="1")
    assert type(error) is kind
    assert (error.status, error.body, error.headers) == (status, b"words of the server", {"x-id": "1"})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "Too much."}', ": Too much."),
        (b'{"error": "invalid_token", "error_description": "It is old"}', ": It is old."),
        (b'{"error": "invalid_token"}', ": invalid_token."),
        (b'{"Error": "Access Token is invalid or expired."}', ": Access Token is invalid or expired."),
        (b'{"message": " "}', "(401)."),
        (b'{"message": 5}', "(401)."),
        (b'["x"]', "(401)."),
        (b"", "(401)."),
        (b"<h1>Bad\n gateway</h1>", ": <h1>Bad gateway</h1>."),
        (b"\xff\xfe", ": \ufffd\ufffd."),
        (b"[" * 3000, ": " + "[" * 300 + "."),
    ],
)
def test_message_has_the_servers_words(body, words):
    """The message ends with what the body says for a person, bounded, also where it is no JSON."""
    error = judged(401, body)
    assert error.message.endswith(words)


def test_not_found_is_filled_in_from_the_call():
    """A 404 without a body names what the call was about."""
    error = judged(404)
    assert isinstance(error, NotFound)
    assert (error.kind, error.id) == ("cat", "7")
    assert error.ids == {"cat": "7"}
    error = judged(404, operation=LIST)
    assert isinstance(error, NotFound)
    assert (error.kind, error.id) == ("lost cat", "")
    assert (error.message, error.hint) == (
        "There is nothing at this address (404).",
        "Check the path and the base URL.",
    )


@pytest.mark.parametrize(
    ("told", "kind", "id", "ids", "message"),
    [
        ({}, "", "", {"cat": "7", "old flea": "8"}, "There is no cat '7', or no old flea '8', or this"),
        ({"kind": "old flea"}, "old flea", "8", {"old flea": "8"}, "There is no old flea '8', or this"),
        ({"kind": "dog"}, "dog", "", {"cat": "7", "old flea": "8"}, "There is no cat '7', or no"),
        ({"kind": "dog", "id": "9"}, "dog", "9", {"dog": "9"}, "There is no dog '9', or this"),
        ({"id": "9"}, "old flea", "9", {"old flea": "9"}, "There is no old flea '9', or this"),
    ],
)
def test_not_found_blames_no_single_id_of_several(told, kind, id, ids, message):  # noqa: A002 (our word)
    """A 404 of a path with several ids names them all, unless the body says which it was."""
    failure = Failure(status=404, headers={}, body=b"", kind="old flea", ids={"cat": "7", "old flea": "8"})
    error = not_found(failure, **told)
    assert (error.kind, error.id, error.ids) == (kind, id, ids)
    assert error.message.startswith(message)
    assert failure.id == ""


def test_not_found_of_values_is_not_about_the_path():
    """Where the path names nothing and values were sent, these may name what is not there."""
    error = judged(404, operation=post("cats.create", "/cats", returns=dict))
    assert isinstance(error, NotFound)
    assert (error.kind, error.id, error.ids) == ("", "", {})
    assert "values" in error.hint


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        (None, None, None),
        ("0", None, 0.0),
        (" 2.5 ", None, 2.5),
        ("", None, None),
        ("soon", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("-3", None, None),
        ("1e3", None, None),
        ("1_0", None, None),
        ("Thu, 01 Jan 1970 00:16:50 GMT", None, 10.0),
        ("Thu, 01 Jan 1970 00:16:50 -0000", None, 10.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None, 0.0),
        ("Thu, 99 Jan 1970 00:00:00 GMT", None, None),
        ("Fri, 01 Jan 1971 00:00:30 GMT", "Fri, 01 Jan 1971 00:00:00 GMT", 30.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_an_error_carries_the_wait_that_the_server_asked_for(status, value, date, seconds):
    """Seconds, or a date by the server's own clock where it sends one; None where it is unusable."""
    headers = {name: text for name, text in (("retry_after", value), ("date", date)) if text is not None}
    error = judged(status, **headers)
    assert isinstance(error, RateLimited | ServerError)
    assert error.retry_after == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_refusals_carry_retry_after(status):
    """A 429 and a 5xx say how long the vendor asks to wait."""
    assert judged(status, retry_after="7").retry_after == 7.0
    assert judged(status).retry_after is None


def test_dialect_goes_first():
    """What the dialect reads is taken; what it leaves goes to the general table."""

    def own(failure: Failure) -> ResponseError | None:
        return ResponseError(f"{failure.kind} {failure.id}", status=404) if failure.status == 404 else None

    dialect = Dialect(name="own", base_url="https://example.com", agent="x", read_failure=own)
    assert judged(404, dialect=dialect).message == "cat 7"
    assert type(judged(500, dialect=dialect)) is ServerError


def test_failure_takes_the_answer_apart():
    """A failure gives members of an object and nothing of anything else."""
    failure = Failure(status=400, headers={}, body=b"", data={"a": 1})
    assert (failure.member("a"), failure.member("b")) == (1, None)
    assert Failure(status=400, headers={}, body=b"", data=[1]).member("a") is None
    assert type(general_failure(failure)) is ResponseError


def test_dialect_spells_flags_and_the_agent():
    """A dialect writes booleans its way, and puts the caller's name before its own."""
    assert (PLAIN.flag(True), PLAIN.flag(False)) == ("true", "false")
    assert (PLAIN.user_agent(None), PLAIN.user_agent("shop/1")) == ("nimble_async", "shop/1 nimble_async")
