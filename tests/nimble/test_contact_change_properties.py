"""Update after get: whatever the server sent is there after the update, but for what was to change."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from nimble_async._sansio.record import read_record
from nimble_async.nimble.models.contact_changes import ContactChange, ContactPatch
from nimble_async.nimble.models.contacts import Contact

NAMES = st.sampled_from(["email", "phone", "lead status", "π", "a,b"])
MODIFIERS = st.sampled_from(["", "work", "home"])
TEXT = st.text(min_size=1, max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
VALUE = st.builds(
    lambda value, modifier, known, unknown: {**unknown, **known, "value": value, "modifier": modifier},
    TEXT,
    MODIFIERS,
    st.fixed_dictionaries(
        {},
        optional={
            "label": TEXT, "field_id": TEXT, "is_primary": st.booleans(), "extra_value": TEXT,
            "group": TEXT, "user_id": TEXT,
        },
    ),
    st.dictionaries(st.sampled_from(["weight", "x-new"]), JSON, max_size=2),
)  # fmt: skip
FIELDS = st.dictionaries(NAMES, st.lists(VALUE, min_size=1, max_size=4), max_size=4)
STEPS = st.lists(
    st.tuples(st.sampled_from(["set", "add", "remove"]), NAMES, TEXT, st.none() | MODIFIERS), max_size=5
)


def replaced(fields: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Do what the vendor does with `type=1`: a field has what was sent, and a null value is none."""
    after = copy.deepcopy(fields)
    for name, values in sent.items():
        after[name] = [one for one in values if one["value"] is not None]
    return {name: values for name, values in after.items() if values}


def extended(fields: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Do what the vendor does otherwise: a value takes the place of those with its modifier."""
    after = copy.deepcopy(fields)
    for name, values in sent.items():
        for one in values:
            others = [old for old in after.get(name, []) if old["modifier"] != one["modifier"]]
            after[name] = others + ([one] if one["value"] is not None else [])
    return {name: values for name, values in after.items() if values}


def sent_by(patch: ContactPatch) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(patch))
    found: dict[str, Any] = body.get("fields", {})
    return found


def stepped(change: ContactChange, expected: dict[str, Any], step: Any) -> ContactChange:
    """Take one step with the library, and the same with plain lists."""
    what, name, text, modifier = step
    values = expected.setdefault(name, [])
    default = {"email": "work", "phone": "work"}.get(name, "")
    if what == "set":
        found = [one for one in values if modifier in {None, one["modifier"]}]
        primary = [one for one in found if one.get("is_primary") is True]
        if found:
            (primary or found)[0]["value"] = text
        else:
            values.append({"value": text, "modifier": default if modifier is None else modifier})
        return change.set(name, text, modifier)
    if what == "add":
        values.append({"value": text, "modifier": default if modifier is None else modifier})
        return change.add(name, text, modifier)
    kept = [one for one in values if modifier not in {None, one["modifier"]}]
    if len(kept) == len(values):
        return change
    expected[name] = kept
    return change.remove(name, modifier=modifier)


@given(FIELDS, STEPS)
@settings(max_examples=200, deadline=None)
def test_an_update_after_a_get_loses_nothing(fields, steps):
    """After get, changes and update, the contact has every value and member it had, but for the changes."""
    contact = read_record(Contact, msgspec.json.encode({"id": "c", "fields": fields}))
    expected = copy.deepcopy(fields)
    change = contact.change()
    for step in steps:
        change = stepped(change, expected, step)
    after = replaced(fields, sent_by(change))
    assert after == {name: values for name, values in expected.items() if values}


@given(FIELDS, st.lists(st.tuples(NAMES, TEXT, MODIFIERS), max_size=4))
@settings(max_examples=100, deadline=None)
def test_a_patch_by_hand_leaves_other_modifiers(fields, given_values):
    """A patch written by hand takes nothing from the values of other modifiers, nor from other fields."""
    patch = ContactPatch()
    for name, text, modifier in given_values:
        patch = patch.field(name, text, modifier)
    after = extended(fields, sent_by(patch))
    touched = {(name, modifier) for name, _, modifier in given_values}
    for name, values in fields.items():
        kept = [one for one in values if (name, one["modifier"]) not in touched]
        assert [one for one in after.get(name, []) if (name, one["modifier"]) not in touched] == kept
    for name, text, modifier in {
        (name, modifier): (name, text, modifier) for name, text, modifier in given_values
    }.values():
        assert text in [one["value"] for one in after[name] if one["modifier"] == modifier]


@given(FIELDS)
@settings(max_examples=50, deadline=None)
def test_an_untouched_value_goes_back_byte_for_byte(fields):
    """What a change does not touch is not decoded on its way back."""
    contact = read_record(Contact, msgspec.json.encode({"id": "c", "fields": fields}))
    change = contact.change()
    for name in fields:
        change = change.add(name, "x")
    body = msgspec.json.encode(change)
    for values in fields.values():
        for one in values:
            assert msgspec.json.encode(one) in body
