"""Where a login comes back to on this machine, and what to answer whoever knocks there.

Rule: pages repeat nothing of what was asked and point nowhere, so that there is nothing to inject
and no open redirect. A visit that does not carry our state changes nothing: any page in the
browser can send one.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from nimble_async._sansio.address import is_loopback, parts_of
from nimble_async._sansio.login import (
    LoginRequest,
    check_issuer,
    check_state,
    read_redirect,
    redirect_members,
)
from nimble_async._sansio.secret import Secret
from nimble_async.errors import ConfigurationError, LoginRefused

__all__ = [
    "LONGEST_HEAD",
    "Awaited",
    "Loopback",
    "Visit",
    "answer_visit",
    "judge_visit",
    "loopback_of",
    "read_head",
]

LONGEST_HEAD = 16 * 1024
"""Bytes of a request's head that are read."""
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>nimble-async: {title}</title><link rel="icon" href="data:,">
<body style="font: 1.1em/1.5 sans-serif; max-width: 36em; margin: 15vh auto; padding: 0 1em">
<h1>{title}</h1><p>{words}</p></body></html>
"""
_DROPPED = " Where the server is known to drop it, begin again with --state optional."
_NEVER = frozenset(
    {"about", "blob", "data", "file", "filesystem", "ftp", "javascript", "mailto", "vbscript", "ws", "wss"}
)
"""Schemes that lead to no application: a browser runs them, or does something else with them."""
_PHRASES = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 410: "Gone"}


class Loopback(Struct, frozen=True, kw_only=True):
    """A registered redirect address on this machine, taken apart."""

    hosts: tuple[str, ...]
    """What to listen on: one literal address, or both families for `localhost`."""
    port: int
    path: str


def loopback_of(redirect_uri: str) -> Loopback | None:
    """Return where to listen for a redirect address; None where it is no plain-http loopback one.

    Beside https that may be a scheme of an application's own, such as `com.example.app:/signed-in`.

    Raises:
        ConfigurationError: It is no address, or none to which a login can come back.
    """
    redirect_uri = redirect_uri.strip()
    parts = parts_of(redirect_uri)
    if parts is None:
        raise ConfigurationError("The redirect address cannot be used: its host or port makes no sense.")
    host, port = parts.hostname or "", parts.port
    if not parts.scheme or not (host or parts.path):
        raise ConfigurationError(
            f"{redirect_uri!r} is no redirect address.",
            hint="Give it as it is registered with the vendor, such as http://127.0.0.1:8765/callback.",
        )
    trouble = _trouble_of(redirect_uri, parts)
    if trouble:
        raise ConfigurationError(
            f"The redirect address cannot be used: {trouble}.",
            hint="Give it as it is registered with the vendor, such as http://127.0.0.1:8765/callback.",
        )
    if parts.scheme != "http" or not is_loopback(host):
        return None
    hosts = ("127.0.0.1", "::1") if host == "localhost" else (host,)
    return Loopback(hosts=hosts, port=80 if port is None else port, path=parts.path or "/")


def _trouble_of(redirect_uri: str, parts: SplitResult) -> str:
    """Say why no login can come back to an address; empty where one can."""
    plain = redirect_uri.isascii() and redirect_uri.isprintable() and " " not in redirect_uri
    troubles = {
        f"nothing comes back by {parts.scheme}:": parts.scheme in _NEVER,
        "it names no host": parts.scheme in {"http", "https"} and not parts.hostname,
        "it holds a user's name or a password": "@" in parts.netloc,
        "port 0 is no port": parts.port == 0,
        "it holds a fragment, which no server sees": "#" in redirect_uri,
        "it holds a space or another letter that has to be percent-encoded": not plain,
    }
    return next((words for words, true in troubles.items() if true), "")


class Awaited(Struct, frozen=True, kw_only=True):
    """What a login that is under way waits for."""

    path: str
    login: LoginRequest
    base_url: str
    """The server that was asked."""
    state_required: bool = True


class Visit(Struct, frozen=True, kw_only=True):
    """What one request comes to: a page, and perhaps the end of the wait."""

    status: int
    title: str
    words: str
    target: Secret | None = None
    """The path and query that carry the code; None where the wait goes on or the login failed."""
    error: LoginRefused | None = None
    """How the login ended, where the vendor says that it failed."""
    refused: str = ""
    """What to tell the person at the terminal, where a visit looked like an answer and was none."""


def judge_visit(method: str, target: str, host: str, *, awaited: Awaited, over: bool) -> Visit:
    """Say what a request to our address comes to. `target` is its path and query; `over`: one was taken."""
    path = target.partition("#")[0].partition("?")[0]
    if path != awaited.path or not _is_ours(host):
        return Visit(status=404, title="Nothing is here", words="This address only ends a sign-in.")
    if method != "GET":
        return Visit(status=405, title="Not like this", words="A sign-in comes back as a plain visit.")
    if over:
        words = "It was taken already. The terminal says how it ended; this window can be closed."
        return Visit(status=410, title="This sign-in is over", words=words)
    told: dict[str, list[str]] = {}
    try:
        told = redirect_members(target)
        if not {"code", "error"} & told.keys():
            raise LoginRefused("A visit brought neither a code nor an error.")  # noqa: TRY301 (one page for all)
        states = told.get("state", [None])
        if len(states) == 1:  # a doubled one is refused below, without a look at either
            check_state(states[0], awaited.login.state, required=awaited.state_required)
        check_issuer(told.get("iss", [None])[-1], awaited.base_url)
    except LoginRefused as error:
        dropped = "state" not in told and awaited.state_required
        return _strange(error, _DROPPED if dropped else "")
    return _answer(target, told)


def _answer(target: str, told: dict[str, list[str]]) -> Visit:
    """Judge a visit that carries our state: a code, the vendor's refusal, or neither in good form."""
    try:
        read_redirect(target)
    except LoginRefused as error:
        if "error" not in told or any(len(values) > 1 for values in told.values()):
            return _strange(error)
        words = "The terminal says why; this window can be closed. Nothing was saved."
        return Visit(status=200, title="The sign-in failed", words=words, error=error)
    words = "nimble-async has it now. The terminal says how it ended; this window can be closed."
    return Visit(status=200, title="The sign-in came back", words=words, target=Secret(target))


def _strange(error: LoginRefused, more: str = "") -> Visit:
    words = "It does not belong to the sign-in that waits here, which goes on waiting. Begin in the terminal."
    return Visit(status=400, title="This visit was refused", words=words, refused=error.message + more)


def _is_ours(host: str) -> bool:
    """Return whether a `Host` names this machine: a page behind another name has no business here."""
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def read_head(data: bytes) -> tuple[str, str, str] | None:
    """Read method, target and host of a request's head; None where it is none."""
    lines = data.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        return None
    headers = [line.partition(":") for line in lines[1:]]
    hosts = [value.strip() for name, _, value in headers if name.strip().lower() == "host"]
    return words[0], words[1], hosts[0] if len(hosts) == 1 else ""


def answer_visit(visit: Visit) -> bytes:
    """Return the whole answer to a visit: a page that loads nothing, is kept nowhere and tells no one."""
    body = _PAGE.format(title=visit.title, words=visit.words).encode()
    head = (
        f"HTTP/1.1 {visit.status} {_PHRASES[visit.status]}\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
