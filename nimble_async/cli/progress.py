"""How far a job has come: a bar on a terminal, plain lines elsewhere; on stderr.

Rule: time is what the job's records say (seconds); no clock is read here. The words are made by
pure functions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from nimble_async.cli.render import say, terminal

if TYPE_CHECKING:
    from nimble_async._aio.throttle import ThrottleStatistics
    from nimble_async.jobs.reading import Progress

__all__ = ["Bar", "Lines", "Meter", "Pace", "Rate", "budget", "describe", "meter"]

Rate: TypeAlias = Callable[[], float | None]
"""Tells the rate budget in requests a second; None where there is none."""

_REMEMBERED = 10.0
"""Seconds over which the pace is told."""
_EVERY = 2.0
"""Seconds between two plain lines of one phase."""
_BLINK = 0.1
"""Seconds between two drawings of the bar."""
_BAR = 24
"""Characters of the bar."""
_PHASES = {
    "survey": "looking how much there is",
    "reading": "reading",
    "waiting": "waiting until the vendor lists what is newest",
    "writing": "writing the file",
    "done": "done",
}


class Meter(Protocol):
    """Shows records of progress while its `with` is open."""

    def __call__(self, progress: Progress) -> None:
        """Show how far the job is."""
        ...


def describe(
    progress: Progress, resource: str, *, since: Progress | None = None, rate: float | None = None
) -> str:
    """Return how far a job is in one line.

    `since` is an earlier record of the same phase: the pace is what came between the two. `rate` is
    the budget in requests a second, where there is one.
    """
    phase = _PHASES.get(progress.phase, progress.phase)
    most = max(progress.expected, progress.records)
    parts = [f"{phase}: {progress.records:,} of {most:,} {resource}" if most else phase]
    seconds = progress.elapsed - since.elapsed if since is not None else 0.0
    if since is not None and seconds > 0 and progress.phase == "reading":
        records, requests = progress.records - since.records, (progress.requests - since.requests) / seconds
        parts += [f"{records / seconds:,.0f} records/s", f"{requests:,.1f} requests/s"]
        if rate:
            parts.append(f"{min(1.0, requests / rate):.0%} of the rate budget")
        missing = progress.expected - progress.records
        if records > 0 and missing > 0:
            parts.append(f"about {_span(missing * seconds / records)} left")
    return ", ".join(parts)


class Pace:
    """Remembers the records of progress of the last ten seconds of a phase."""

    def __init__(self) -> None:
        self._recent: deque[Progress] = deque()

    def since(self, progress: Progress) -> Progress | None:
        """Take one more record, and return the oldest that is not too old; None where it is the first."""
        recent = self._recent
        if recent and recent[-1].phase != progress.phase:
            recent.clear()
        recent.append(progress)
        while len(recent) > 2 and recent[1].elapsed <= progress.elapsed - _REMEMBERED:
            recent.popleft()
        return recent[0] if len(recent) > 1 else None


def budget(statistics: ThrottleStatistics) -> float | None:
    """Return the requests a second that a throttle lets through; None where there is no limit."""
    return statistics.rate if 0 < statistics.rate < float("inf") else None


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Lines:
    """Plain lines: one at each change of phase, and one every two seconds of the job's time."""

    def __init__(self, resource: str, rate: Rate, *, write: Callable[[str], None] = say) -> None:
        self._resource = resource
        self._rate = rate
        self._write = write
        self._pace = Pace()
        self._phase = ""
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        """Write a line where one is due."""
        since = self._pace.since(progress)
        if progress.phase == self._phase and progress.elapsed - self._last < _EVERY:
            return
        self._phase, self._last = progress.phase, progress.elapsed
        self._write(describe(progress, self._resource, since=since, rate=self._rate()))


class Bar:
    """A bar on a terminal."""

    def __init__(self, resource: str, rate: Rate, bar: Any) -> None:
        self._resource = resource
        self._rate = rate
        self._bar = bar
        self._pace = Pace()
        self._task = bar.add_task("", total=None)
        self._last = -_BLINK
        self._phase = ""

    def __call__(self, progress: Progress) -> None:
        """Draw the bar, at most ten times a second of the job's time."""
        since = self._pace.since(progress)
        if progress.phase == self._phase and progress.elapsed - self._last < _BLINK:
            return
        self._phase, self._last = progress.phase, progress.elapsed
        words = describe(progress, self._resource, since=since, rate=self._rate())
        total = max(progress.expected, progress.records) or None
        # On a narrow terminal the words give way, not the bar.
        words = words[: max(1, self._bar.console.width - _BAR - 2)]
        self._bar.update(self._task, completed=progress.records, total=total, description=words)
        self._bar.refresh()


def meter(resource: str, rate: Rate, *, bar: bool | None = None) -> AbstractContextManager[Meter]:
    """Return what shows progress: a bar where stderr is a terminal (or `bar` says so), else lines."""
    if not (terminal("stderr") if bar is None else bar):
        return nullcontext(Lines(resource, rate))
    return _Drawn(resource, rate)


class _Drawn(AbstractContextManager[Meter]):
    """Opens and closes the terminal's bar."""

    def __init__(self, resource: str, rate: Rate) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        console = Console(stderr=True)
        columns = BarColumn(bar_width=_BAR), TextColumn("{task.description}", markup=False)
        self._bar = Progress(*columns, console=console, auto_refresh=False, expand=False)
        self._meter = Bar(resource, rate, self._bar)

    def __enter__(self) -> Meter:
        self._bar.start()
        return self._meter

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
