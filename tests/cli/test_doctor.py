"""`doctor`: what it looks at, what it says, and what it never shows."""

from __future__ import annotations

import json
import sys

import pytest

from nimble_async.cli import doctor
from nimble_async.cli.settings import Settings
from nimble_async.errors import ConfigurationError
from nimble_async.stores.profiles import Place

NOW = 1_800_000_000.0
LOGIN = {"NIMBLE_CLIENT_ID": "id", "NIMBLE_CLIENT_SECRET": "very-secret"}


def by_name(checks):
    return {check.check: check for check in checks}


def test_all_is_well(run, account, served):
    """With a good key every check is ok, the totals are there, and the key is shown nowhere."""
    ended = run("doctor", "--output", "json")
    assert (ended.code, ended.err) == (0, "")
    told = json.loads(ended.out)
    assert told["ok"] is True
    checks = {check["check"]: check for check in told["checks"]}
    assert {check["state"] for check in told["checks"]} <= {"ok", "note"}
    assert checks["contacts allowed"]["found"].startswith("120 ")
    assert checks["deals allowed"]["found"].startswith("30 ")
    assert "NIMBLE_BASE_URL" in checks["address"]["found"]
    assert served.api_key not in ended.out


def test_the_three_forms_say_the_same(run, account):
    """A table for people, lines or one object for programs."""
    lines = run("doctor", "--output", "jsonl").out.splitlines()
    names = [json.loads(line)["check"] for line in lines]
    shown = run("doctor").out
    assert all(name in shown for name in names)


def test_a_wrong_key_is_reachable_and_not_signed_in(run, account):
    """The server answers, so the trouble is the key; what it may read is not asked."""
    account.setenv("NIMBLE_API_KEY", "wrong")
    ended = run("doctor", "--output", "json")
    assert ended.code == 1
    checks = {check["check"]: check for check in json.loads(ended.out)["checks"]}
    assert checks["reachable"]["state"] == "ok"
    assert checks["clock"]["state"] == "ok"
    assert checks["signed in"]["state"] == "trouble"
    assert "key" in checks["signed in"]["do"]
    assert "contacts allowed" not in checks


def test_a_closed_port_is_not_reachable(run, account):
    """Nothing else is asked where nobody answers."""
    ended = run("doctor", "--base-url", "http://127.0.0.1:1")
    assert ended.code == 1
    assert "trouble reachable" in ended.out
    assert "->" in ended.out


@pytest.mark.nimble_simulator(contacts=3, deals=0)
def test_a_page_that_is_not_the_vendor_s_is_trouble(run, account, nimble_simulator):
    """An answer that is no JSON is told as one."""
    from nimble_async.testing import Fault

    nimble_simulator.run(lambda simulator, _: simulator.script([Fault(kind="wrong_json", every=1)]))
    account.setenv("NIMBLE_BASE_URL", nimble_simulator.base_url)
    account.setenv("NIMBLE_API_KEY", nimble_simulator.api_key)
    ended = run("doctor")
    assert ended.code == 1
    assert "trouble" in ended.out


def test_nothing_set_is_told_without_a_call(run):
    """Without a key the checks that need one are unknown, not failed."""
    ended = run("doctor", "--output", "json")
    assert ended.code == 1
    checks = {check["check"]: check for check in json.loads(ended.out)["checks"]}
    assert checks["credentials"]["state"] == "trouble"
    assert "NIMBLE_API_KEY" in checks["credentials"]["do"]
    assert checks["reachable"]["state"] == "unknown"


@pytest.mark.parametrize(
    ("settings", "check", "state", "words"),
    [
        (Settings(), "address", "ok", "the default"),
        (Settings(base_url="https://x.example"), "address", "ok", "--base-url"),
        (Settings(base_url="ftp://x"), "address", "trouble", "--base-url"),
        (Settings(environment={"NIMBLE_BASE_URL": "x"}), "address", "trouble", "NIMBLE_BASE_URL"),
        (Settings(environment={"NIMBLE_API_KEY": "secret"}), "credentials", "ok", "an API key"),
        (Settings(environment=LOGIN), "credentials", "ok", "profile default"),
        (Settings(environment={**LOGIN, "NIMBLE_API_KEY": "secret"}), "credentials", "ok", "an API key"),
        (
            Settings(profile="w", environment={**LOGIN, "NIMBLE_API_KEY": "s"}),
            "credentials",
            "ok",
            "profile w",
        ),
        (Settings(profile="w", environment={"NIMBLE_API_KEY": "s"}), "credentials", "trouble", "none"),
        (Settings(environment={"NIMBLE_CLIENT_ID": "id"}), "credentials", "trouble", "none"),
        (Settings(environment={"NIMBLE_LOG": "info"}), "NIMBLE_LOG", "note", "info"),
    ],
)
def test_each_setting_says_where_it_came_from(clean, settings, check, state, words):
    """A flag goes before the environment; a profile that was asked for goes before a key."""
    found = by_name(doctor.settings_checks(settings))[check]
    assert found.state == state
    assert words in found.found
    assert "secret" not in repr(doctor.settings_checks(settings))


