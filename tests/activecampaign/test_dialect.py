"""Errors in six shapes, and 403 in its meanings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import Operation, get
from nimble_async._sansio.outcome import failure_of
from nimble_async.activecampaign.dialect import ACTIVECAMPAIGN, RATE
from nimble_async.activecampaign.resources import deals, task_types
from nimble_async.errors import (
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    QuotaExceeded,
    RateLimited,
    ResponseError,
    ServerError,
    Unauthorized,
)
from tests.activecampaign.recording import connect


def judged(
    status: int,
    body: Any = b"",
    *,
    operation: Operation[Any] = deals.GET,
    headers: dict[str, str] | None = None,
) -> Any:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    response = Response(status=status, body=data, headers=headers or {"content-type": "text/plain"})
    ids = dict.fromkeys(operation.slots, "7")
    return failure_of(operation, response, ids=ids, dialect=ACTIVECAMPAIGN, now=0.0)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (401, Unauthorized),
        (402, QuotaExceeded),
        (403, Forbidden),
        (404, NotFound),
        (405, InvalidInput),
        (409, InvalidInput),
        (418, ResponseError),
        (422, InvalidInput),
        (429, RateLimited),
        (500, ServerError),
        (503, ServerError),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>down</html>",
        b'{"errors":[{"title":"x",]}',
        b'{"errors":null}',
        b'{"errors":[null,[],3,{"source":{"pointer":5}},{"source":7}],"message":4}',
    ],
)
def test_every_status_has_its_error_whatever_the_body(status: int, kind: type[ResponseError], body: bytes):
    """The status alone decides, also where the body is empty, broken or of another shape."""
    error = judged(status, body)
    assert type(error) is kind
    assert isinstance(error, ResponseError)
    assert (error.status, error.body) == (status, body)
    assert "  " not in str(error)
    assert ".." not in str(error)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_a_success(status: int):
    """Reads of tasks are documented as 201, so no success has to be 200."""
    assert judged(status) is None


FULL = {
    "title": "The contact does not exist",
    "detail": "",
    "code": "related_missing",
    "source": {"pointer": "/data/attributes/contact"},
}


@pytest.mark.parametrize(
    ("body", "fields", "code", "words"),
    [
        (
            {"errors": [FULL]},
            (FieldError(field="contact", message="The contact does not exist"),),
            "related_missing",
            "The contact does not exist",
        ),
        (
            {
                "errors": [
                    {
                        **FULL,
                        "detail": "No such id.",
                        "code": 422,
                        "source": {"pointer": "/data/attributes/deal, role"},
                    }
                ],
                "error": "Unprocessable",
            },
            (
                FieldError(field="deal", message="The contact does not exist: No such id"),
                FieldError(field="role", message="The contact does not exist: No such id"),
            ),
            422,
            "Unprocessable",
        ),
        (
            {"errors": [{"status": 422, "title": "Stage is in another pipeline"}]},
            (),
            None,
            "another pipeline",
        ),
        ({"errors": [{"detail": "Value is missing."}]}, (), None, "Value is missing"),
        ({"message": "Not valid"}, (), None, "Not valid"),
        ({}, (), None, "does not say why"),
        ({"errors": ["one", "two", "one"]}, (), None, "one; two."),
        ({"errors": "one text"}, (), None, "one text"),
        ({"errors": [{"title": "t", "source": {"type": "deal", "value": 3}}]}, (), None, ": t."),
        (b'{"errors":[{"code":422,}]', (), None, '"code":422'),
    ],
)
def test_a_refusal_is_read_in_each_shape(body: Any, fields: Any, code: Any, words: str):
    """Titles, details, codes and the fields they point at come out of every shape there is."""
    error = judged(422, body)
    assert isinstance(error, InvalidInput)
    assert error.fields == fields
    assert error.code == code
    assert words in error.message


def test_a_404_names_what_was_asked_for():
    """The vendor's internal class names are no help; what the call was about is."""
    error = judged(404, {"message": "No Result found for SubscriberDeal with id 7"})
    assert (error.kind, error.id) == ("deal", "7")
    assert "'7'" in error.message
    assert judged(404, {"errors": [{"status": 404, "code": "gone", "title": "x"}]}).code == "gone"


def test_a_page_in_the_place_of_json_questions_the_address():
    """HTML with a 404 comes from another server, so the hint is about the base URL."""
    assert "base URL" in judged(404, b"<html><h1>Not here</h1></html>").hint


@pytest.mark.parametrize(
    "body",
    [
        b"",
        {"message": "You do not have permission"},
        {"errors": [{"title": "Forbidden", "code": "forbidden"}]},
    ],
)
def test_a_403_says_what_it_may_mean(body: Any):
    """A wrong key, a missing right, a plan and a missing record all answer 403, and the hint says so."""
    error = judged(403, body)
    assert isinstance(error, Forbidden)
    for meaning in ("key", "right", "plan", "exist"):
        assert meaning in error.hint
    assert "Types of tasks" not in error.hint


def test_the_dead_deletion_says_what_to_do():
    """Types of tasks cannot be deleted, and the 403 says how they are put out of use."""
    assert "disabled" in judged(403, operation=task_types.DELETE).hint


def test_a_refusal_for_rate_carries_the_wait():
    """Retry-After comes in whole seconds."""
    error = judged(429, headers={"retry-after": "30"})
    assert error.retry_after == 30.0


def test_the_rate_is_the_vendors():
    """Five a second for the whole account, in a header without a prefix."""
    assert (RATE.limit, RATE.window, RATE.burst) == (5, 1.0, 1.0)
    assert (ACTIVECAMPAIGN.budget, ACTIVECAMPAIGN.key_header, ACTIVECAMPAIGN.key_prefix) == (
        "account",
        "Api-Token",
        "",
    )
    assert (ACTIVECAMPAIGN.flag(True), ACTIVECAMPAIGN.flag(False)) == ("1", "0")


@pytest.mark.parametrize(
    ("body", "headers"), [(b"", {}), (b"{}", {"content-type": "text/plain"}), (b"\n", {})]
)
async def test_a_deletion_may_answer_nothing(body: bytes, headers: dict[str, str]):
    """Empty bodies and bodies that say nothing are successes."""
    client, recorder = connect(lambda sent: Response(status=200, body=body, headers=headers))
    async with client:
        await client.deals.delete("7")
        await client.pipelines.delete("7")
    assert [sent.method for sent in recorder.sent] == ["DELETE", "DELETE"]


async def test_json_that_calls_itself_text_is_json():
    """The content type is not asked."""
    headers = {"content-type": "text/plain; charset=utf-8"}
    client, _ = connect(lambda sent: Response(status=201, body=b'{"dealTask":{"id":"7"}}', headers=headers))
    async with client:
        assert (await client.tasks.get("7")).id == "7"


def test_a_resource_without_ids_is_named_too():
    """Where the path names nothing the resource does."""
    error = judged(404, operation=get("deals.list", "/api/3/deals", returns=dict))
    assert error.kind == "deal"
