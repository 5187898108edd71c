"""`simulate` and `demo` as processes, and an export that cannot be proven."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from nimble_async.cli.demo import Checked, check_file, tell
from nimble_async.jobs.certificate import Certificate, OutputFile, Windows
from nimble_async.testing import ServedSimulator, SimulateOptions
from nimble_async.testing.options import build
from tests.cli.conftest import ROOT
from tests.interrupting import interruptible


def ask(url, key=None, data=None):
    request = urllib.request.Request(
        url, data=data, headers={"Authorization": f"Bearer {key}"} if key else {}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_simulate_serves_until_it_is_told_to_stop(clean, told):
    """One line of JSON says where it is; stats, world and control answer; a signal ends it with 0."""
    command = [
        sys.executable,
        "-m",
        "nimble_async",
        "simulate",
        "--contacts",
        "40",
        "--deals",
        "5",
        "--seed",
        "3",
    ]
    with interruptible():
        running = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
    assert running.stdout is not None
    try:
        ready = json.loads(running.stdout.readline())
        base = ready["base_url"]
        assert {"api_key", "client_id", "client_secret"} <= ready.keys()
        assert ask(f"{base}/api/v1/contacts", ready["api_key"])["meta"]["total"] == 40
        world = ask(f"{base}/__simulator__/world")
        assert (len(world["contacts"]), len(world["deals"])) == (40, 5)
        assert ask(f"{base}/__simulator__/stats")["operations"]["contacts.list"]["calls"] == 1
        assert ask(f"{base}/__simulator__/control", data=b'{"still": true}')["still"] is True
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(f"{base}/api/v1/contacts", "wrong")
        refused.value.close()
        assert refused.value.code == 401
    finally:
        running.send_signal(told)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_a_port_that_is_taken_is_one_line(process, served):
    """The system's refusal is told in a line."""
    port = served.base_url.rpartition(":")[2]
    ended = process("simulate", "--port", port)
    assert (ended.code, ended.out) == (1, "")
    assert "address already in use" in ended.line
    assert "Traceback" not in ended.err


def test_the_demo_checks_its_own_export(process, tmp_path):
    """A small one: real HTTP, drift, a limit, two renewals, every check, and where to go next."""
    ended = process(
        "demo", "--contacts", "150", "--deals", "20", "--folder", str(tmp_path / "demo"), "--output", "json"
    )
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["ok"] is True
    assert len(told["checks"]) == 9
    assert told["simulator"]["refreshes"] >= 2
    assert "nimble-async export contacts" in ended.err
    certificate = json.loads((tmp_path / "demo" / "contacts.jsonl.certificate.json").read_text())
    assert certificate["completeness"] == "proven"


def test_an_interrupted_demo_is_130(clean, tmp_path):
    """Whoever has seen enough gets a line and the shell's code, no traceback."""
    command = [
        sys.executable,
        "-m",
        "nimble_async",
        "demo",
        "--contacts",
        "50",
        "--folder",
        str(tmp_path / "demo"),
    ]
    with interruptible():
        running = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("waiting"):
            running.send_signal(signal.SIGINT)
            break
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.splitlines()[-1].startswith("nimble-async: Interrupted.")
    assert "Traceback" not in err


def certificate_of(content, *, rows, completeness="proven"):
    digest = hashlib.sha256(content).hexdigest()
    return Certificate(
        tool="t", crm="nimble", resource="contacts", query="{}", account="a", completeness=completeness,
        started="", finished="", expected=rows, delivered=rows, gone=0, appeared=0, rejected=0, odd=0,
        duplicates=0, windows=Windows(), pages=1, pages_reread=0, requests=1, requests_per_record=1.0,
        resumed=0,
        output=OutputFile(name="x", bytes=len(content), rows=rows, sha256=digest),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "world", "completeness", "holds"),
    [
        ("ab", ("ab", "ab"), "proven", [True, True, True, True]),
        ("ab", ("a", "abc"), "proven", [True, True, True, True]),
        ("a", ("ab", "ab"), "proven", [False, True, True, True]),
        ("aa", ("a", "a"), "proven", [False, False, True, True]),
        ("ax", ("a", "a"), "proven", [True, True, False, True]),
        ("a", ("a", "a"), "unproven", [True, True, True, False]),
        ("", ("", ""), "proven", [True, True, True, True]),
    ],
)
def test_the_demo_sees_what_is_wrong_with_a_file(tmp_path, rows, world, completeness, holds):
    """A missing survivor, a doubled or invented row and an unproven certificate each fail a check."""
    output = tmp_path / "x"
    content = b"".join(json.dumps({"id": row}).encode() + b"\n" for row in rows)
    output.write_bytes(content)
    certificate = certificate_of(content, rows=len(rows), completeness=completeness)
    survivors, ever = map(set, world)
    checked = check_file(output, certificate, "contacts", survivors=survivors, ever=ever)
    assert [check.holds for check in checked] == holds


def test_the_demo_sees_another_file(tmp_path):
    """A certificate of other bytes is not this file's."""
    output = tmp_path / "x"
    output.write_bytes(b'{"id":"a"}\n')
    certificate = certificate_of(b'{"id":"b"}\n', rows=1)
    assert not check_file(output, certificate, "contacts", survivors={"a"}, ever={"a"})[3].holds


def test_a_failed_check_is_told_as_a_bug(capfd, tmp_path):
    """Whoever runs the demo sees which check failed, and no advice to go on as if nothing were wrong."""
    counters = {"requests": 1, "rate_limited": 0, "peak_in_flight": 1}
    tell([Checked(what="one", holds=True), Checked(what="two", holds=False)], counters, tmp_path)
    err = capfd.readouterr().err
    assert "NO   two" in err
    assert "A check failed" in err
    assert "Next" not in err


def test_the_demo_needs_a_folder_it_can_make(run):
    """A folder that cannot be made is one line, before anything is served."""
    ended = run("demo", "--folder", "/dev/null/x")
    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert "cannot be made" in ended.err


def test_an_unproven_export_is_exit_code_3(run, clean, tmp_path):
    """Where the vendor caps the list and hides pipelines, the file is there and says what is missing."""
    options = SimulateOptions(contacts=1, deals=40, deals_limit_cap=5, hidden_deals=0.5)
    with ServedSimulator(build(options)) as served:
        clean.setenv("NIMBLE_BASE_URL", served.base_url)
        clean.setenv("NIMBLE_API_KEY", served.api_key)
        ended = run("export", "deals", "--to", str(tmp_path / "deals.jsonl"))
    assert ended.code == 3
    assert ended.line == "completeness: unproven"
    assert "not proven: " in ended.err
    assert (tmp_path / "deals.jsonl").exists()
