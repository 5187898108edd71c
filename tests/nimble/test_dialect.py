from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nimble_async._sansio.message import Response
from nimble_async._sansio.operation import get
from nimble_async._sansio.outcome import failure_of
from nimble_async.errors import (
    ActionRefused,
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
from nimble_async.nimble.dialect import NIMBLE

GET = get("contacts.get", "/api/v1/contact/{contact_id}", returns=dict)


def judged(status: int, body: Any = b"") -> Any:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return failure_of(
        GET, Response(status=status, body=data), ids={"contact_id": "c7"}, dialect=NIMBLE, now=0.0
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthorized),
        (402, QuotaExceeded),
        (403, Forbidden),
        (404, NotFound),
        (406, ActionRefused),
        (409, InvalidInput),
        (429, RateLimited),
        (500, ServerError),
        (502, ServerError),
        (418, ResponseError),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<p>no json</p>", b"[]", b"null", b'{"message": null, "errors": null, "code": true}']
)
def test_every_status_has_its_error_whatever_the_body(status, kind, body):
    """The status alone decides, also where the body is empty, no JSON or of another shape."""
    error = judged(status, body)
    assert type(error) is kind
    assert (error.status, error.body, error.code) == (status, body, None)
    assert "  " not in str(error)
    assert ".." not in str(error)


@pytest.mark.parametrize(
    "body", [{"error": "invalid_token", "error_description": "Expired"}, {"Error": "Expired."}]
)
def test_expired_tokens_of_both_ages(body):
    """A 401 is Unauthorized in the present and in the old spelling."""
    error = judged(401, body)
    assert isinstance(error, Unauthorized)
    assert error.message.endswith(": Expired.")


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"message": "You have too many contacts.", "code": 108}, 108, "You have too many contacts."),
        ({"payment_type": "contacts", "extra_usage": 1, "required_spec": {}}, None, "contacts."),
        (b"Payment required", None, "Payment required."),
    ],
)
def test_quota_in_both_shapes(body, code, words):
    """A 402 keeps the vendor's code where there is one, and says that a repeat does not help."""
    error = judged(402, body)
    assert (error.code, error.message) == (code, f"The plan of this account is used up: {words}")
    assert "repeat does not help" in error.hint


@pytest.mark.parametrize(
    ("body", "kind", "id"),
    [
        ({"object_type": "contact field", "object_id": "f1"}, "contact field", "f1"),
        ({"object_type": "contact field"}, "contact field", "c7"),
        ({}, "contact", "c7"),
        (b"", "contact", "c7"),
    ],
)
def test_not_found_says_what(body, kind, id):  # noqa: A002 (the vendor's word)
    """A 404 carries the kind and the id, from the body or else from the call."""
    error = judged(404, body)
    assert (error.kind, error.id) == (kind, id)
    assert (error.message, error.hint) == (f"There is no {kind} {id!r}, or this account may not see it.", "")


def test_not_found_without_an_id_is_about_the_address():
    """Where nobody said an id, the path or the base URL is wrong."""
    response = Response(status=404, body=b'{"message": "Not found"}')
    error = failure_of(
        get("users.me", "/api/v1/myself", returns=dict), response, ids={}, dialect=NIMBLE, now=0.0
    )
    assert isinstance(error, NotFound)
    assert error.message == "There is nothing at this address (404)."
    assert "base URL" in error.hint


def test_a_complaint_is_not_said_twice():
    """A message that names its fields already is not followed by the same list."""
    complaint = {"message": "0 is less than 1"}
    error = judged(409, {"message": "Invalid value: /page: 0 is less than 1", "errors": {"/page": complaint}})
    assert error.message == "Nimble refuses these values: Invalid value: /page: 0 is less than 1."
    assert [(field.field, field.message) for field in error.fields] == [("/page", "0 is less than 1")]


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        ({"message": "Lost access", "type": "lost_contact_access"}, "lost_contact_access", ": Lost access."),
        ({"message": "In use", "error_type": "reason_in_use"}, "reason_in_use", ": In use."),
        (
            {
                "errors": [
                    {"message": "Not yours", "type": "non_editable_contacts", "total": 2, "nse_query": {}}
                ]
            },
            "non_editable_contacts",
            ": Not yours.",
        ),
        ({"errors": []}, "", "action."),
        ({"errors": ["no"]}, "", "action."),
        ({"type": "busy"}, "busy", ": busy."),
        (b"no", "", ": no."),
    ],
)
def test_refusals_in_three_shapes(body, reason, words):
    """A 406 carries the vendor's stable identifier in each of its three shapes."""
    error = judged(406, body)
    assert error.reason == reason
    assert error.message.endswith(words)


def test_validation_by_field():
    """A 409 of a contact lists every complaint of every field."""
    error = judged(
        409,
        {
            "message": "Validation errors",
            "code": 245,
            "extra": None,
            "human_readable_error": None,
            "errors": {
                "first name": [{"message": "is required", "field_id": "f1"}, {"message": "is long"}],
                "email": ["odd", {"field_id": 5}],
            },
        },
    )
    assert error.code == 245
    assert error.fields == (
        FieldError(field="first name", message="is required", field_id="f1"),
        FieldError(field="first name", message="is long"),
        FieldError(field="email", message="odd"),
        FieldError(field="email", message=""),
    )
    assert error.message.startswith(
        "Nimble refuses these values: Validation errors: first name: is required; "
    )


def test_validation_by_path():
    """A 409 of a schema has one complaint for each path."""
    error = judged(
        409, {"code": 245, "errors": {"/": {"message": "limit is missing"}, "/at": {"message": "no date"}}}
    )
    assert [(field.field, field.message) for field in error.fields] == [
        ("/", "limit is missing"),
        ("/at", "no date"),
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "Either keyword or query", "code": 245}, ": Either keyword or query."),
        ({"human_readable_error": "Too long"}, ": Too long."),
        ({"errors": []}, "these values."),
        (b"Conflict", ": Conflict."),
    ],
)
def test_validation_without_fields(body, words):
    """A 409 without fields still says what the vendor said."""
    error = judged(409, body)
    assert error.fields == ()
    assert error.message.endswith(words)
    assert error.hint == "The same values fail again."


@pytest.mark.parametrize(("code", "kept"), [(245, 245), ("x", "x"), (True, None), (None, None), ([], None)])
def test_code_is_kept_as_it_came(code, kept):
    """The vendor's code is a number or text, or it is not kept."""
    assert judged(409, {"code": code}).code == kept


def test_how_nimble_is_spelled():
    """Keys go as a bearer to the documented host, and booleans as words."""
    assert (NIMBLE.base_url, NIMBLE.key_header, NIMBLE.key_prefix) == (
        "https://app.nimble.com",
        "Authorization",
        "Bearer ",
    )
    assert (NIMBLE.authorize_path, NIMBLE.token_path) == ("/oauth/authorize", "/api/oauth/token")
    assert NIMBLE.user_agent(None).startswith("nimble_async/")
