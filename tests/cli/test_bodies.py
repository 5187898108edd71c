"""`call --body`: what Python sends as drafts and arguments can be written as the vendor's own JSON."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from nimble_async.cli.arguments import arguments_of, bind, read_as
from nimble_async.cli.call import body_of, consent
from nimble_async.cli.exits import UsageError
from nimble_async.cli.vendors import method_of
from nimble_async.errors import DraftRefused
from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.nimble.models.deal_drafts import DealDraft
from nimble_async.nimble.models.deal_files import AzureFile, ExternalFile
from nimble_async.nimble.models.metadata import (
    BooleanType,
    DateTimePresentation,
    IntegerPresentation,
    NewFieldType,
    NumberType,
    Presentation,
)
from nimble_async.nimble.models.pipeline_drafts import DealFieldDraft, DealGroupDraft, DealStageDraft
from tests.nimble.calls import CALLS
from tests.nimble.recorded import Recorder, client, least_answer


async def sent_by(name: str, call: Any) -> Any:
    wire = Recorder(lambda _: least_answer(OPERATIONS[name]))
    async with client(wire) as nimble:
        await call(nimble)
    return wire.sent[0].body


def given_by(name: str, text: str) -> dict[str, Any]:
    operation = OPERATIONS[name]
    return body_of(text, arguments_of(method_of(operation)), operation)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if OPERATIONS[name].method in {"POST", "PUT"}])
async def test_a_body_in_the_vendors_words_arrives_as_it_is(name):
    """The JSON that a method sends, given as `--body`, makes the method send the same JSON."""
    body = await sent_by(name, CALLS[name][0])
    if not body:
        return
    resource, _, verb = name.partition(".")
    slots = OPERATIONS[name].slots
    # Ids that stand in the path and in the body are given once.
    given = given_by(name, msgspec.json.encode({k: v for k, v in body.items() if k not in slots}).decode())
    ids = {slot: "{" + slot + "}" for slot in slots}
    extra = {"replace": True} if name == "contacts.update" else {}
    again = await sent_by(
        name, lambda nimble: getattr(getattr(nimble, resource), verb)(**ids, **given, **extra)
    )
    assert again == body


def test_amounts_keep_their_digits():
    """A number of a body is read digit by digit where the draft takes money."""
    text = '{"name": "x", "pipeline_id": "p", "stage_id": "s", "amount": 12345678901234567.89}'
    assert given_by("deals.create", text)["draft"].amount == Decimal("12345678901234567.89")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("deals.create", "{", "no JSON"),
        ("deals.create", "[]", "Expected `object`"),
        ("deals.create", '{"pipeline_id": "p"}', "needs stage_id"),
        ("deals.create", '{"pipeline_id": "p", "stage_id": 5}', "stage_id: Expected `str"),
        ("deals.create", '{"pipelin_id": "p"}', "Did you mean 'pipeline_id'"),
        ("deals.create", '{"zzz": "p"}', "It has name, amount"),
        ("deal_notes.create", '{"headline": "p"}', "It has title, body"),
        ("deal_notes.create", '{"title": 5}', "title: Expected `str"),
        ("deal_notes.create", '["x"]', "Expected `object`"),
        ("deals.get", "{}", "sends no body"),
        ("deals.delete", "{}", "sends no body"),
        ("deal_pipelines.archive", "{}", "sends no body"),
    ],
)
def test_bodies_that_do_not_fit(name, text, words):
    """What is wrong with a body is the user's, and says which member."""
    with pytest.raises(UsageError) as caught:
        given_by(name, text)
    assert words in str(caught.value)


def test_values_the_vendor_would_refuse():
    """A draft in a body is checked like one in Python."""
    with pytest.raises(DraftRefused, match="ISO 4217"):
        given_by("deals.create", '{"name": "x", "pipeline_id": "p", "stage_id": "s", "currency": "E"}')


def test_a_body_may_come_from_elsewhere(tmp_path, monkeypatch):
    """A body is text, a file, or stdin."""
    path = tmp_path / "body.json"
    path.write_text('{"title": "t"}', "utf-8")
    assert given_by("deal_notes.create", f"@{path}") == {"title": "t"}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"title": "t", "body": null}')))
    assert given_by("deal_notes.update", "-") == {"title": "t", "body": None}
    with pytest.raises(UsageError, match="cannot be read"):
        given_by("deal_notes.create", f"@{tmp_path / 'none.json'}")


def test_a_free_body_is_anything():
    """Where nobody knows what is sent, any JSON is."""
    assert given_by("files.azure_upload", '["x", 1]') == {"body": ["x", 1]}


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (NewFieldType, '{"field_kind": "number"}', NumberType()),
        (Presentation | None, '{"number_type": "integer"}', IntegerPresentation()),
        (Presentation | None, '{"date_format": null}', DateTimePresentation(date_format=None)),
        (Presentation | Mapping[str, Any], '{"number_type": "odd"}', {"number_type": "odd"}),
        (Presentation | None, "null", None),
        (AzureFile | ExternalFile, '{"data_id": "x"}', AzureFile(data_id="x")),
        (DealStageDraft, '{"name": "s"}', DealStageDraft(name="s")),
        (list[DealStageDraft], '[{"name": "s"}]', [DealStageDraft(name="s")]),
        (Sequence[DealStageDraft] | msgspec.UnsetType, "[]", []),
        (
            tuple[DealFieldDraft | DealGroupDraft, ...],
            '[{"name": "s", "field_type": {"field_kind": "boolean"}}, {"fields": []}]',
            [DealFieldDraft(name="s", field_type=BooleanType()), DealGroupDraft(fields=[])],
        ),
        (dict[str, Any] | None, '{"a": [{}]}', {"a": [{}]}),
        (DealDraft | None, "null", None),
        (str | None, "null", None),
        (int | float, "1.5", 1.5),
    ],
)
def test_json_becomes_what_a_method_takes(annotation, text, value):
    """Records are read as the kind that their tag or their members tell of, in lists too."""
    assert read_as(annotation, text, "x") == value


