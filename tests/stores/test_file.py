"""A token file is its owner's alone, whole at every instant, and says clearly why it is refused."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from nimble_async._sansio.secret import Secret
from nimble_async.errors import StoreError
from nimble_async.stores.file import FileStore
from nimble_async.stores.locks import locked, refusal
from nimble_async.testing.store_conformance import record

ROOT = Path(__file__).parents[2]


async def test_file_and_folder_are_the_owners_alone(tmp_path):
    """The file is 0600, the lock beside it too, and a folder that was made is 0700, whatever the umask."""
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "deep" / "er" / "tokens")
        async with store.lock():
            await store.save(record())
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()}
    assert modes == {"tokens": 0o600, "tokens.lock": 0o600}
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


async def test_save_is_durable_in_order(tmp_path):
    """A save writes, syncs, renames and syncs the folder, in this order, before it returns."""
    steps = []
    await FileStore(tmp_path / "tokens", trace=lambda step, path: steps.append(step)).save(record())
    assert steps == ["write", "fsync", "rename", "fsync folder"]


def _open_to_group(path):
    path.chmod(0o640)


def _open_to_others(path):
    path.chmod(0o604)


def _broken(path):
    path.write_bytes(b'{"version": 1, "gen": 3, "access": "cAnArY-secret", "refr')


def _wrong_type(path):
    path.write_bytes(b'{"version": 1, "gen": "cAnArY-secret", "access": "x"}')


def _later(path):
    path.write_bytes(b'{"version": 2, "gen": 1, "access": "cAnArY-secret"}')


def _binary(path):
    path.write_bytes(b"\xff\xfecAnArY-secret")


def _huge(path):
    path.write_bytes(b" " * 70_000)


def _link(path):
    path.rename(path.with_name("real"))
    path.symlink_to(path.with_name("real"))


def _folder(path):
    path.unlink()
    path.mkdir()


def _pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


TROUBLE = [
    (_open_to_group, "chmod 600", True),
    (_open_to_others, "chmod 600", True),
    (_link, "symbolic link", True),
    (_folder, "not a regular file", True),
    (_pipe, "not a regular file", True),
    (_huge, "too large", True),
    (_broken, "cannot be read", False),
    (_wrong_type, "cannot be read", False),
    (_binary, "cannot be read", False),
    (_later, "version 2", False),
]


@pytest.mark.shows_secrets("the spoilt file is no record any more, or open to others: that is the case here")
@pytest.mark.parametrize(
    ("spoil", "words", "blocks_all_saves"), TROUBLE, ids=lambda case: getattr(case, "__name__", None)
)
async def test_unfit_file_is_refused_and_untouched(tmp_path, spoil, words, blocks_all_saves):
    """A file that others can read, that is no file or no record is refused and stays as it was."""
    store = FileStore(tmp_path / "tokens")
    await store.save(record())
    spoil(store.path)
    before = store.path.lstat()
    with pytest.raises(StoreError, match=words) as caught:
        await store.load()
    assert "cAnArY-secret" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
    assert str(store.path) in str(caught.value)
    with pytest.raises(StoreError):
        await store.save(record(2), expected=1)
    if blocks_all_saves:
        with pytest.raises(StoreError):
            await store.save(record(2))
    after = store.path.lstat()
    assert (after.st_ino, after.st_size, after.st_mode) == (before.st_ino, before.st_size, before.st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_file_of_another_user_is_refused(tmp_path):
    """A file that belongs to somebody else is neither read nor written."""
    store = FileStore(tmp_path / "tokens")
    await store.save(record())
    os.chown(store.path, 12345, 12345)
    with pytest.raises(StoreError, match="another user"):
        await store.load()


async def test_folder_that_others_can_write_is_refused(tmp_path):
    """Where others can put a file in its place no token is kept, unless the folder is sticky."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(StoreError, match="chmod 700"):
        await FileStore(folder / "tokens").save(record())
    folder.chmod(0o1777)
    assert await FileStore(folder / "tokens").save(record())


async def test_path_through_a_file_is_a_store_error(tmp_path):
    """A path whose folder is a file, and one that cannot be made, are refused with what to do."""
    (tmp_path / "file").write_bytes(b"")
    store = FileStore(tmp_path / "file" / "tokens")
    with pytest.raises(StoreError, match="another place"):
        await store.load()
    with pytest.raises(StoreError, match="another place"):
        await store.save(record())
    with pytest.raises(StoreError, match="Cannot"):
        await FileStore("/proc/none/tokens").save(record())


async def test_full_disk_leaves_the_old_record(tmp_path):
    """Where the disk takes no more, the store says so and the old record is untouched."""
    store = FileStore(tmp_path / "tokens")
    await store.save(record(1))

    def full(step, path):
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="Free some space"):
        await FileStore(store.path, trace=full).save(record(2), expected=1)
    assert await store.load() == record(1)
    assert not list(tmp_path.glob(".*.tmp"))


