"""Values of contact fields that a request sends: what the vendor refuses, and what it keeps.

Rule: `checked_fields` says what is wrong with each field, under its name; nothing is changed here.
"""

from __future__ import annotations

import ast
import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any

import msgspec

from nimble_async.testing.nimble.account import Account

__all__ = ["Values", "checked_fields", "dictionary", "kept_value"]

Values = dict[str, list[dict[str, Any]]]
"""Field name -> values; an empty list clears the field."""

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+){1,2}", re.IGNORECASE)
_BIRTHDAY = re.compile(r"(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])(/[1-9]\d{3})?")
_LEAP_YEAR = 2024
_MONTH = re.compile(r"(0[1-9]|1[0-2])/\d{4}")


def checked_fields(account: Account, sent: Mapping[str, Any], kind: str) -> tuple[Values, dict[str, str]]:
    """Return the values that a request sends for a contact of a record type, and its complaints by field."""
    values: Values = {}
    complaints: dict[str, str] = {}
    fields = account.fields()
    for name, given in sent.items():
        field = fields.get(name)
        if field is None:
            complaints[name] = f"Field with name {name} does not exist"
            continue
        items = _items(given)
        if items is None:
            complaints[name] = "must be a list of values"
            continue
        wrong = _wrong(field, items, kind)
        if wrong is not None:
            complaints[name] = wrong
        values[name] = [kept_value(field, item) for item in items]
    return values, complaints


def kept_value(field: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value as it is kept and shown: everything that was sent, and what the field adds."""
    value = sent["value"]
    return {
        **sent,
        "value": str(value).lower() if isinstance(value, bool) else str(value),
        "modifier": sent.get("modifier") or "",
        "label": field["name"],
        "field_id": field["field_id"],
    }


def _items(given: object) -> list[dict[str, Any]] | None:
    """Return the values that were sent; null in any place clears. None where it is no list of values."""
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        return None
    if not all(isinstance(item.get("modifier", ""), str | None) for item in given):
        return None
    return [item for item in given if item.get("value") not in {None, ""}] if _plain(given) else None


def _plain(given: list[dict[str, Any]]) -> bool:
    return all(isinstance(item.get("value"), str | int | float | None) for item in given)


def _wrong(field: Mapping[str, Any], items: list[dict[str, Any]], kind: str) -> str | None:
    if not field["multiples"] and len(items) > 1:
        return "can have one value only"
    for item in items:
        wrong = _wrong_value(field, str(item["value"]), kind)
        if wrong is not None:
            return wrong
    return None


def _wrong_value(field: Mapping[str, Any], text: str, kind: str) -> str | None:
    """Return what is wrong with one value of a field, or None."""
    if field["name"] == "domain" and kind != "company":
        return "Domain can be assigned to companies only"
    if field["name"] == "domain":
        return None if _DOMAIN.fullmatch(text) else f"{text} is not a valid domain name"
    if field["name"] == "birthday":
        return None if _is_day(text) else f"{text} is not a valid date: MM/DD/YYYY or MM/DD"
    return _wrong_kind(field["field_type"], text)


def _is_day(text: str) -> bool:
    if _BIRTHDAY.fullmatch(text) is None:
        return False
    month, day, *year = map(int, text.split("/"))
    # Without a year it may be any, so the 29th of February too.
    return 1 <= day <= monthrange(year[0] if year else _LEAP_YEAR, month)[1]


def _wrong_kind(field_type: Mapping[str, Any], text: str) -> str | None:
    field_kind = field_type["field_kind"]
    if field_kind == "choice":
        known = {one["id"] for one in field_type["values"]["values"]}
        return None if text in known else f"{text} is not one of the choices"
    if field_kind in {"number", "datetime", "boolean"}:
        return None if _reads(field_kind, text) else f"Can't parse value {text} as {field_kind.upper()}"
    if field_kind == "address":
        return None if dictionary(text) is not None else "Address must be a JSON object"
    return _wrong_employment(dictionary(text)) if field_kind == "employment" else None


def _reads(kind: str, text: str) -> bool:
    if kind == "boolean":
        return text.lower() in {"true", "false"}
    try:
        if kind == "number":
            return isfinite(float(text))
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def dictionary(text: str) -> dict[str, Any] | None:
    """Read an address or employment: JSON, or what Python writes for a dictionary; None for neither."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        try:
            found = ast.literal_eval(text) if text.startswith("{") else None
        except (ValueError, SyntaxError):
            return None
    return found if isinstance(found, dict) else None


def _wrong_employment(job: dict[str, Any] | None) -> str | None:
    if job is None or not (job.get("company_name") or job.get("title")):
        return "At least one of company_name or title must be given"
    start, end = job.get("start_date"), job.get("end_date")
    if any(month and not _MONTH.fullmatch(month) for month in (start, end)):
        return "Dates of an employment are MM/YYYY"
    if end and job.get("is_present"):
        return "end_date can't be given for a present employment"
    if start and end and start[3:] + start[:2] > end[3:] + end[:2]:
        return "start_date must be before end_date"
    return None
