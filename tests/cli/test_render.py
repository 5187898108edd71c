"""What is shown: tables, lines and progress, as texts."""

from __future__ import annotations

import io
import sys

import pytest

from nimble_async.cli.export import go_on
from nimble_async.cli.progress import Lines, Pace, budget, describe, meter
from nimble_async.cli.render import ask, ask_line, data, rows, table
from nimble_async.jobs.reading import Progress


def at(phase="reading", records=0, expected=100, requests=0, elapsed=0.0):
    return Progress(
        phase=phase, records=records, expected=expected, pages=0, requests=requests, elapsed=elapsed
    )


def test_a_table_aligns_its_columns():
    """Each column is as wide as its widest cell, under its name."""
    found: list[dict[str, object]] = [
        {"name": "a", "total_count": 1},
        {"name": "bcd", "total_count": None},
        {"name": True},
    ]
    assert table(found) == ["name  total count", "a     1", "bcd   -", "yes   -"]


def test_a_table_of_chosen_columns_shows_only_these():
    """Nested members come as JSON or as a list of names, cut where they are long."""
    found = [{"a": {"x": 1}, "b": ["p", "q"], "c": "y" * 80}]
    assert table(found, columns=("b", "a", "c"))[1] == 'p, q  {"x":1}  ' + "y" * 59 + "…"


def test_a_table_shows_no_control_characters():
    """A record cannot speak to the terminal."""
    assert table([{"name": "a\x1b[2Jb\nc"}])[1] == "a[2Jb c"


def test_a_table_of_nothing_is_nothing():
    """No rows, no names."""
    assert table([]) == []


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("jsonl", '{"a":1}\n{"a":2}\n'),
        ("json", '[\n  {\n    "a": 1\n  },\n  {\n    "a": 2\n  }\n]\n'),
        ("table", "a\n1\n2\n"),
    ],
)
def test_rows_come_in_three_forms(output, text, capfd):
    """One list, one line each, or a table."""
    rows([{"a": 1}, {"a": 2}], output=output)
    assert capfd.readouterr().out == text


@pytest.mark.parametrize("question", [ask, ask_line])
def test_a_question_is_no_data(question, monkeypatch, capsys):
    """Where stderr is closed nobody is asked: stdout is for data alone."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.setattr(sys, "stderr", None)
    assert question("Shall I") in {True, "y"}
    assert capsys.readouterr().out == ""


def test_data_ends_each_line_once(capfdbinary):
    """A line that has its end keeps it."""
    data([b"a", b"b\n"])
    assert capfdbinary.readouterr().out == b"a\nb\n"


@pytest.mark.parametrize(
    ("since", "progress", "rate", "text"),
    [
        (None, at(), None, "reading: 0 of 100 contacts"),
        (at(), at(), 5.0, "reading: 0 of 100 contacts"),
        (
            at(records=10, requests=1, elapsed=1.0),
            at(records=60, requests=6, elapsed=3.0),
            5.0,
            "reading: 60 of 100 contacts, 25 records/s, 2.5 requests/s, 50% of the rate budget, "
            "about 2 s left",
        ),
        (at(), at(records=100, requests=9, elapsed=1.0), 5.0,
         "reading: 100 of 100 contacts, 100 records/s, 9.0 requests/s, 100% of the rate budget"),
        (at(), at(elapsed=1.0), None, "reading: 0 of 100 contacts, 0 records/s, 0.0 requests/s"),
        (at(), at(records=1, expected=91, elapsed=1.0), None,
         "reading: 1 of 91 contacts, 1 records/s, 0.0 requests/s, about 2 min left"),
        (at(), at(records=1, expected=90, elapsed=1.0), None,
         "reading: 1 of 90 contacts, 1 records/s, 0.0 requests/s, about 89 s left"),
        (at(), at(records=1, expected=9001, elapsed=1.0), None,
         "reading: 1 of 9,001 contacts, 1 records/s, 0.0 requests/s, about 2.5 h left"),
        (at("writing"), at("writing", records=9, elapsed=1.0), 5.0, "writing the file: 9 of 100 contacts"),
        (None, at(records=120), 5.0, "reading: 120 of 120 contacts"),
        (None, at(expected=0), 5.0, "reading"),
        (None, at("new phase"), None, "new phase: 0 of 100 contacts"),
    ],
)  # fmt: skip
def test_progress_is_one_line(since, progress, rate, text):
    """Records, both rates, the budget and the rest, as far as they are known."""
    assert describe(progress, "contacts", since=since, rate=rate) == text


def test_the_pace_is_that_of_the_last_ten_seconds_of_the_phase():
    """What was waited for before the reading began does not slow the pace down."""
    pace = Pace()
    waiting, first = at("waiting", elapsed=1.0), at(elapsed=20.0)
    assert pace.since(waiting) is None
    assert pace.since(first) is None
    assert pace.since(at(elapsed=25.0)) is first
    assert pace.since(at(elapsed=30.0)) is first
    assert pace.since(at(elapsed=35.0)) == at(elapsed=25.0)


def test_plain_lines_come_every_two_seconds_and_at_each_phase():
    """A log is not flooded, and no phase goes unseen."""
    written: list[str] = []
    show = Lines("contacts", lambda: None, write=written.append)
    for progress in [
        at(elapsed=0.1),
        at(elapsed=1.0),
        at(elapsed=2.0),
        at(elapsed=2.2),
        at("done", elapsed=2.3),
    ]:
        show(progress)
    assert [line.partition(":")[0] for line in written] == ["reading", "reading", "done"]


def test_a_bar_is_drawn_on_a_terminal(capfd):
    """The bar shows the same words; forced here, since a test has no terminal."""
    with meter("deals", lambda: 10.0, bar=True) as show:
        for progress in [
            at(records=10, elapsed=0.5),
            at(records=10, elapsed=0.51),
            at(records=100, elapsed=1.0),
        ]:
            show(progress)
    assert "100 of 100 deals" in " ".join(capfd.readouterr().err.split())


def test_without_a_terminal_there_are_lines(capfd):
    """A pipe gets no bar."""
    with meter("deals", lambda: None) as show:
        show(at())
    assert capfd.readouterr().err == "reading: 0 of 100 deals\n"


@pytest.mark.parametrize(("rate", "told"), [(10.0, 10.0), (0.0, None), (float("inf"), None)])
def test_the_budget_is_told_where_there_is_one(rate, told, throttle_statistics):
    """A throttle that holds nothing back has no budget to speak of."""
    assert budget(throttle_statistics(rate=rate)) == told


@pytest.mark.parametrize(
    ("words", "piped", "end"),
    [
        (["export", "contacts", "--to", "a b.jsonl"], False, "nimble-async export contacts --to 'a b.jsonl'"),
        (["export", "deals", "--to", "x", "--restart"], False, "nimble-async export deals --to x"),
        (["export", "deals", "--to", "-"], True, "begins anew."),
    ],
)
def test_an_interruption_says_how_to_go_on(words, piped, end):
    """The command to type is there, without the flag that would forget what was read."""
    assert go_on(words, piped=piped).endswith(end)