def test_the_token_file_is_looked_at(clean):
    """Its place, its mode and its owner, and the command that mends them."""
    settings = Settings(environment=LOGIN)
    assert doctor.file_checks(Settings(environment={"NIMBLE_API_KEY": "k"})) == []
    missing = by_name(doctor.file_checks(settings))["token file"]
    assert (missing.state, "not there" in missing.found) == ("trouble", True)
    path = Place(crm="nimble").path
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch(mode=0o600)
    assert [check.state for check in doctor.file_checks(settings)] == ["ok", "ok"]
    path.chmod(0o644)
    path.parent.chmod(0o777)
    open_to_all = doctor.file_checks(settings)
    assert [check.state for check in open_to_all] == ["trouble", "trouble"]
    assert [check.do.split()[:2] for check in open_to_all] == [["chmod", "600"], ["chmod", "700"]]
    path.unlink()
    path.symlink_to("/dev/null")
    assert by_name(doctor.file_checks(settings))["token file"].state == "trouble"


def test_a_folder_that_is_none_is_told(clean):
    """Where the system refuses to look, its own word is told."""
    folder = Place(crm="nimble").path.parent
    folder.parent.mkdir(parents=True)
    folder.touch()
    (found,) = doctor.file_checks(Settings(environment=LOGIN))
    assert (found.state, "Not a directory" in found.found) == ("trouble", True)


def test_what_is_not_allowed_is_told_by_name(run, account, nimble_simulator):
    """A key that may read contacts and not deals is in trouble with deals alone."""
    from nimble_async.testing import Fault

    refusal = Fault(kind="status", status=403, operation="deals.list")
    nimble_simulator.run(lambda simulator, _: simulator.script([refusal]))
    account.setenv("NIMBLE_BASE_URL", nimble_simulator.base_url)
    account.setenv("NIMBLE_API_KEY", nimble_simulator.api_key)
    ended = run("doctor", "--output", "json")
    checks = {check["check"]: check["state"] for check in json.loads(ended.out)["checks"]}
    assert ended.code == 1
    assert (checks["contacts allowed"], checks["deals allowed"]) == ("ok", "trouble")


def test_a_profile_that_cannot_be_one_is_told(clean):
    """The name is checked before any command runs."""
    with pytest.raises(ConfigurationError, match="name of a profile"):
        Settings(profile="../x", environment=LOGIN).check()


@pytest.mark.parametrize(
    ("date", "state", "words"),
    [
        ("Fri, 15 Jan 2027 08:00:00 GMT", "ok", "within"),
        ("Fri, 15 Jan 2027 08:00:30 GMT", "ok", "within"),
        ("Fri, 15 Jan 2027 08:00:31 GMT", "trouble", "31 s behind"),
        ("Fri, 15 Jan 2027 07:59:29 GMT", "trouble", "31 s ahead"),
        (None, "unknown", "no date"),
        ("yesterday", "unknown", "no date"),
    ],
)
def test_the_clock_is_compared_with_the_vendor_s(date, state, words):
    """Thirty seconds are forgiven; more of them break the renewal of tokens."""
    found = doctor.clock_check(date, NOW)
    assert found.state == state
    assert words in found.found


def test_extras_are_what_can_be_imported():
    """The command line itself is one, or nobody could ask."""
    assert doctor.extras_check().found.startswith("cli")


@pytest.mark.parametrize("name", ["default", "work", "a.b-c_1", "x" * 64])
def test_a_profile_has_a_file_of_its_own(clean, name):
    """One vendor and name, one file, in the user's data folder."""
    path = Place(crm="nimble", name=name).path
    assert path.name == name
    assert path.parent.parts[-2:] == ("profiles", "nimble")
    assert Place(crm="activecampaign", name=name).path != path


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "-x", ".hidden", "x" * 65, "a b", "ä", "a.lock", "a.login"]
)
def test_a_profile_s_name_is_a_file_s(clean, name):
    """What could leave the folder, or hide in it, is refused."""
    with pytest.raises(ConfigurationError, match="profile"):
        Place(crm="nimble", name=name)


def test_without_platformdirs_the_extra_is_named(clean):
    """A saved login needs the extra; the environment does without."""
    clean.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(ConfigurationError, match="nimble-async\\[cli\\]"):
        _ = Place(crm="nimble").path
