"""Typed views: the module that is written, and the values its fields read and write."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nimble_async._sansio.record import read_record
from nimble_async.errors import DraftRefused
from nimble_async.nimble.fieldtypes import generate_view
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.fields import Address
from nimble_async.nimble.models.metadata import FieldTab
from nimble_async.nimble.models.typed import (
    AddressField,
    BooleanField,
    ChoiceField,
    DateField,
    DecimalField,
    IntegerField,
    MomentField,
    TextField,
)
from tests.nimble.recorded import Recorder, client


def field(
    name: str, kind: str, *, modifier: str = "", multiples: bool = False, **more: Any
) -> dict[str, Any]:
    presentation = more.pop("presentation", None)
    return {
        "type": "field", "field_id": f"id {name}{modifier}", "name": name, "modifier": modifier,
        "multiples": multiples, "field_type": {"field_kind": kind, **more}, "presentation": presentation,
    }  # fmt: skip


def choices(*labels: str) -> dict[str, Any]:
    return {"values": [{"id": str(place), "value": label} for place, label in enumerate(labels, 1)]}


def tab(*fields: dict[str, Any]) -> FieldTab:
    row = {"tab_id": "t", "members": [{"type": "group", "group_id": "g", "fields": list(fields)}]}
    return read_record(FieldTab, msgspec.json.encode(row))


ACCOUNT = (
    field("first name", "string"),
    field("phone", "string", modifier="work", multiples=True),
    field("phone", "string", modifier="home fax", multiples=True),
    field("lead status", "choice", values=choices("Open", 'He said "no"\n\\')),
    field("seats", "number", presentation={"number_type": "integer"}),
    field("price €", "number", presentation={"number_type": "financial", "currency": "EUR"}),
    field("since", "datetime", presentation={"date_format": None, "ignore_specific_time": True}),
    field("Seen at", "datetime", presentation={"date_format": None, "ignore_specific_time": False}),
    field("# of cars", "string"),
    field("class", "boolean"),
    field("Größe", "string"),
    field("2nd home", "address"),
    field("tags", "string", multiples=True),
    field("due dates", "datetime", multiples=True, presentation={"date_format": "%d.%m.%Y"}),
    field("class!", "rating"),
    field("", "string"),
    field("seats", "string"),
    field("kids", "string", modifier="old"),
    field("kids", "string", modifier="young"),
    field("costs", "number", multiples=True),
    field("sites", "address", multiples=True),
    field("moved", "datetime"),
    field("\N{AEGEAN NUMBER ONE}", "string"),
)


def imported(text: str, path: Path) -> ModuleType:
    """Write a module and import it, warnings being errors."""
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def attributes(text: str) -> list[str]:
    [view] = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    return [node.target.id for node in view.body if isinstance(node, ast.AnnAssign)]  # type: ignore[union-attr]


def test_names_are_made_safe():
    """Each field has an attribute: an identifier that hides nothing and no other field."""
    assert attributes(generate_view([tab(*ACCOUNT)])) == [
        "phone_work", "phone_home_fax", "lead_status", "seats", "price", "since", "seen_at",
        "number_of_cars", "field_class", "größe", "field_2nd_home", "tags_2", "due_dates", "field_class_2",
        "kids", "kids_old", "kids_young", "costs", "sites", "moved", "field_2",
    ]  # fmt: skip


def test_a_view_reads_values_as_what_they_are(tmp_path):
    """On a contact each attribute is a value of its type; what is not of the type is None, not an error."""
    view = imported(generate_view([tab(*ACCOUNT)]), tmp_path / "view_reads.py").MyContact
    fields = {
        "phone": [{"value": "1", "modifier": "work"}, {"value": "2", "modifier": "home fax"}],
        "lead status": [{"value": "1"}],
        "seats": [{"value": "3"}],
        "price €": [{"value": "12.50"}],
        "since": [{"value": "2026-01-02T00:00:00Z"}],
        "Seen at": [{"value": "soon"}],
        "class": [{"value": "yes"}],
        "2nd home": [{"value": '{"city":"Oslo"}'}],
        "due dates": [{"value": "2026-01-02"}, {"value": "later"}, {"value": "2026-01-03"}],
        "kids": [{"value": "Jo", "modifier": "old"}, {"value": "Al", "modifier": "young"}],
        "costs": [{"value": "1.5"}, {"value": ""}],
        "moved": [{"value": "2026-01-02T03:04:05Z"}],
    }
    one = read_record(view, msgspec.json.encode({"id": "c", "fields": fields}))
    assert (one.phone_work, one.phone_home_fax, one.phone) == ("1", "2", "1")
    assert (one.lead_status, one.seats, one.price) == ("Open", 3, Decimal("12.50"))
    assert (one.since, one.seen_at, one.field_class) == (date(2026, 1, 2), None, True)
    assert one.field_2nd_home.city == "Oslo"
    assert one.due_dates == (date(2026, 1, 2), date(2026, 1, 3))
    assert (one.kids, one.kids_young, one.costs, one.sites) == ("Jo", "Al", (Decimal("1.5"),), ())
    assert one.moved == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (one.tags_2, one.größe) == ((), None)
    assert (dict(one.unread), one.unknown) == ({}, {})


def test_a_view_writes_what_the_vendor_stores(tmp_path):
    """On the class each attribute is the field: drafts and changes take it, and write ids and texts."""
    view = imported(generate_view([tab(*ACCOUNT)]), tmp_path / "view_writes.py").MyContact
    draft = ContactDraft.person(first_name="A").field(view.lead_status, 'He said "no"\n\\')
    draft = draft.field(view.phone_work, "1").field(view.due_dates, date(2026, 1, 2))
    assert draft.fields["lead status"] == [{"value": "2", "modifier": ""}]
    assert draft.fields["phone"] == [{"value": "1", "modifier": "work"}]
    assert draft.fields["due dates"] == [{"value": "2026-01-02", "modifier": ""}]
    with pytest.raises(DraftRefused, match="no choice"):
        draft.field(view.lead_status, "Maybe")


async def test_a_list_yields_the_view(tmp_path):
    """`contacts.list(view=...)` yields the class; a contact at hand can be read as one."""
    view = imported(generate_view([tab(*ACCOUNT)], view="Ours"), tmp_path / "view_list.py").Ours
    row = {"id": "c", "fields": {"seats": [{"value": "3"}]}}
    crm = client(Recorder(lambda sent: {"meta": {"pages": 1}, "resources": [row]}))
    [one] = [contact async for contact in crm.contacts.list(view=view)]
    assert (type(one), one.seats) == (view, 3)
    plain = await crm.contacts.list().first()
    assert type(plain) is Contact
    assert view.of(plain).seats == 3


@pytest.mark.parametrize("name", ["", "1", "a b", "class", "Contact", "date"])
def test_the_class_has_a_usable_name(name):
    """A name that is no identifier, or that hides a type of the module, is refused."""
    with pytest.raises(ValueError, match="no name of a class"):
        generate_view([], view=name)


def test_an_account_without_fields_makes_a_view_too(tmp_path):
    """No field, no attribute, and nothing imported that is not used."""
    text = generate_view([])
    assert issubclass(imported(text, tmp_path / "view_empty.py").MyContact, Contact)
    assert "typing" not in text


def test_the_view_passes_the_type_checker(tmp_path):
    """What is written is clean under mypy --strict, and wrong values of fields are found by it."""
    (tmp_path / "ours.py").write_text(generate_view([tab(*ACCOUNT)]), "utf-8")
    (tmp_path / "use.py").write_text(
        "from datetime import date\n"
        "from decimal import Decimal\n"
        "from typing import Literal, assert_type\n"
        "from nimble_async.nimble.models.contact_drafts import ContactDraft\n"
        "from ours import MyContact\n"
        "def use(one: MyContact, draft: ContactDraft) -> None:\n"
        "    assert_type(one.seats, int | None)\n"
        "    assert_type(one.price, Decimal | None)\n"
        "    assert_type(one.due_dates, tuple[date, ...])\n"
        "    draft.field(MyContact.since, date(2026, 1, 2)).field(MyContact.lead_status, 'Open')\n"
        "    draft.field(MyContact.lead_status, 'Wide')\n"
        "    draft.field(MyContact.seats, 'three')\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "ours.py", "use.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    lines = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [line.partition(":")[0] for line in lines] == ["use.py", "use.py"], done.stdout
    assert {line.split(":")[1] for line in lines} == {"11", "12"}


NAME = st.text(min_size=1, max_size=12)


@given(st.lists(st.tuples(NAME, NAME, st.booleans()), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_name_and_any_label_make_a_module(rows: Iterable[tuple[str, str, bool]]):
    """Names and labels are text of other people's: whatever they hold, the module is code of ours only."""
    fields = [field(name, "choice", multiples=many, values=choices(label)) for name, label, many in rows]
    text = generate_view([tab(*fields)])
    module = ModuleType("generated")
    exec(compile(text, "generated", "exec", dont_inherit=True), module.__dict__)
    view = module.__dict__["MyContact"]
    names = attributes(text)
    assert len(set(names)) == len(names) == len({name for name, _, _ in rows} - {""} - OWN)
    by_name = {getattr(view, one).name: getattr(view, one) for one in names}
    labels: dict[str, str] = {}
    for name, label, _ in rows:
        labels.setdefault(name, label)
    assert {name: made.ids["1"] for name, made in by_name.items()} == {
        name: label for name, label in labels.items() if name not in OWN
    }


