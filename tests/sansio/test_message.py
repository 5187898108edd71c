"""Requests and responses as values, and an answer that repeats what it was sent."""

from __future__ import annotations

import pytest

from nimble_async._sansio.message import Response, without_echo
from nimble_async._sansio.secret import Secret

PROOF = Secret("Bearer 12345678")


@pytest.mark.parametrize(
    ("headers", "body", "kept"),
    [
        ({}, b'{"message": "no such key: 12345678"}', ({}, b'{"message": "no such key: ***"}')),
        ({"x": "Bearer 12345678"}, b"12345678 12345678", ({"x": "Bearer ***"}, b"*** ***")),
        ({"x": "12345678"}, b"", ({"x": "***"}, b"")),
    ],
)
def test_an_answer_that_repeats_the_proof_is_kept_without_it(headers, body, kept):
    """The secret alone is taken out, with or without its scheme, wherever it stands."""
    seen = without_echo(Response(status=401, headers=headers, body=body), PROOF)
    assert (seen.status, seen.headers, seen.body) == (401, *kept)


def test_an_escaped_slash_hides_nothing():
    """A token that holds a slash is found where a server writes that with a backslash before it, too."""
    response = Response(status=401, body=rb'{"message": "no such token: ab\/cd+ef=="}')
    assert without_echo(response, Secret("Bearer ab/cd+ef==")).body == b'{"message": "no such token: ***"}'


@pytest.mark.parametrize(("proof", "body"), [("Bearer 12345678", b"1234567"), ("Bearer 1234567", b"1234567")])
def test_another_answer_is_the_same_object(proof, body):
    """What does not repeat it is not copied; a word so short would be found by chance."""
    response = Response(status=401, headers={"a": "b"}, body=body)
    assert without_echo(response, Secret(proof)) is response
