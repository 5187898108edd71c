"""Bad input, run as a user runs it: one clear line, the exit code, and nothing touched.

Every command here is a process of its own against a simulated account over real HTTP.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import TokenRecord
from nimble_async.jobs.export import work_folder
from nimble_async.stores.profiles import Place, Profile, encode_profile
from tests.cli.conftest import ROOT
from tests.interrupting import interruptible


@pytest.fixture
def closed_port() -> str:
    """Give an address on this machine where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def output(tmp_path) -> Path:
    """Give a path in an empty folder."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "deals.jsonl"


@pytest.fixture
def token_file(clean, served, tmp_path) -> Path:
    """Give the saved login of the default profile, as a login would have left it."""
    pair = served.run(lambda simulator, now: simulator.oauth.issue(now))
    record = TokenRecord(gen=1, access=Secret(pair["access_token"]), refresh=Secret(pair["refresh_token"]))
    oauth, place = served.simulator.oauth, Place(crm="nimble")
    profile = Profile(
        crm="nimble",
        kind="oauth",
        base_url=served.base_url,
        client_id=oauth.client_id,
        client_secret=Secret(oauth.client_secret),
        token=record,
    )
    place.path.parent.mkdir(parents=True, mode=0o700)
    place.path.touch(mode=0o600)
    place.path.write_bytes(encode_profile(profile))
    return place.path


def check_line(ended, code, *words):
    """One line on stderr, of ours, that says these words; nothing on stdout; no traceback."""
    assert (ended.code, ended.out) == (code, ""), ended.err
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("nimble-async: ")
    for word in words:
        assert word in lines[0]


def test_a_wrong_key(process, account, output):
    """The vendor's refusal names the key, and no folder is left behind."""
    account.setenv("NIMBLE_API_KEY", "wrong-key-of-somebody")
    ended = process("export", "deals", "--to", str(output))
    check_line(ended, 1, "401", "Check the key")
    assert "wrong-key" not in ended.err
    assert list(output.parent.iterdir()) == []


def test_a_key_that_is_none(process, account, output):
    """A key with a line break in it is refused before anything is sent."""
    account.setenv("NIMBLE_API_KEY", "half a key\nX-Header: 1")
    check_line(process("export", "deals", "--to", str(output)), 2, "Settings > API Token")
    assert list(output.parent.iterdir()) == []


def test_a_closed_port(process, account, output, closed_port):
    """A connection that cannot be made is told with its address."""
    account.setenv("NIMBLE_BASE_URL", closed_port)
    check_line(process("export", "deals", "--to", str(output)), 1, closed_port.removeprefix("http://"))
    assert list(output.parent.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["nonsense", "http://example.com", "https://user:secret@example.com", "ftp://x"]
)
def test_a_bad_url(process, account, output, url):
    """An address that cannot be used is refused before anything is sent; a password in it is not shown."""
    ended = process("export", "deals", "--to", str(output), "--base-url", url)
    check_line(ended, 2, "base URL")
    assert "secret" not in ended.err
    assert list(output.parent.iterdir()) == []


