"""Files are replaced whole and in the one order that survives a power cut."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from nimble_async.stores.durable import (
    fsync_folder,
    open_excl,
    rename_durably,
    replace_file,
    sweep_leftovers,
    write_all,
    write_new,
)

STEPS = ["write", "fsync", "rename", "fsync folder"]


def test_replacing_goes_in_the_order_that_survives(tmp_path):
    """The steps are write, fsync, rename, fsync of the folder; the new name appears with the rename."""
    target, seen = tmp_path / "file", []
    target.write_bytes(b"old")
    replace_file(target, b"new", trace=lambda step, path: seen.append((step, path.name, target.read_bytes())))
    assert [step for step, _, _ in seen] == STEPS
    assert [content for _, _, content in seen] == [b"old", b"old", b"new", b"new"]
    assert seen[0][1] != target.name
    assert seen[2][1] == target.name
    assert seen[3][1] == tmp_path.name
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_mode_is_the_one_asked_for(tmp_path, mode):
    """The file's mode is what was asked for, whatever the umask says and the old file had."""
    target = tmp_path / "file"
    target.write_bytes(b"old")
    target.chmod(0o666)
    before = os.umask(0o077)
    try:
        replace_file(target, b"new", mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == mode


@pytest.mark.parametrize(
    ("step", "kept"), [("write", b"old"), ("fsync", b"old"), ("rename", b"new"), ("fsync folder", b"new")]
)
def test_error_at_a_step_leaves_one_whole_file(tmp_path, step, kept):
    """Where a step fails, the old or the new file is there whole, and nothing unfinished beside it."""
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def fail(done, path):
        if done == step:
            raise OSError(errno.ENOSPC, "no space")

    with pytest.raises(OSError, match="no space"):
        replace_file(target, b"new", trace=fail)
    assert target.read_bytes() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_new_file_is_never_written_through_a_link(tmp_path):
    """A name that is taken, also by a link to nowhere, is refused and left as it is."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        open_excl(link)
    with pytest.raises(FileExistsError):
        write_new(link, b"data")
    assert link.is_symlink()
    assert not (tmp_path / "elsewhere").exists()


def test_rename_into_another_folder_syncs_both(tmp_path):
    """The folder that got the name is synced first, then the one that lost it."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    source, seen = tmp_path / "a" / "file", []
    write_new(source, b"data")
    rename_durably(source, tmp_path / "b" / "file", trace=lambda step, path: seen.append((step, path.name)))
    assert seen == [("rename", "file"), ("fsync folder", "b"), ("fsync folder", "a")]


def test_steps_need_no_trace(tmp_path):
    """Every step works alone and without anybody who follows it."""
    descriptor = open_excl(tmp_path / "one")
    write_all(descriptor, b"x" * 300_000)
    os.close(descriptor)
    rename_durably(tmp_path / "one", tmp_path / "two")
    fsync_folder(tmp_path)
    assert (tmp_path / "two").stat().st_size == 300_000
    assert stat.S_IMODE((tmp_path / "two").stat().st_mode) == 0o600


def test_sweeping_removes_only_what_was_left_of_this_file(tmp_path):
    """Unfinished files of this name go; other files, and those of longer names, stay."""
    for name in ("file", ".file.0123456789ab.tmp", ".file.other.0123456789ab.tmp", ".file.tmp", "file.lock"):
        (tmp_path / name).write_bytes(b"")
    sweep_leftovers(tmp_path / "file")
    assert {path.name for path in tmp_path.iterdir()} == {
        "file",
        ".file.other.0123456789ab.tmp",
        ".file.tmp",
        "file.lock",
    }