async def test_record_that_could_not_be_read_again_is_not_written(tmp_path):
    """A record larger than what is read is refused before it takes the place of a good one."""
    store = FileStore(tmp_path / "tokens")
    await store.save(record(1))
    with pytest.raises(StoreError, match="too large"):
        await store.save(replace(record(2), access=Secret("x" * 70_000)), expected=1)
    assert await store.load() == record(1)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS])
def test_file_system_without_locks_is_told_by_what_to_do(tmp_path, code):
    """Some network file systems keep no lock, or none on a folder: the hint names a local disk."""
    told = refusal(OSError(code, os.strerror(code)), tmp_path, "lock")
    assert "local disk" in told.hint


async def test_lock_that_hangs_is_given_up(tmp_path):
    """Whoever waits for a lock longer than the store's patience is told so."""
    store = FileStore(tmp_path / "tokens", patience=0.02)
    async with store.lock():
        with pytest.raises(StoreError, match="locked by another process"):
            async with store.lock():
                raise AssertionError("two were inside")


async def test_home_is_understood():
    """A path may begin with the user's home."""
    assert FileStore("~/x/tokens").path == Path.home() / "x" / "tokens"


async def test_cancelled_save_is_over_when_it_returns(tmp_path):
    """A save that is cancelled has ended, done or not, before the caller goes on: nothing comes later."""
    for pause in range(12):
        store = FileStore(tmp_path / f"tokens{pause}")
        task = asyncio.create_task(store.save(record()))
        for _ in range(pause):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        seen = await store.load()
        async with store.lock():
            assert await store.load() == seen
        assert seen in (None, record())


CHILD = """
import asyncio, os, signal, sys
from msgspec.structs import replace
from nimble_async.stores.file import FileStore
from nimble_async.testing.store_conformance import record

def kill(step, path):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = FileStore(sys.argv[1], trace=kill)
    async with store.lock():
        await store.save(replace(record(2), reason="x" * 20000), expected=1)

asyncio.run(main())
"""


@pytest.mark.parametrize(("step", "gen"), [("write", 1), ("fsync", 1), ("rename", 2), ("fsync folder", 2)])
async def test_killed_writer_leaves_a_whole_record_and_no_lock(tmp_path, step, gen):
    """A process killed at a step of a save leaves the old or the new record whole, and its locks are free."""
    store = FileStore(tmp_path / "tokens", patience=2)
    await store.save(record(1))
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(store.path), step], cwd=ROOT, check=False, timeout=30
    )
    assert child.returncode == -signal.SIGKILL
    found = await store.load()
    assert found == (record(1) if gen == 1 else replace(record(2), reason="x" * 20000))
    async with store.lock():
        assert await store.save(record(gen + 1), expected=gen)
    assert {path.name for path in tmp_path.iterdir()} == {"tokens", "tokens.lock"}


async def test_folder_may_be_a_link(tmp_path):
    """One rule for every step: a folder that is a link is followed, a file that is one is not."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = FileStore(tmp_path / "link" / "tokens")
    async with store.lock():
        assert await store.save(record())
    assert await FileStore(tmp_path / "real" / "tokens").load() == await store.load() == record()
    await store.delete()
    assert await store.load() is None


_FORKED = """
import asyncio, os, sys, time
from nimble_async.stores.locks import locked, refusal
from pathlib import Path
path, flags, end = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
async def main():
    async with locked(path, flags, patience=5):
        child = os.fork()
        if child == 0:
            if end == "unwinds":
                raise SystemExit
            time.sleep(30)
            os._exit(0)
        print(child, flush=True)
        if end == "dies":
            os.kill(os.getpid(), 9)
        if end == "unwinds":
            os.waitpid(child, 0)
            print("waited", flush=True)
            sys.stdin.read()
    print("left", flush=True)
    sys.stdin.read()
asyncio.run(main())
"""


@pytest.mark.parametrize("end", ["leaves", "dies", "unwinds"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_forked_child_neither_keeps_nor_ends_a_lock(kind, end, tmp_path):
    """The lock is free when its holder leaves or dies though a child lives, and not when the child ends."""
    path = tmp_path if kind == "folder" else tmp_path / "lock"
    flags = os.O_RDONLY | os.O_DIRECTORY if kind == "folder" else os.O_RDWR | os.O_CREAT
    words = [sys.executable, "-c", _FORKED, str(path), str(flags), end]

    async def take() -> None:
        async with locked(path, flags, patience=2 if end != "unwinds" else 0):
            pass

    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            if end == "unwinds":
                assert process.stdout.readline() == b"waited\n"
                with pytest.raises(StoreError, match="locked by another"):
                    asyncio.run(take())
            else:
                if end == "leaves":
                    assert process.stdout.readline() == b"left\n"
                else:
                    assert process.wait(20) == -signal.SIGKILL
                os.kill(child, 0)  # it lives
                asyncio.run(take())
        finally:
            process.stdin.close()
            if end != "unwinds":
                os.kill(child, signal.SIGKILL)