def test_a_saved_login_works(process, token_file):
    """The file of a profile is all a command needs."""
    ended = process("whoami", "--output", "json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["credentials"].startswith("profile default")


@pytest.mark.shows_secrets("others may read the file: that is the case here")
def test_a_group_readable_token_file(process, token_file):
    """A token that others may read is not used; the line says how to close it."""
    token_file.chmod(0o640)
    before = token_file.read_bytes()
    check_line(process("whoami"), 1, "chmod 600", str(token_file))
    assert token_file.read_bytes() == before


def test_an_unreadable_token_file(process, token_file):
    """What is no plain file is not followed and not replaced."""
    token_file.unlink()
    token_file.mkdir(mode=0o700)
    check_line(process("whoami"), 1, str(token_file))
    assert token_file.is_dir()


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is readable to root")
def test_a_token_file_without_permission(process, token_file):
    """A file that this user may not read is told as one."""
    token_file.chmod(0)
    check_line(process("whoami"), 1, str(token_file))


def test_a_broken_token_file(process, token_file):
    """A file with something else in it is refused and left as it is."""
    token_file.write_bytes(b"not a token")
    check_line(process("whoami"), 1, str(token_file))
    assert token_file.read_bytes() == b"not a token"


def test_no_saved_login(process, token_file):
    """A profile nobody signed in with says so, and how to."""
    check_line(
        process("whoami", "--profile", "other"), 2, "Sign in: `nimble-async --profile other login", "other"
    )


def test_a_bad_profile_name(process, token_file):
    """A name that would leave the folder is refused."""
    check_line(process("whoami", "--profile", "../x"), 2, "name of a profile")


def test_an_existing_output(process, account, output):
    """A file that is there is left as it is, and the line names the flag that replaces it."""
    output.write_text("precious")
    check_line(process("export", "deals", "--to", str(output)), 1, "--restart", str(output))
    assert output.read_text() == "precious"
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_an_output_in_no_folder(process, account, output):
    """A folder that is not there is not made."""
    check_line(process("export", "deals", "--to", str(output.parent / "no" / "x.jsonl")), 1, "no folder")


def test_a_full_disk(process, account, output):
    """Where the disk takes no more, nothing half-written is visible, and the same command goes on later."""
    # A file of coverage's own would hit the limit too.
    limited = 'unset COVERAGE_PROCESS_CONFIG COVERAGE_PROCESS_START; ulimit -f 20; exec "$@"'
    ended = process("export", "deals", "--to", str(output), shell=limited)
    assert (ended.code, ended.out) == (1, "")
    assert ended.line.startswith("nimble-async: ")
    assert "Traceback" not in ended.err
    assert not output.exists()
    later = process("export", "deals", "--to", str(output))
    assert later.code == 0, later.err
    assert len(output.read_text().splitlines()) == 30


def test_a_query_the_vendor_would_refuse(process, account, output):
    """Twelve terms are one too many: nothing is sent, nothing is made."""
    terms = [{"first name": {"is": f"name {number}"}} for number in range(12)]
    ended = process("export", "contacts", "--to", str(output), "--query", json.dumps({"or": terms}))
    check_line(ended, 2, "eleven" if "eleven" in ended.err else "11")
    assert list(output.parent.iterdir()) == []


def start(*words):
    command = [sys.executable, "-m", "nimble_async", *words]
    with interruptible():
        return subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip


def interrupt_while_waiting(output, told):
    """Start an export of contacts, interrupt it while it waits for the newest, and return how it ended."""
    running = start("export", "contacts", "--to", str(output), "--restart")
    assert running.stderr is not None
    lines = []
    for line in running.stderr:
        lines.append(line)
        if line.startswith("waiting"):
            running.send_signal(told)
            break
    _, rest = running.communicate(timeout=20)
    return running.returncode, "".join(lines) + rest


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_130_and_says_how_to_go_on(account, output, told):
    """The last line is the command to type, without the flag that would forget what was read."""
    code, err = interrupt_while_waiting(output, told)
    assert code == 130
    last = err.splitlines()[-1]
    assert last.endswith(f"go on with: nimble-async export contacts --to {output}")
    assert "Traceback" not in err
    assert not output.exists()


def test_a_broken_checkpoint(process, account, output):
    """A damaged checkpoint is refused and left as it is; the line names the flag that forgets it."""
    assert interrupt_while_waiting(output, signal.SIGINT)[0] == 130
    folder = work_folder(output)
    journal = max(folder.iterdir(), key=lambda path: "journal" in path.name)
    damaged = b"\x00damage\n" + journal.read_bytes()
    journal.write_bytes(damaged)
    check_line(process("export", "contacts", "--to", str(output)), 1, "--restart")
    assert journal.read_bytes() == damaged


def test_an_interrupted_export_goes_on(process, account, output):
    """The same command after an interruption ends with every contact, proven."""
    assert interrupt_while_waiting(output, signal.SIGINT)[0] == 130
    ended = process("export", "contacts", "--to", str(output), "--resume")
    assert ended.code == 0, ended.err
    assert "resumed 1 time\n" in ended.err
    assert len({json.loads(line)["id"] for line in output.read_text().splitlines()}) == 120


def test_a_reader_that_goes_away(process, account):
    """A closed pipe ends the command without a word and without success."""
    ended = process(
        "call", "contacts.list", "--all", shell='("$@"; echo "code $?" >&2) | head -c 10 >/dev/null'
    )
    assert ended.err == "code 1\n"


def test_an_export_nobody_reads(process, account):
    """A pipe that is closed before the rows are written is a failure, without a word."""
    ended = process("export", "deals", "--to", "-", shell='("$@"; echo "code $?" >&2) | true')
    assert ended.line == "code 1"
    assert ended.err.splitlines()[-2].startswith("writing")


@pytest.mark.parametrize("words", [["whoami"], ["operations"], ["export", "deals", "--to", "-"]])
def test_a_closed_stdout(process, account, words):
    """Data that can go nowhere is a failure, told in a line."""
    check_line(process(*words, shell='exec "$@" >&-'), 1, "stdout is closed")


def test_a_closed_stderr(process, account):
    """Words for people never go among the data."""
    ended = process("export", "deals", "--to", "-", shell='exec "$@" 2>&-')
    assert (ended.code, ended.err) == (0, "")
    assert len([json.loads(line)["deal_id"] for line in ended.out.splitlines()]) == 30


def test_an_id_that_is_none(process, account):
    """An empty id is refused before anything is sent."""
    check_line(process("call", "contacts.get", ""), 2, "contact_id must be an id")


def test_a_search_the_vendor_refused_does_not_stay_in_the_way(process, account, output):
    """The vendor says what is wrong; corrected, the same command runs."""
    wrong, right = ('{"nope": {"is": "x"}}', '{"first name": {"is": "Ada"}}')
    ended = process("export", "contacts", "--to", str(output), "--query", wrong)
    assert (ended.code, list(output.parent.iterdir())) == (1, [])
    assert ended.line.count("/query/nope") == 1
    assert process("export", "contacts", "--to", str(output), "--query", right).code == 0


def test_a_certificate_in_the_place_of_the_output(process, account, output):
    """It would replace the rows that it speaks of."""
    words = ("export", "deals", "--to", str(output), "--certificate", str(output))
    ended = process(*words)
    assert ended.code == 1
    assert ended.line.endswith("Name another file with --certificate.")
    assert list(output.parent.iterdir()) == []


def test_debugging_shows_where(process, account):
    """With NIMBLE_LOG=debug a traceback comes before the line."""
    account.setenv("NIMBLE_LOG", "debug")
    ended = process("call", "contacts.get", "nobody")
    assert ended.code == 1
    assert "Traceback" in ended.err
    assert ended.line.startswith("nimble-async: There is no contact")


def test_without_the_extra_one_line_names_it():
    """Where cyclopts is not installed the command says what to install."""
    script = (
        "import sys; sys.modules['cyclopts'] = None; from nimble_async.cli.app import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, cwd=ROOT, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "nimble-async: the command line is an extra. Run: pip install 'nimble-async[cli]'\n"
