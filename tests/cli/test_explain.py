"""`call OPERATION --help`: what one operation does, where it goes and what it takes."""

from __future__ import annotations

import pytest

from nimble_async.activecampaign.catalog import OPERATIONS as OTHERS
from nimble_async.cli.arguments import arguments_of
from nimble_async.cli.explain import lines_of, remarks_of
from nimble_async.cli.vendors import method_of
from nimble_async.nimble.catalog import OPERATIONS

ALL = [("nimble", one) for one in OPERATIONS.values()] + [("activecampaign", one) for one in OTHERS.values()]


@pytest.mark.parametrize(("crm", "operation"), ALL, ids=lambda one: getattr(one, "name", one))
def test_every_operation_tells_of_itself(crm, operation):
    """Each has its summary, its method and path, every argument with its type, and what is needed marked."""
    method = method_of(operation, crm)
    text = "\n".join(lines_of(operation, method))
    lines = text.splitlines()
    assert lines[0].startswith(f"Usage: nimble-async call {operation.name}")
    assert operation.summary in text
    assert f"{operation.method} {operation.path}" in text
    assert ("wants --yes" in text) == operation.destructive
    assert ("Overwrites with --" in text) == bool(operation.destructive_if)
    assert ("Never sent twice" in text) == (not operation.repeatable)
    assert ("--all" in text) == (operation.paging is not None)
    for argument in arguments_of(method):
        flag = "--" + argument.name.rstrip("_").replace("_", "-")
        mark = "*" if argument.required else " "
        assert any(line.startswith(f"{mark} {flag} {argument.kind}") for line in lines), flag
    assert max(map(len, lines[1:])) <= 110


def test_a_draft_is_told_member_by_member(run):
    """What an argument that is a draft may hold stands below it, with what is needed and what is a kind."""
    lines = run("call", "contact_fields.create", "--help").out.splitlines()
    assert "* --field-type json               Its kind, which cannot be changed later." in lines
    assert '      ChoiceType, with "field_kind": "choice"' in lines
    lines = run("call", "deal_pipelines.create", "-h").out.splitlines()
    assert "      * name text                 1 to 200 characters." in lines
    assert any(line.startswith("  --body json") for line in lines)
    assert not any("--body" in line for line in run("call", "contacts.get", "--help").out.splitlines())


@pytest.mark.parametrize(
    ("words", "code", "shown"),
    [
        (["call", "contacts.get", "--help"], 0, "GET /api/v1/contact/{contact_id}"),
        (["call", "--help", "contacts.get"], 0, "GET /api/v1/contact/{contact_id}"),
        (["--crm", "nimble", "call", "contacts.get", "abc", "-h", "--output=json"], 0, "call contacts.get"),
        (["call", "deals.list", "--help", "--crm=activecampaign"], 0, "/api/3/deals"),
        (["call", "--crm", "activecampaign", "deals.list", "--help"], 0, "/api/3/deals"),
        (["call", "--help"], 0, "OPERATION"),
        (["call", "contact.gets", "--help"], 2, "Did you mean contacts.get"),
        (["call", "contacts.get", "--help", "--crm", "else"], 0, "OPERATION"),
        (["operations", "--help"], 0, "List every operation"),
        (["operations", "contacts.update"], 0, "Overwrites with --replace"),
        (["operations", "contacts.get", "deals.get"], 0, "GET /api/v2/deals/{deal_id}"),
        (["operations", "contacts.get", "--output", "json"], 0, '"name": "contacts.get"'),
        (["operations", "contact.gets"], 2, "Did you mean contacts.get"),
    ],
)
def test_help_of_one_operation_stands_behind_it(run, words, code, shown):
    """`--help` behind an operation, or before it, tells of that operation; nothing is asked for or sent."""
    ended = run(*words)
    assert ended.code == code
    assert shown in ended.out + ended.err


def test_a_value_is_no_call_for_help(run, account):
    """What stands behind `--` is a value, also where it looks like the flag."""
    ended = run("call", "contacts.get", "--", "--help")
    assert "Usage: nimble-async call contacts.get" not in ended.out


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("Summary.", {}),
        (
            "S.\n\nArgs:\n    a: One.\n    b: Two,\n        and more.\n\nRaises:\n    X: Never.",
            {"a": "One.", "b": "Two, and more."},
        ),
        ("S.\n\nAttributes:\n    a: One: two.\n\n    b: Three.", {"a": "One: two.", "b": "Three."}),
        ("S.\n\nArgs:\n    no name here\n    a: One.", {"a": "One."}),
        ("Raises:\n    X: Never.", {}),
    ],
)  # fmt: skip
def test_remarks_of_a_docstring(text, found):
    """Each argument or member has its own words, joined over lines; other sections are none."""
    assert remarks_of(text) == found
