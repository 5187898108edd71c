"""`--crm activecampaign`: the same commands against a simulated account over real HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from nimble_async.activecampaign.catalog import OPERATIONS
from nimble_async.cli.arguments import arguments_of
from nimble_async.cli.settings import Settings
from nimble_async.cli.vendors import VENDORS, find, method_of, operations_of, resources_of, walks_of
from nimble_async.testing import ServedSimulator, SimulateOptions
from nimble_async.testing.options import build
from tests.cli.conftest import ROOT

CRM = ("--crm", "activecampaign")


@pytest.fixture(scope="module")
def deals() -> Iterator[ServedSimulator]:
    """Serve one account at rest for all tests of this module, wide open."""
    options = SimulateOptions(crm="activecampaign", contacts=20, deals=230, rate="1000/1s")
    with ServedSimulator(build(options)) as served:
        yield served


@pytest.fixture
def account(clean: pytest.MonkeyPatch, deals: ServedSimulator) -> pytest.MonkeyPatch:
    """Give an environment that holds the served account's token, and its address as users paste it."""
    clean.setenv("ACTIVECAMPAIGN_API_TOKEN", deals.api_key)
    clean.setenv("ACTIVECAMPAIGN_URL", f"{deals.base_url}/api/3/")
    return clean


@pytest.fixture(autouse=True)
def unset(clean: pytest.MonkeyPatch) -> None:
    """Let nothing of this machine's be set."""
    clean.delenv("ACTIVECAMPAIGN_API_TOKEN", raising=False)
    clean.delenv("ACTIVECAMPAIGN_URL", raising=False)


def test_operations_are_the_other_catalogue(run):
    """54 rows, each with the arguments of its method; nothing is sent."""
    rows = json.loads(run(*CRM, "operations", "--output", "json").out)
    assert [row["name"] for row in rows] == list(OPERATIONS)
    for row in rows:
        assert set(OPERATIONS[row["name"]].slots) <= {argument["name"] for argument in row["parameters"]}


