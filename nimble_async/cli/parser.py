"""The commands and the flags they share, and what runs a command.

Rule: a command's module is imported when that command runs or its help is shown, and imports
no HTTP client at its top: `--help` and `operations` answer at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from difflib import get_close_matches
from functools import partial
from inspect import iscoroutine
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from nimble_async._version import __version__
from nimble_async.cli.exits import Exit, UsageError, one_line
from nimble_async.cli.settings import Output, Settings
from nimble_async.cli.vendors import VENDORS

__all__ = ["COMMANDS", "build", "hoist", "run", "run_until_interrupted"]

COMMANDS = {
    "demo": "Export a simulated account over real HTTP, check the result, and say what happened.",
    "export": "Write every contact or deal to a file, and prove that none is missing.",
    "call": "Make one call by its name and show the vendor's answer.",
    "fields": "Write the account's own fields as a typed class (fields types --out FILE.py).",
    "operations": "List every operation, with its method, path and arguments.",
    "login": "Sign in, in the browser or with a key, and save it as a profile.",
    "logout": "Remove a saved login from this machine.",
    "whoami": "Show whom the key or token belongs to.",
    "doctor": "Check what is configured, reachable and allowed, and say what to do.",
    "simulate": "Serve a simulated account on this machine until interrupted.",
}
_SHARED = frozenset({"--crm", "--profile", "--base-url", "--output"})
_HELP_FLAGS = frozenset({"--help", "-h"})
_HELP = "Nimble and ActiveCampaign from the command line. Data goes to stdout, words for people to stderr."


def build(chosen: list[Callable[[], Any]], words: tuple[str, ...] = ()) -> App:
    """Return the application, which puts the command that was asked for into `chosen`.

    `words` is the command line as it was typed.
    """
    # A flag has no opposite, and what a command returns is not printed.
    options: dict[str, Any] = {"default_parameter": Parameter(negative=()), "result_action": "return_value"}
    app = App(name="nimble-async", help=_HELP, version=__version__, **options)
    for name, summary in COMMANDS.items():
        app.command(f"nimble_async.cli.{name}:{name}", name=name, help=summary)

    @app.meta.default
    def everywhere(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        crm: Annotated[Literal["nimble", "activecampaign"], _shared("Whose API.")] = "nimble",
        profile: Annotated[
            str | None, _shared("Use this saved login, whatever the environment holds.")
        ] = None,
        base_url: Annotated[
            str | None, _shared("Where the API is. Also: NIMBLE_BASE_URL, ACTIVECAMPAIGN_URL.")
        ] = None,
        output: Annotated[Output | None, _shared("How data is written to stdout.")] = None,
    ) -> None:
        settings = Settings(
            crm=crm,
            profile=profile,
            base_url=base_url,
            output=output,
            environment=dict(os.environ),
            words=words,
        )
        settings.check()
        _known(tokens)
        command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
        if "settings" in ignored:
            bound.arguments["settings"] = settings
        # It runs outside of the parser, which would swallow an interruption.
        chosen.append(partial(command, *bound.args, **bound.kwargs))

    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code.

    Raises:
        UsageError: It cannot be followed.
    """
    asked = _asked(hoist(arguments))
    if asked is not None:
        from nimble_async.cli.explain import explain

        return explain(*asked)
    chosen: list[Callable[[], Any]] = []
    app = build(chosen, tuple(arguments))
    try:
        app.meta(hoist(arguments), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise UsageError(one_line(_words(error)), hint=_help_of(arguments)) from error
    return _finish(chosen[0]()) if chosen else Exit.DONE


def _shared(words: str) -> Parameter:
    return Parameter(group="Everywhere", help=words)


def hoist(arguments: Sequence[str]) -> list[str]:
    """Return the words with the shared flags in front, wherever they stood before a `--`.

    The parser would leave them to a command that takes any word, as `call` does.

    Raises:
        UsageError: The last one has no value.
    """
    front: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting and waiting[0] != "--":
        word = waiting.pop(0)
        if word.partition("=")[0] not in _SHARED:
            rest.append(word)
        elif "=" in word:
            front.append(word)
        elif not waiting:
            raise UsageError(f"{word} needs a value.")
        else:
            front += [word, waiting.pop(0)]
    return [*front, *rest, *waiting]


def _asked(words: Sequence[str]) -> tuple[str, str] | None:
    """Return whose and which operation `call OPERATION --help` asks about; None where it is not asked.

    The parser would tell of `call` alone.
    """
    waiting, crm = list(words), "nimble"
    while waiting and waiting[0].partition("=")[0] in _SHARED:
        flag, has_value, value = waiting.pop(0).partition("=")
        value = value if has_value else waiting.pop(0)
        crm = value if flag == "--crm" else crm
    if waiting[:1] != ["call"] or crm not in VENDORS:
        return None
    rest = waiting[1 : waiting.index("--")] if "--" in waiting else waiting[1:]
    name = next((word for word in rest if not word.startswith("-")), None)
    return (crm, name) if name is not None and _HELP_FLAGS.intersection(rest) else None


def _words(error: CycloptsError) -> str:
    text = str(error).strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _help_of(arguments: Sequence[str]) -> str:
    command = next((word for word in arguments if word in COMMANDS), "")
    return f"See `nimble-async {command + ' ' if command else ''}--help`."


def _known(tokens: Sequence[str]) -> None:
    """Refuse an unknown command here: the parser would import every command to describe it."""
    first = tokens[0] if tokens else ""
    if not first or first.startswith("-") or first in COMMANDS:
        return
    near = get_close_matches(first, COMMANDS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "See `nimble-async --help`."
    raise UsageError(f"There is no command {first!r}.", hint=hint)


def _finish(result: object) -> int:
    """Run what a command returned, if it is a coroutine, and return its exit code."""
    code = run_until_interrupted(lambda: result) if iscoroutine(result) else result
    return code if isinstance(code, int) else Exit.DONE


def run_until_interrupted(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run `main` on a loop of its own; SIGTERM cancels it as SIGINT does, so that it ends in order."""

    async def guarded() -> Any:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (a coroutine runs in a task)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            return await main()
        finally:
            loop.remove_signal_handler(signal.SIGTERM)

    return asyncio.run(guarded())