@pytest.mark.parametrize(
    ("annotation", "text", "words"),
    [
        (
            Presentation | None,
            '{"number_type": "odd"}',
            "There are: number_type=integer; number_type=decimal",
        ),
        (Presentation, '{"number_type": "decimal", "digits": 1}', "x has no member 'digits'"),
        (NewFieldType, '{"field_kind": "attachment"}', "field_kind=long_string"),
        (AzureFile | ExternalFile, '{"source": "dropbox"}', "data_id [source]; source file_url icon_url"),
        (
            list[DealStageDraft],
            '[{"name": "s"}, {"names": "t"}]',
            "x/1 has no member 'names'. Did you mean 'name'?",
        ),
        (list[DealFieldDraft], '[{"name": "s"}]', "x/0 needs field_type"),
        (Sequence[DealFieldDraft | DealGroupDraft], '[{"name": "s"}]', "x/0 is of no kind that is known"),
        (Sequence[DealFieldDraft | DealGroupDraft], "5", "x is no list."),
        (Presentation, "5", "x is no object."),
    ],
)
def test_json_of_no_kind(annotation, text, words):
    """What fits no kind of record, or only nearly, is refused, and the line says what there is."""
    with pytest.raises(UsageError) as caught:
        read_as(annotation, text, "x")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("annotation", "text", "words"),
    [
        (AzureFile | ExternalFile, '{"data_id": ""}', "data_id is empty"),
        (Sequence[DealStageDraft], '[{"default_probability": 101}]', "from 0 to 100"),
    ],
)
def test_records_of_several_kinds_are_checked(annotation, text, words):
    """A record that could have been of another kind, or stands in a list, is checked like one in Python."""
    with pytest.raises(DraftRefused, match=words):
        read_as(annotation, text, "x")


def test_fields_of_a_new_pipeline_are_checked():
    """The fields and groups of a pipeline's body are read one by one."""
    pipeline = {"name": "p", "description": "", "color": "#fff", "default_currency": "EUR"}
    field = {"name": "f", "field_type": {"field_kind": "number"}}

    def given_with(presentation: dict[str, str]) -> Any:
        group = {"group_name": "g", "fields": [{**field, "presentation": presentation}]}
        body = msgspec.json.encode({**pipeline, "fields_tab_members": [group]}).decode()
        return given_by("deal_pipelines.create", body)["draft"]

    draft = given_with({"number_type": "integer"})
    assert draft.fields_tab_members[0].fields[0].presentation == IntegerPresentation()
    with pytest.raises(UsageError, match="fields_tab_members/0: fields/0: presentation is of no kind"):
        given_with({"number_type": "odd"})


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("p --expected-days 3", {"pipeline_id": "p", "expected_days": 3}),
        ("p --default-probability 12.5", {"pipeline_id": "p", "default_probability": 12.5}),
        ("p --insert-after s", {"pipeline_id": "p", "insert_after": "s"}),
    ],
)
def test_numbers_with_a_fraction(words, found):
    """A method that takes floats takes them on the command line."""
    takes = arguments_of(method_of(OPERATIONS["deal_stages.create"]))
    assert bind(words.split(), takes, operation="deal_stages.create") == found
    with pytest.raises(UsageError, match="must be a number, not 'x'"):
        bind(["p", "--expected-days", "x"], takes, operation="deal_stages.create")


def test_records_stand_as_json_on_the_command_line():
    """An argument that is a record, or a list of them, is written as JSON."""
    takes = arguments_of(method_of(OPERATIONS["deal_pipeline_choices.create"]))
    found = bind(["p", "f", "--choice", '{"id":"1","value":"L"}'], takes, operation="x")
    assert msgspec.to_builtins(found["choice"]) == {"id": "1", "value": "L"}
    takes = arguments_of(method_of(OPERATIONS["deal_pipeline_groups.create"]))
    assert {one.name: one.kind for one in takes}["fields"] == "json"


def test_classes_are_not_offered():
    """What cannot be written on a command line is no argument of it."""
    takes = {one.name for one in arguments_of(method_of(OPERATIONS["contacts.list"]))}
    assert "view" not in takes
    assert "sort" in takes


@pytest.mark.parametrize("name", [name for name in OPERATIONS if OPERATIONS[name].destructive])
def test_what_destroys_wants_a_yes(name):
    """Without a terminal to ask at, what deletes or overwrites is refused unless `--yes` is said."""
    with pytest.raises(UsageError, match="Say --yes"):
        consent(OPERATIONS[name], yes=False)
    consent(OPERATIONS[name], yes=True)


def test_replacing_whole_fields_wants_a_yes():
    """`contacts.update` extends, which nobody is asked about; with `--replace` it overwrites whole fields."""
    update = OPERATIONS["contacts.update"]
    consent(update, yes=False)
    with pytest.raises(UsageError, match=r"contacts\.update --replace .* Say --yes"):
        consent(update, yes=False, arguments={"replace": True})
