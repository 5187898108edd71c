"""What watches every simulator of a test run, and whether a test's exchanges were as they have to be.

Rule: each exchange fits the description, but for the places in `deviations`. A test that breaks the
rule on purpose says which complaints it provokes, with a reason, and has to provoke all of them:

    @pytest.mark.undescribed(("request", "?color", "unknown"), reason="the escape hatch sends anything")
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from nimble_async._sansio.message import Request, Response
from tests.contract.description import Complaint, Description
from tests.contract.deviations import KNOWN

_MANY, _STEP = 30, 50
"""After so many answers of one kind in one test, an endless export, every 50th is looked at."""

Key = tuple[str, str, str]


class Judge:
    """Told of exchanges, in whatever thread or forked process; keeps what is not listed in a file."""

    def __init__(self, description: Description, file: Path) -> None:
        self._description = description
        self._alike: Counter[tuple[str, int]] = Counter()
        # Appended to by forked servers as well, which are killed in the end.
        self._writing = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._reading = file.open("rb")

    def watch(self, operation: str, request: Request, response: Response) -> None:
        """Judge one exchange: its request always, its answer unless the test has had many of its kind."""
        kind = operation, response.status
        self._alike[kind] += 1
        count = self._alike[kind]
        body = count <= _MANY or count % _STEP == 0
        for complaint in self._description.complaints(operation, request, response, body=body):
            if complaint.key not in KNOWN:
                os.write(self._writing, msgspec.json.encode(complaint) + b"\n")

    def news(self) -> list[Complaint]:
        """Return what was complained of since this was asked last, which begins a new test."""
        self._alike.clear()
        return [msgspec.json.decode(line, type=Complaint) for line in self._reading.readlines()]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._writing)
        self._reading.close()


def verdict(complaints: Iterable[Complaint], marker: pytest.Mark | None) -> str:
    """Return what is wrong with a test's exchanges, in lines; nothing if they are as they have to be."""
    meant: set[Key] = set(marker.args) if marker else set()
    if marker and not (meant and marker.kwargs.get("reason")):
        return "The marker `undescribed` names complaints, and a reason."
    seen: dict[Key, Complaint] = {}
    for complaint in complaints:
        seen.setdefault(complaint.key, complaint)
    lines = [f"not as described: {one}" for key, one in seen.items() if key not in meant]
    lines += [f"meant to be undescribed, and was not: {key}" for key in sorted(meant - seen.keys())]
    return "\n".join(lines)