@pytest.mark.parametrize("crm", sorted(VENDORS))
def test_every_operation_has_a_method_and_a_resource(crm):
    """The command line finds each through the client's own properties."""
    for name, operation in operations_of(crm).items():
        assert find(name, crm) is operation
        assert name.partition(".")[0] in resources_of(crm)
        assert {argument.name for argument in arguments_of(method_of(operation, crm))} >= set(operation.slots)
    assert set(walks_of(crm)) == set(VENDORS[crm].exports)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["whoami"], "No key was given. Set ACTIVECAMPAIGN_API_TOKEN (ActiveCampaign: Settings > Developer)"),
        (
            ["whoami", "--profile", "work"],
            "`nimble-async --crm activecampaign --profile work login",
        ),
        (["login"], "ActiveCampaign has keys and no sign-in for applications. Add --api-key."),
        (["demo"], "The demo shows Nimble only"),
        (["fields", "types"], "reads Nimble's fields of contacts"),
        (["call", "contacts.list"], "There is no operation 'contacts.list'"),
        (["call", "deal.list"], "Did you mean deals.list"),
        (["export", "contacts", "--to", "x"], "ActiveCampaign has no contacts to export here"),
        (["export", "deals", "--to", "x", "--fields", "a"], "--fields does not apply"),
        (["export", "deals", "--to", "x", "--query", "[]"], 'Such as {"stage": "3"}'),
        (["export", "deals", "--to", "x", "--query", '{"stages": "1"}'], "no filter 'stages'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run, words, line):
    """Nothing is sent, and the line names this vendor's variables."""
    ended = run(*CRM, *words)
    assert (ended.code, ended.out) == (2, "")
    assert line in ended.err
    assert len(ended.err.splitlines()) == 1


def test_an_address_is_needed_because_each_account_has_its_own(run, clean):
    """A token alone says not where to ask."""
    clean.setenv("ACTIVECAMPAIGN_API_TOKEN", "a-token")
    ended = run(*CRM, "whoami")
    assert (ended.code, ended.out) == (2, "")
    assert "Set ACTIVECAMPAIGN_URL to the API URL of the account" in ended.err


def test_whoami_and_call(run, account):
    """Whom the token belongs to; a page, a record, a body, a table, every page."""
    assert json.loads(run(*CRM, "whoami", "--output", "json").out)["email"] == "owner@example.com"
    page = json.loads(run(*CRM, "call", "deals.list", "--limit", "3").out)
    assert (len(page["deals"]), page["meta"]["total"]) == (3, 230)
    id_ = page["deals"][0]["id"]
    assert json.loads(run(*CRM, "call", "deals.get", id_).out)["id"] == id_
    assert len(run(*CRM, "call", "stages.list", "--all").out.splitlines()) == 12
    assert run(*CRM, "call", "pipelines.list", "--output", "table").out.splitlines()[0].startswith("title")
    role = json.loads(run(*CRM, "call", "roles.create", "Sponsor").out)
    assert role["title"] == "Sponsor"
    refused = run(*CRM, "call", "roles.delete", role["id"])
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert run(*CRM, "call", "roles.delete", role["id"], "--yes").code == 0


def test_doctor_looks_at_this_vendor(run, account):
    """Address, token, who it is, what may be read; a wrong token is trouble."""
    ended = run(*CRM, "doctor", "--output", "json")
    checks = {check["check"]: check for check in json.loads(ended.out)["checks"]}
    assert ended.code == 0
    assert "ACTIVECAMPAIGN_URL" in checks["address"]["found"]
    assert checks["credentials"]["found"] == "an API token (ACTIVECAMPAIGN_API_TOKEN)"
    assert checks["signed in"]["found"] == "as owner@example.com"
    assert (checks["deals allowed"]["state"], checks["pipelines allowed"]["state"]) == ("ok", "ok")
    account.setenv("ACTIVECAMPAIGN_API_TOKEN", "wrong")
    assert run(*CRM, "doctor").code == 1
    account.delenv("ACTIVECAMPAIGN_URL")
    ended = run(*CRM, "doctor")
    assert (ended.code, "Set ACTIVECAMPAIGN_URL" in ended.out) == (1, True)


def test_export_is_proven_and_says_what_it_rests_on(run, account, deals, tmp_path):
    """All deals by their ids, a certificate beside them, and a pipe has the same bytes."""
    output = tmp_path / "deals.jsonl"
    fast = ("--rate", "500/1s")
    ended = run(*CRM, "export", "deals", "--to", str(output), *fast)
    assert (ended.code, ended.out) == (0, "")
    certificate = json.loads((tmp_path / "deals.jsonl.certificate.json").read_bytes())
    assert (certificate["crm"], certificate["completeness"]) == ("activecampaign", "proven")
    assert any(
        "orders[id]=ASC" in text and "one public report" in text for text in certificate["assumptions"]
    )
    assert certificate["account"].endswith("/1")
    ids = [json.loads(line)["id"] for line in output.read_bytes().splitlines()]
    assert ids == deals.simulator.world.deals.ids()
    assert run(*CRM, "export", "deals", "--to", "-", *fast).out.encode() == output.read_bytes()
    some = run(*CRM, "export", "deals", "--to", "-", "--query", '{"stage": "2"}', *fast).out.splitlines()
    assert {json.loads(line)["stage"] for line in some} == {"2"}
    assert run(*CRM, "export", "deals", "--to", str(output), *fast).code == 1


def test_simulate_says_where_it_is_and_which_token_it_takes():
    """One line of JSON, the vendor's own limit unless told, and the simulator's own endpoints."""
    command = [sys.executable, "-m", "nimble_async", *CRM, "simulate", "--port", "0", "--deals", "25"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"base_url", "api_token", "contacts", "deals", "seed"}
        asked = urllib.request.Request(
            f"{ready['base_url']}/api/3/deals", headers={"Api-Token": ready["api_token"]}
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert answer.headers["RateLimit-Limit"] == "5"
            assert json.loads(answer.read())["meta"]["total"] == 25
        with urllib.request.urlopen(f"{ready['base_url']}/__simulator__/world", timeout=10) as answer:
            assert len(json.loads(answer.read())["deals"]) == 25
        with urllib.request.urlopen(f"{ready['base_url']}/__simulator__/stats", timeout=10) as answer:
            assert json.loads(answer.read())["operations"]["deals.list"]["calls"] == 1
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_settings_name_their_source():
    """A flag goes before the variable, and without either there is no address."""
    found = Settings(crm="activecampaign", environment={"ACTIVECAMPAIGN_URL": "https://a.example"}).address
    assert (found.value, found.source) == ("https://a.example", "ACTIVECAMPAIGN_URL")
    assert Settings(crm="activecampaign", base_url="https://b.example").address.source == "--base-url"
    assert Settings(crm="activecampaign").address.value == ""
