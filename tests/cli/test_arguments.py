"""Words become the arguments of a method by the method's own signature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from nimble_async.cli.arguments import Argument, arguments_of, bind, describe, read_json
from nimble_async.cli.exits import UsageError
from nimble_async.cli.parser import hoist
from nimble_async.cli.vendors import method_of
from nimble_async.nimble.catalog import OPERATIONS


def sample(
    self,
    note_id: str,
    names: Iterable[str],
    *,
    size: int = 3,
    loud: bool | None = None,
    search: Mapping[str, Any] | str | None = None,
    from_: str | None = None,
    tags: list[str] | None = None,
) -> None: ...


TAKES = arguments_of(sample)


def test_kinds_come_from_the_annotations():
    """Numbers, flags, lists, objects and texts are told apart, optional or not."""
    assert [(argument.name, argument.kind, argument.required) for argument in TAKES] == [
        ("note_id", "text", True),
        ("names", "list", True),
        ("size", "number", False),
        ("loud", "flag", False),
        ("search", "json", False),
        ("from_", "text", False),
        ("tags", "list", False),
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("7 a,b", {"note_id": "7", "names": ["a", "b"]}),
        ("7 a b c", {"note_id": "7", "names": ["a", "b", "c"]}),
        ("--names a --names b --note-id 7", {"note_id": "7", "names": ["a", "b"]}),
        ("--note_id=7 --names=a", {"note_id": "7", "names": ["a"]}),
        ("7 a --size 5", {"note_id": "7", "names": ["a"], "size": 5}),
        ("7 a --size -5", {"note_id": "7", "names": ["a"], "size": -5}),
        ("7 a --loud", {"note_id": "7", "names": ["a"], "loud": True}),
        ("7 --loud a", {"note_id": "7", "names": ["a"], "loud": True}),
        ("7 a --loud no", {"note_id": "7", "names": ["a"], "loud": False}),
        ("7 a --loud=False --size 1", {"note_id": "7", "names": ["a"], "loud": False, "size": 1}),
        ('7 a --search {"x":1}', {"note_id": "7", "names": ["a"], "search": {"x": 1}}),
        ("7 a --from 2026", {"note_id": "7", "names": ["a"], "from_": "2026"}),
        ("7 a\\,b,c", {"note_id": "7", "names": ["a,b", "c"]}),
        ("- -x", {"note_id": "-", "names": ["-x"]}),
        ("7 a --from -", {"note_id": "7", "names": ["a"], "from_": "-"}),
        ("7 a --from=", {"note_id": "7", "names": ["a"], "from_": ""}),
    ],
)
def test_words_fill_the_arguments(words, found):
    """Dashes or underscores, ids without names, lists repeated or with commas, flags without values."""
    assert bind(words.split(), TAKES, operation="notes.try") == found


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("", "needs note_id and names"),
        ("7", "needs names"),
        ("7 a --sise 3", "Did you mean --size?"),
        ("7 a --zzz 3", "Usage: nimble-async call notes.try --note-id text"),
        ("7 a --size x", "whole number"),
        ("7 a --size", "--size needs a value"),
        ("7 a --size --loud", "--size needs a value"),
        ("7 a --loud=maybe", "true or false"),
        ("7 a --size 1 --size 2", "given twice"),
        ("7 a --search {", "no JSON"),
    ],
)
def test_wrong_words_are_refused_with_what_to_write(words, complaint):
    """A usage error names the argument, and the nearest one where there is one."""
    with pytest.raises(UsageError) as caught:
        bind(words.split(), TAKES, operation="notes.try")
    assert complaint in str(caught.value)


def test_too_many_values_are_refused():
    """A value that no argument takes is not dropped."""
    takes = (Argument(name="deal_id", kind="text", required=True, positional=True),)
    with pytest.raises(UsageError, match="no further value: 'two'"):
        bind(["one", "two"], takes, operation="deals.get")


def test_an_argument_from_elsewhere_is_not_missing():
    """What the body fills need not be among the words."""
    assert bind(["7"], TAKES, operation="notes.try", given=["names"]) == {"note_id": "7"}


def test_usage_shows_optional_arguments_in_brackets():
    """The usage line tells what may be left out."""
    assert [describe(argument) for argument in TAKES[:3]] == [
        "--note-id text",
        "--names list",
        "[--size number]",
    ]


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000])
def test_json_that_is_none_is_a_usage_error(text):
    """Whatever is wrong with it, the error is the user's and says which argument."""
    with pytest.raises(UsageError, match="--body is no JSON"):
        read_json(text, "--body")


def test_every_operation_has_a_method_that_the_command_line_can_call():
    """Each operation's signature is understood, and no argument has the name of a shared flag."""
    for operation in OPERATIONS.values():
        names = {argument.name for argument in arguments_of(method_of(operation))}
        assert set(operation.slots) <= names
        assert names.isdisjoint({"crm", "profile", "base_url", "output", "all", "yes"}), operation.name


def test_a_member_called_body_is_said_in_the_body():
    """`--body` is the whole body of every operation, so a member of that name stands inside of it."""
    bodies = {
        operation.name
        for operation in OPERATIONS.values()
        for argument in arguments_of(method_of(operation))
        if argument.name == "body"
    }
    assert bodies == {"deal_notes.create", "deal_notes.update", "files.azure_upload"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("call x --output json --tags", "--output json call x --tags"),
        ("--crm nimble call", "--crm nimble call"),
        ("call --base-url=http://x y", "--base-url=http://x call y"),
        ("call -- --output json", "call -- --output json"),
        ("call --outputs json", "call --outputs json"),
        ("", ""),
    ],
)
def test_shared_flags_stand_anywhere(words, found):
    """Before or after the command is one; what follows `--` is left alone."""
    assert hoist(words.split()) == found.split()


def test_a_shared_flag_without_a_value_is_refused():
    """The last word cannot be a flag that needs a value."""
    with pytest.raises(UsageError, match="--profile needs a value"):
        hoist(["call", "--profile"])
