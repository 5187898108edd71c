"""The commands against a simulated account over real HTTP, in this process."""

from __future__ import annotations

import io
import json
import sys

import msgspec
import pytest

from nimble_async._sansio.operation import delete, put
from nimble_async.cli.arguments import Argument
from nimble_async.cli.call import body_of, consent
from nimble_async.cli.exits import UsageError
from nimble_async.cli.parser import COMMANDS
from nimble_async.nimble.catalog import OPERATIONS


def test_help_names_every_command_and_the_shared_flags(run):
    """`--help`, and no words at all, tell what there is."""
    for words in (["--help"], []):
        ended = run(*words)
        assert ended.code == 0
        assert all(command in ended.out for command in COMMANDS)
        assert all(flag in ended.out for flag in ("--crm", "--profile", "--base-url", "--output"))


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(run, command):
    """Each command's module loads, and its arguments are described."""
    ended = run(command, "--help")
    assert ended.code == 0
    assert f"nimble-async {command}" in ended.out


def test_the_version_is_the_package_s(run):
    """`--version` prints it alone."""
    from nimble_async._version import __version__

    assert run("--version").out.strip() == __version__


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["exprt"], "Did you mean 'export'?"),
        (["zzzz"], "There is no command 'zzzz'. See `nimble-async --help`."),
        (["operations", "--bogus"], "Unknown option: --bogus. See `nimble-async operations --help`."),
        (["operations", "--crm", "else"], 'Invalid value "else" for --crm.'),
        (["operations", "--output"], "--output needs a value."),
        (["export", "contacts"], "--to"),
        (["export", "leads", "--to", "x"], "contacts"),
        (["export", "contacts", "--to", "x", "--resume", "--restart"], "exclude one another"),
        (["export", "contacts", "--to", "x", "--concurrency", "0"], "1..64"),
        (["export", "contacts", "--to", "x", "--concurrency", "65"], "1..64"),
        (["export", "contacts", "--to", "x", "--output", "json"], "--output does not apply"),
        (["export", "contacts", "--to", "sqlite://x"], "--to sqlite:// is not available yet"),
        (["export", "contacts", "--to", "x.csv"], "not .csv"),
        (["export", "contacts", "--to", "/"], "names no file"),
        (["export", "contacts", "--to", "x", "--query", "[]"], "JSON object"),
        (["export", "contacts", "--to", "x", "--query", "{"], "no JSON"),
        (["export", "deals", "--to", "x", "--query", "{}"], "takes no query"),
        (["export", "deals", "--to", "x", "--fields", "a"], "takes no fields"),
        (["simulate", "--port", "65536"], "no port 65536"),
        (["simulate", "--port", "-1"], "no port -1"),
        (["simulate", "--output", "json"], "--output does not apply"),
        (["simulate", "--rate", "fast"], "10/1s"),
        (["demo", "--contacts", "-1"], "fewer than 0"),
        (["call", "contact.list"], "Did you mean contacts.list"),
        (["call", "zzz"], "See `nimble-async operations`."),
        (["call", "contacts.get"], "needs contact_id"),
        (["call", "contacts.get", "x", "--body", "{}"], "--body does not apply"),
        (["call", "contacts.get", "x", "--all"], "has no pages"),
        (["whoami"], "No key was given. Set NIMBLE_API_KEY"),
        (["whoami", "--profile", "work"], "for --profile work"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run, words, line):
    """Nothing is done, nothing is on stdout, and the line says what to change."""
    ended = run(*words)
    assert (ended.code, ended.out) == (2, "")
    assert line in ended.err
    assert len(ended.err.splitlines()) == 1