OWN = {
    "URL", "address", "company name", "contact employment", "description", "email", "first name",
    "last name", "middle name", "parent company", "phone", "title",
}  # fmt: skip


@pytest.mark.parametrize(
    ("made", "text", "value", "written"),
    [
        (TextField("f"), "a", "a", "a"),
        (IntegerField("f"), "3", 3, "3"),
        (IntegerField("f"), "3.0", 3, "3"),
        (IntegerField("f"), "3.5", None, None),
        (IntegerField("f"), "three", None, None),
        (DecimalField("f"), " 1.10 ", Decimal("1.10"), "1.10"),
        (DecimalField("f"), "1E+2", Decimal("1E+2"), "100"),
        (DecimalField("f"), "nan", None, None),
        (DateField("f"), "2026-01-02", date(2026, 1, 2), "2026-01-02"),
        (DateField("f"), "2026-01-02T23:00:00+0300", date(2026, 1, 2), "2026-01-02"),
        (DateField("f"), "02/01/2026", None, None),
        (
            MomentField("f"),
            "2026-01-02T03:04:05Z",
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "2026-01-02T03:04:05+00:00",
        ),
        (MomentField("f"), "", None, None),
        (BooleanField("f"), "TRUE", True, "true"),
        (BooleanField("f"), "0", False, "false"),
        (BooleanField("f"), "maybe", None, None),
        (
            AddressField("f"),
            '{"city":"Oslo"}',
            Address(city="Oslo", text='{"city":"Oslo"}'),
            '{"city":"Oslo"}',
        ),
        (ChoiceField("f", {"1": "Open"}), "1", "Open", "1"),
        (ChoiceField("f", {"1": "Open"}), "Open", "Open", "1"),
        (ChoiceField("f", {"1": "Open"}), "9", None, None),
    ],
)
def test_texts_are_converted_both_ways(made, text, value, written):
    """A text of the vendor's becomes a value and back; one that is not of the type becomes None."""
    assert made.read(text) == value
    if value is not None:
        assert made.write(value) == written


def test_a_day_is_written_of_a_moment_too():
    """A field of days takes a moment as its day, and shows its name."""
    assert DateField("f").write(datetime(2026, 1, 2, 3, tzinfo=UTC)) == "2026-01-02"
    assert repr(DateField("f")) == "DateField('f')"
    with pytest.raises(DraftRefused, match="finite"):
        DecimalField("f").write(Decimal("inf"))
