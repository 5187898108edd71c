"""Bodies of requests held against what the vendor takes, with its own words for what is wrong.

Rule: a rule per member; every complaint of a body is gathered before it is refused. Members that
nobody asked for are ignored, as the vendor does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from nimble_async.testing.call import Call, Refusal
from nimble_async.testing.nimble.refusals import invalid

__all__ = [
    "Rule",
    "complain",
    "insert_after",
    "preflight",
    "read_body",
    "read_flag",
    "read_number",
    "require_id",
    "wrong_in",
]

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
}
_HEX = frozenset("0123456789abcdefABCDEF")


class Rule(Struct, frozen=True, kw_only=True):
    """What one member of a body may be. Lengths count letters or members, bounds are inclusive."""

    kind: str = "string"
    """`string`, `boolean`, `integer`, `number`, `object`, `array` or `any`."""
    required: bool = False
    null: bool = False
    least: float | None = None
    most: float | None = None
    choices: Sequence[str] = ()
    items: str | None = None
    """The kind of an array's members."""

    def wrong(self, value: object) -> str | None:
        """Return what is wrong with a value, or None."""
        if value is None:
            return None if self.null else f"None is not of type '{self.kind}'"
        if not _is(self.kind, value):
            return f"{value!r} is not of type '{self.kind}'"
        if self.choices and value not in self.choices:
            return f"{value!r} is not one of {list(self.choices)}"
        if self.items is not None and isinstance(value, list):
            bad = [item for item in value if not _is(self.items, item)]
            if bad:
                return f"{bad[0]!r} is not of type '{self.items}'"
        return self._out_of_bounds(value)

    def _out_of_bounds(self, value: Any) -> str | None:
        size = len(value) if isinstance(value, str | list) else value
        if self.least is not None and size < self.least:
            return f"{value!r} is too short" if isinstance(value, str | list) else f"{value} < {self.least:g}"
        if self.most is not None and size > self.most:
            return f"{value!r} is too long" if isinstance(value, str | list) else f"{value} > {self.most:g}"
        return None


def _is(kind: str, value: object) -> bool:
    if kind == "any":
        return True
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def complain(path: str, message: str) -> Refusal:
    """Return the refusal of one thing, in the shape of schema validation."""
    return Refusal(invalid({path: message}))


def wrong_in(body: Mapping[str, Any], rules: Mapping[str, Rule], path: str = "") -> dict[str, str]:
    """Return every complaint about a body: path -> message."""
    missing = [name for name, rule in rules.items() if rule.required and name not in body]
    complaints = {}
    if missing:
        quoted = ", ".join(f'"{name}"' for name in missing)
        complaints[path or "/"] = f"missing required properties: [{quoted}]"
    for name, rule in rules.items():
        wrong = rule.wrong(body[name]) if name in body else None
        if wrong is not None:
            complaints[f"{path}/{name}"] = wrong
    return complaints


def read_body(call: Call, **rules: Rule) -> dict[str, Any]:
    """Return the members of a body that the rules know.

    Raises:
        Refusal: It is no JSON object, a required member is missing, or one breaks its rule: a 409.
    """
    try:
        body = msgspec.json.decode(call.body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise complain("/", "Can't parse the body as JSON") from None
    if not isinstance(body, dict):
        raise complain("/", f"{body!r} is not of type 'object'")
    complaints = wrong_in(body, rules)
    if complaints:
        raise Refusal(invalid(complaints))
    return {name: body[name] for name in rules if name in body}


def preflight(call: Call, *, required: bool) -> bool:
    """Return whether a deletion is to be refused where it would affect something.

    The flag stands in the query; older documents put it into a body.

    Raises:
        Refusal: It is no boolean, or `required` and missing: a 409.
    """
    if call.text("preflight_checks") is not None:
        return read_flag(call, "preflight_checks", default=False)
    body = read_body(call, preflight_checks=Rule(kind="boolean", required=required))
    return body.get("preflight_checks") is True


def require_id(path: str, text: str) -> str:
    """Return an id that a request chose.

    Raises:
        Refusal: It is not 24 hexadecimal digits: a 409.
    """
    if len(text) != 24 or not _HEX.issuperset(text):
        raise complain(path, f"Can't parse value {text} as OBJECT-ID")
    return text


def insert_after(
    members: list[dict[str, Any]], new: dict[str, Any], body: Mapping[str, Any], ids: Sequence[str]
) -> None:
    """Put `new` behind the member that `insert_after` names: null is first, not given is last.

    `ids` are the members' keys that may hold an id.

    Raises:
        Refusal: No member has that id: a 409.
    """
    after = body.get("insert_after", UNSET)
    if after is UNSET:
        members.append(new)
    elif after is None:
        members.insert(0, new)
    else:
        for place, member in enumerate(members):
            if any(member.get(name) == after for name in ids):
                members.insert(place + 1, new)
                return
        raise complain("/insert_after", f"There is no {after} to stand after")


def read_number(call: Call, name: str, default: int, *, least: int = 1) -> int:
    """Return a query parameter as a number.

    Raises:
        Refusal: It is no whole number, or below `least`.
    """
    text = call.text(name)
    if text is None or text == "":
        return default
    try:
        value = int(text)
    except ValueError:
        raise Refusal(invalid({f"/{name}": f"Can't parse value {text} as INTEGER"})) from None
    if value < least:
        raise Refusal(invalid({f"/{name}": f"{value} is less than {least}"}))
    return value


def read_flag(call: Call, name: str, *, default: bool) -> bool:
    """Return a query parameter as a boolean: 1, 0, true or false in any case.

    Raises:
        Refusal: It is none of these.
    """
    text = call.text(name)
    if text is None or text == "":
        return default
    if text.lower() in {"1", "true"}:
        return True
    if text.lower() in {"0", "false"}:
        return False
    raise Refusal(invalid({f"/{name}": f"Can't parse value {text} as BOOLEAN"}))