def test_operations_are_the_catalogue(run):
    """Each row has the facts of the operation, and the arguments of its method."""
    ended = run("operations", "--output", "json")
    rows = {row["name"]: row for row in json.loads(ended.out)}
    assert list(rows) == list(OPERATIONS)
    for name, operation in OPERATIONS.items():
        row = rows[name]
        assert (row["method"], row["path"]) == (operation.method, operation.path)
        assert (row["repeatable"], row["destructive"]) == (operation.repeatable, operation.destructive)
        assert set(operation.slots) <= {parameter["name"] for parameter in row["parameters"]}
    assert len(run("--output", "jsonl", "operations").out.splitlines()) == len(OPERATIONS)
    assert run("operations").out.splitlines()[0].split() == ["name", "method", "path", "paging", "summary"]


def test_call_shows_what_the_vendor_sent(run, account, served):
    """The first page of a list is the whole answer; a record is the record's own bytes."""
    page = json.loads(run("call", "contacts.list", "--per-page", "3", "--sort=created:asc").out)
    assert page["meta"]["total"] == 120
    assert len(page["resources"]) == 3
    first = page["resources"][0]
    assert json.loads(run("call", "contacts.get", first["id"]).out) == first
    assert (
        json.loads(run("call", "contacts.get", "--contact-id", first["id"], "--fields", "email").out)["id"]
        == first["id"]
    )
    ids = [row["id"] for row in page["resources"]]
    assert [row["id"] for row in json.loads(run("call", "contacts.get_many", ",".join(ids)).out)] == ids
    assert json.loads(run("call", "users.me").out)["user_id"]


def test_call_writes_lines_and_tables(run, account):
    """One record a line, or a table of what is no nested member; ids are records too."""
    lines = run("call", "contacts.list", "--per-page", "2", "--output", "jsonl").out.splitlines()
    assert len([json.loads(line)["fields"] for line in lines]) == 2
    table = run("call", "contacts.list_ids", "--per-page", "2", "--output", "table").out.splitlines()
    assert table[0] == "id"
    assert len(table) == 3
    pipelines = run("call", "deal_pipelines.list", "--output", "table").out.splitlines()
    assert "pipeline id" in pipelines[0]


def test_call_all_reads_every_page(run, account):
    """`--all` gives every record a line, or one list, or one table."""
    ids = [
        json.loads(line)
        for line in run("call", "contacts.list_ids", "--all", "--per-page", "50").out.splitlines()
    ]
    assert len(set(ids)) == 120
    assert len(json.loads(run("call", "contacts.list", "--all", "--output", "json").out)) == 120
    assert len(run("call", "contacts.list", "--all", "--output", "table").out.splitlines()) == 121


def test_call_takes_a_search(run, account):
    """A search is JSON on the command line."""
    found = run(
        "call", "contacts.list", "--query", '{"record type":{"is":"company"}}', "--output", "jsonl"
    ).out
    assert {json.loads(line)["record_type"] for line in found.splitlines()} == {"company"}


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["call", "contacts.get", "nobody"], 1, "There is no contact 'nobody'"),
        (["call", "deals.list", "--sort", "created:asc"], 1, "Correct the"),
        (["call", "contacts.list", "--query", '{"a":{"is":""}}'], 2, "empty text"),
        (["call", "contacts.list", "--sort", "sideways"], 2, "sort must be"),
    ],
)
def test_a_refused_call_is_one_line(run, account, words, code, line):
    """The vendor's refusal is exit code 1, ours before sending is 2."""
    ended = run(*words)
    assert (ended.code, ended.out) == (code, "")
    assert line in ended.line
    assert len(ended.err.splitlines()) == 1


class Thing(msgspec.Struct):
    """A draft of no vendor."""

    a: int = 0
    b: int = 0
    c: int = 0


def test_a_body_is_json_a_file_or_stdin(tmp_path, monkeypatch):
    """`--body` fills the argument of the method that is no id."""
    takes = (
        Argument(name="thing_id", kind="text", required=True, positional=True),
        Argument(name="draft", kind="json", required=True, positional=True, annotation=Thing),
    )
    (tmp_path / "draft.json").write_text('{"b": 2}')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"c": 3}')))
    assert body_of(None, takes, KEEP) == {}
    assert body_of('{"a": 1}', takes, KEEP) == {"draft": Thing(a=1)}
    assert body_of(f"@{tmp_path}/draft.json", takes, KEEP) == {"draft": Thing(b=2)}
    assert body_of("-", takes, KEEP) == {"draft": Thing(c=3)}
    for text, complaint in (("{", "no JSON"), ("@/no/such/file", "cannot be read")):
        with pytest.raises(UsageError, match=complaint):
            body_of(text, takes, KEEP)
    with pytest.raises(UsageError, match="does not apply"):
        body_of("{}", takes[:1], KEEP)


DROP = delete("things.delete", "/things/{thing_id}", returns=type(None))
KEEP = put("things.update", "/things/{thing_id}", returns=type(None))


def test_what_destroys_wants_a_yes(monkeypatch, capfd):
    """Without a terminal `--yes` has to be said; on one a person is asked, on stderr."""
    consent(KEEP, yes=False)
    consent(DROP, yes=True)
    with pytest.raises(UsageError, match="--yes"):
        consent(DROP, yes=False)
    change = put("things.change", "/things", returns=type(None), destructive_if="replace")
    for harmless in ({}, {"replace": False}, {"replace": None}):
        consent(change, yes=False, arguments=harmless)
    consent(change, yes=True, arguments={"replace": True})
    with pytest.raises(UsageError, match=r"things\.change --replace deletes or overwrites"):
        consent(change, yes=False, arguments={"replace": True})
    for answer, goes_on in (("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False)):
        terminal = io.StringIO(answer)
        terminal.isatty = lambda: True  # type: ignore[method-assign]  # a terminal for a test
        monkeypatch.setattr(sys, "stdin", terminal)
        if goes_on:
            consent(DROP, yes=False)
        else:
            with pytest.raises(UsageError, match="Nothing was sent"):
                consent(DROP, yes=False)
    out, err = capfd.readouterr()
    assert out == ""
    assert "things.delete deletes or overwrites. Go on?" in err


def test_whoami_shows_the_person_and_where_the_key_came_from(run, account, served):
    """The key itself is shown nowhere."""
    ended = run("whoami")
    assert "robin@example.com" in ended.out
    assert "NIMBLE_API_KEY" in ended.out
    assert json.loads(run("whoami", "--output", "json").out)["base_url"] == served.base_url
    assert served.api_key not in ended.out + ended.err


def test_a_flag_goes_before_the_environment(run, account, served):
    """`--base-url` is where it talks to, whatever is set."""
    account.setenv("NIMBLE_BASE_URL", "http://127.0.0.1:1")
    assert run("whoami", "--base-url", served.base_url).code == 0


def test_export_of_deals_ends_in_a_certificate(run, account, tmp_path):
    """The file, its certificate beside it, and the same as the last lines on stderr; stdout stays empty."""
    output = tmp_path / "deals.jsonl"
    ended = run("export", "deals", "--to", str(output))
    assert (ended.code, ended.out) == (0, "")
    assert ended.line == "completeness: proven"
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert len({row["deal_id"] for row in rows}) == 30
    certificate = json.loads((tmp_path / "deals.jsonl.certificate.json").read_text())
    assert (certificate["delivered"], certificate["completeness"]) == (30, "proven")
    again = run(
        "export", "deals", "--to", str(output), "--restart", "--certificate", str(tmp_path / "c.json")
    )
    assert again.code == 0
    assert json.loads((tmp_path / "c.json").read_text())["delivered"] == 30


def test_export_writes_to_a_pipe(run, account):
    """`--to -` gives the rows on stdout, and the certificate to people."""
    ended = run("export", "deals", "--to", "-", "--rate", "50/1s")
    assert ended.code == 0
    assert len({json.loads(line)["deal_id"] for line in ended.out.splitlines()}) == 30
    assert ended.line == "completeness: proven"
