from __future__ import annotations

import copy
import gc
import pickle
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw, UnsetType, field

from nimble_async._sansio.record import DecodingReport, Id, Member, Record, read_record, row_reader, touched
from nimble_async.errors import MalformedResponse


class Pet(Record, frozen=True, kw_only=True):
    """A small record with every kind of member."""

    id: str
    name: str | UnsetType | None = UNSET
    born: datetime | UnsetType | None = field(name="date_of_birth", default=UNSET)
    toys: ClassVar[Member[dict[str, int]]] = Member(dict[str, int])
    toy_bytes: ClassVar[Member[dict[str, Raw]]] = Member(
        dict[str, Raw], name="toys", rescue=lambda _: ({}, {})
    )
    weight: ClassVar[Member[int]] = Member(int, name="weight_in_grams")
    tags: ClassVar[Member[tuple[str, ...]]] = Member(list[str], then=tuple)
    habits: ClassVar[Member[str]] = Member(str, rescue=lambda data: ("some", {"habits/0": data}))


class Owner(Record, frozen=True, kw_only=True):
    """A record that holds records."""

    id: str
    pet: ClassVar[Member[Pet]] = Member.of(Pet)
    pets: ClassVar[Member[tuple[Pet, ...]]] = Member.each(Pet)


def encoded(**members: Any) -> bytes:
    return msgspec.json.encode(members)


def test_record_reads_declared_and_lazy_members():
    """Declared members are read at once, a Member from the bytes when it is asked for."""
    pet = read_record(Pet, encoded(id="1", name="Rex", toys={"ball": 2}, weight_in_grams=9, tags=["a"]))
    assert (pet.id, pet.name, pet.toys, pet.weight, pet.tags) == ("1", "Rex", {"ball": 2}, 9, ("a",))
    assert pet.toys is pet.toys


def test_record_keeps_absent_and_null_apart():
    """What is absent is UNSET, what is null is None, for declared and lazy members alike."""
    absent, null = (
        read_record(Pet, b'{"id":"1"}'),
        read_record(Pet, b'{"id":"1","name":null,"toys":null,"tags":null}'),
    )
    assert (absent.name, absent.toys, absent.tags) == (UNSET, UNSET, UNSET)
    assert (null.name, null.toys, null.tags) == (None, None, None)


@pytest.mark.parametrize(
    ("row", "attribute", "wire", "data"),
    [
        (b'{"id":"1","name":5}', "name", "name", b"5"),
        (b'{"id":"1","date_of_birth":"soon"}', "born", "date_of_birth", b'"soon"'),
        (b'{"id":"1","name":"\xff"}', "name", "name", b'"\xff"'),
        (b'{"id":"1","toys":[1]}', "toys", "toys", b"[1]"),
        (b'{"id":"1","weight_in_grams":"much"}', "weight", "weight_in_grams", b'"much"'),
        (b'{"id":"1","tags":{}}', "tags", "tags", b"{}"),
    ],
)
def test_wrong_type_is_unset_and_unread(row, attribute, wire, data):
    """A member of the wrong type is UNSET, its bytes are in `unread`, and it is told once."""
    told: list[str] = []
    pet = read_record(Pet, row, noticed=told.append)
    assert getattr(pet, attribute) is UNSET
    assert dict(pet.unread) == {wire: data}
    assert told == [f"Pet.{attribute}"]
    assert pet.id == "1"


def test_unread_finds_members_nobody_asked_for():
    """`unread` reads the lazy members too before it answers."""
    assert set(read_record(Pet, b'{"id":"1","toys":1,"tags":2,"name":3}').unread) == {"toys", "tags", "name"}


def test_rescue_saves_a_part():
    """A Member with a rescue keeps what could be read and puts the rest into `unread` by path."""
    told: list[str] = []
    pet = read_record(Pet, b'{"id":"1","habits":[1]}', noticed=told.append)
    assert (pet.habits, dict(pet.unread), told) == ("some", {"habits/0": b"[1]"}, ["Pet.habits"])


@pytest.mark.parametrize(
    "row",
    [
        b"",
        b"null",
        b"[]",
        b'"1"',
        b"{",
        b"{}",
        b'{"id":null}',
        b'{"id":1}',
        b'{"id":"\xff"}',
        b'{"ID":"1"}',
        b"[" * 5000,
    ],
)
def test_row_without_usable_id_is_rejected(row):
    """A row that is no object or has no usable id raises MalformedResponse with the row as its body."""
    told: list[str] = []
    with pytest.raises(MalformedResponse) as caught:
        read_record(Pet, row, noticed=told.append)
    assert caught.value.body == row
    assert told == []


def test_unknown_members_are_reachable():
    """What the model does not name is in `unknown`, decoded, or as bytes where that fails."""
    pet = read_record(Pet, b'{"id":"1","date_of_birth":null,"toys":{},"color":["red"],"odd":"\xff"}')
    assert pet.unknown == {"color": ["red"], "odd": b'"\xff"'}


def test_as_dict_is_the_whole_row():
    """`as_dict` has every member by the server's name, known or not, of whatever type, anew at each call."""
    row = b'{"id":"1","date_of_birth":"soon","toys":{"a":1},"color":null,"odd":"\xff","\xff":[2]}'
    pet = read_record(Pet, row)
    whole = {
        "id": "1",
        "date_of_birth": "soon",
        "toys": {"a": 1},
        "color": None,
        "odd": b'"\xff"',
        "\udcff": [2],
    }
    assert pet.as_dict() == whole
    assert pet.as_dict() is not pet.as_dict()
    assert Pet(id="1", name="Rex").as_dict() == {"id": "1", "name": "Rex"}


def test_raw_is_what_the_server_sent():
    """`raw` is the row's bytes, spaces and order included."""
    row = b'{ "zeta": 1.10, "id":"1" }'
    assert read_record(Pet, row).raw == row
    assert read_record(Pet, Raw(row)).raw == row


def test_record_survives_pickle_and_copy():
    """A record pickles by its bytes, and its copies are itself."""
    pet = read_record(Pet, b'{"id":"1","toys":{"a":1},"color":"red","name":4}')
    back = pickle.loads(pickle.dumps(pet))
    assert back == pet
    assert (back.toys, back.unknown, back.unread) == (pet.toys, pet.unknown, pet.unread)
    assert copy.copy(pet) is pet
    assert copy.deepcopy([pet])[0] is pet


def test_equality_is_by_content():
    """Equal content makes equal records with one hash; unknown members count, order does not."""
    one, other = read_record(Pet, b'{"id":"1","x":2}'), read_record(Pet, b'{"x":2, "id":"1"}')
    assert one == other
    assert not one != other  # noqa: SIM202 (the other operator is what is tested)
    assert hash(one) == hash(other)
    assert one != read_record(Pet, b'{"id":"1","x":3}')
    assert one != read_record(Owner, b'{"id":"1","x":2}')
    assert one != "1"
    assert {one, other} == {one}


def test_record_built_by_hand_has_bytes_too():
    """A record built by hand encodes itself, and a Member that is not there is UNSET."""
    pet = Pet(id="1", name="Rex")
    assert pet == read_record(Pet, b'{"id":"1","name":"Rex"}')
    assert (pet.toys, pet.weight, pet.unknown, dict(pet.unread)) == (UNSET, UNSET, {}, {})


def test_record_is_frozen():
    """An attribute cannot be set."""
    with pytest.raises(AttributeError):
        read_record(Pet, b'{"id":"1"}').name = "Rex"  # type: ignore[misc]  # it is refused at run time too


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (b'{"id":"1"}', "Pet(id='1')"),
        (b'{"id":"1","name":"Rex","color":"secret"}', "Pet(id='1', name='Rex')"),
        (b'{"id":"1","name":"' + b"x" * 41 + b'"}', f"Pet(id='1', name={'x' * 39 + '…'!r})"),
        (b'{"id":"1","name":"' + b"x" * 40 + b'"}', f"Pet(id='1', name={'x' * 40!r})"),
    ],
)
def test_repr_is_short(row, shown):
    """The repr shows the id and a bounded name, and nothing else."""
    assert repr(read_record(Pet, row)) == shown


class Purse(Record, frozen=True, kw_only=True):
    """A record that nothing identifies."""

    coins: int | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    label: str | UnsetType | None = UNSET
    owner: ClassVar[Member[Pet]] = Member.of(Pet, name="whose")


class Name(Record, frozen=True, kw_only=True):
    """A record that its name identifies."""

    name: Id


@pytest.mark.parametrize(
    ("kind", "row", "shown"),
    [
        (Purse, b"{}", "Purse()"),
        (Purse, b'{"coins":3,"name":"n","label":null}', "Purse(name='n', coins=3)"),
        (Purse, b'{"coins":0,"whose":{}}', "Purse(coins=0, owner=...)"),
        (Purse, b'{"label":"' + b"x" * 41 + b'"}', f"Purse(label={'x' * 39 + '…'!r})"),
        (Name, b'{"name":"vip"}', "Name(name='vip')"),
    ],
)
def test_a_record_without_an_id_shows_what_came(kind, row, shown):
    """Where nothing identifies a record, its repr shows the members that came, and reads none for it."""
    record = read_record(kind, row)
    assert repr(record) == shown
    assert touched(record) == ()


@pytest.mark.parametrize("row", [b'{"name":""}', b'{"name":null}', b"{}", b'{"name":5}'])
def test_an_empty_id_rejects_its_row(row):
    """What has an empty id is known by nothing, as what has none."""
    with pytest.raises(MalformedResponse):
        read_record(Name, row)


def test_records_inside_records():
    """Records inside a record are read on first use, each with its own bytes."""
    owner = read_record(Owner, b'{"id":"o","pet":{"id":"1","x":2},"pets":[{"id":"2"},{"id":"3"}]}')
    assert isinstance(owner.pet, Pet)
    assert owner.pet.unknown == {"x": 2}
    assert [pet.id for pet in owner.pets or ()] == ["2", "3"]
    broken = read_record(Owner, b'{"id":"o","pet":{"x":2},"pets":[{"id":"2"},{}]}')
    assert (broken.pet, broken.pets, set(broken.unread)) == (UNSET, UNSET, {"pet", "pets"})


_NESTED = [
    (b'{"id":"o","pet":{"id":"1","name":5}}', ["Pet.name"]),
    (b'{"id":"o","pet":{"id":"1","date_of_birth":"soon"}}', ["Pet.born"]),
    (b'{"id":"o","pet":{"id":"1","toys":[1]}}', ["Pet.toys"]),
    (
        b'{"id":"o","pets":[{"id":"1","name":5},{"id":"2","tags":{},"name":6}]}',
        ["Pet.name", "Pet.name", "Pet.tags"],
    ),
    (b'{"id":"o","pets":[{"id":"1","name":5},{"name":6}]}', ["Owner.pets"]),
    (b'{"id":"o","pet":{"name":5},"pets":[{"id":"1","name":5}]}', ["Owner.pet", "Pet.name"]),
    (b'{"id":"o","pet":null,"pets":[]}', []),
]


@pytest.mark.parametrize(("row", "expected"), _NESTED)
@pytest.mark.parametrize("eager", [(), ("pet",), ("pets",), ("pet", "pets")])
def test_records_inside_records_report_too(row, expected, eager):
    """What a record inside a record cannot read is told once, whether it is read at once or later."""
    told: list[str] = []
    owner = row_reader(Owner, noticed=told.append, eager=eager)(row)
    for _ in range(2):
        for pet in (owner.pet, *(owner.pets or ())):
            assert not pet or (pet.toys, pet.tags, pet.unread) is not None
    assert sorted(told) == expected


def test_unread_bytes_of_a_record_inside_are_its_own():
    """The bytes that a record inside a record could not read are in its own `unread`."""
    owner = read_record(Owner, b'{"id":"o","pet":{"id":"1","name":5}}')
    assert owner.pet
    assert (dict(owner.unread), dict(owner.pet.unread)) == ({}, {"name": b"5"})


@pytest.mark.parametrize(
    ("row", "unknown"),
    [
        (b'{"id":"1","co\xfflor":"red"}', {"co\udcfflor": "red"}),
        (b'{"co\xfflor":[ "\xfe" ], "id":"1" }', {"co\udcfflor": b'[ "\xfe" ]'}),
        (b'{"id":"1","\xff":1,"name":5}', {"\udcff": 1}),
    ],
)
def test_unknown_members_of_any_bytes(row, unknown):
    """A name that is not UTF-8 fails nothing, and gives its bytes back."""
    pet = read_record(Pet, row)
    assert pet.unknown == unknown
    assert set(pet.unread) == ({"name"} if b"name" in row else set())
    assert pickle.loads(pickle.dumps(pet)).raw == row


def test_other_kinds_are_decoded_plainly():
    """A kind that is no Record is decoded as it is, and refused with the same error."""
    assert read_record(str, b'"abc"') == "abc"
    assert read_record(dict, b'{"a":1}') == {"a": 1}
    with pytest.raises(MalformedResponse):
        read_record(str, b"5")


def test_member_describes_itself_on_the_class():
    """On the class a Member is itself, with the name it has on the wire."""
    assert isinstance(Pet.weight, Member)
    assert (Pet.weight.name, Pet.weight.attribute) == ("weight_in_grams", "weight")


@pytest.mark.parametrize("eager", [(), ("toys",), ("toy_bytes",)])
def test_kept_record_does_not_keep_its_page(eager):
    """A record refers to a copy of its own row, so the page goes when the caller drops it."""
    page = (
        b'{"rows":['
        + b",".join(b'{"id":"%d","toys":{"a":1},"pad":"%s"}' % (n, b"x" * 500) for n in range(50))
        + b"]}"
    )
    rows = msgspec.json.decode(page, type=dict[str, list[Raw]])["rows"]
    read = row_reader(Pet, eager=eager)
    kept = [read(row) for row in rows]
    assert [pet.toys for pet in kept] == [{"a": 1}] * 50
    del rows
    gc.collect()
    # A bytes object has no weak references: who refers to it is counted instead.
    assert [
        holder for holder in gc.get_referrers(page) if holder is not globals() and not _is_frame(holder)
    ] == []
    for number, pet in enumerate(kept):
        assert len(pet.raw) < 600
        assert isinstance(pet.toy_bytes, dict)
        assert memoryview(pet.toy_bytes["a"]).obj is not page, number


def _is_frame(holder: object) -> bool:
    return type(holder).__name__ in {"frame", "coroutine", "cell"} or isinstance(holder, dict)


_SAMPLES = [
    b'{"id":"1"}',
    b'{ "toys": {"ball": 2}, "date_of_birth": "2012-09-07T13:49:56Z", "id": "1", "tags": ["a"] }',
    b'{"id":"1","toys":null,"tags":null,"weight_in_grams":null,"habits":null}',
    b'{"id":"1","toys":[1],"tags":["a"]}',
    b'{"id":"1","name":5,"toys":{"ball":2}}',
    b'{"id":"1","habits":[1],"weight_in_grams":"much"}',
    b'{"id":"1","tags":["\xff"],"color":"\xff"}',
    b'{"id":"1","toys":{"a":1},"toys":{"b":2}}',
]


@pytest.mark.parametrize("row", _SAMPLES)
@pytest.mark.parametrize(
    "eager",
    [("toys",), ("toy_bytes",), ("toys", "toy_bytes"), ("weight", "tags", "habits"), ("toy_bytes", "tags")],
)
def test_members_read_at_once_are_the_same(row, eager):
    """A row reads alike whether its members are read at once or later: values, bytes and what is told."""
    told: tuple[list[str], list[str]] = ([], [])
    late, early = (
        read_record(Pet, row, noticed=told[0].append),
        row_reader(Pet, noticed=told[1].append, eager=eager)(row),
    )
    for name in ("id", "name", "born", "toys", "weight", "tags", "habits"):
        assert getattr(early, name) == getattr(late, name), name
    assert type(early) is type(late)
    assert (early, early.raw, early.unread, early.unknown) == (late, late.raw, late.unread, late.unknown)
    assert (repr(early), hash(early), pickle.loads(pickle.dumps(early))) == (repr(late), hash(late), late)
    assert msgspec.json.encode(early) == msgspec.json.encode(late)
    assert sorted(told[1]) == sorted(told[0])


@pytest.mark.parametrize(
    ("row", "prefilled"),
    [
        (_SAMPLES[0], True),
        (_SAMPLES[1], True),
        (_SAMPLES[2], True),
        (_SAMPLES[3], False),
        (_SAMPLES[4], False),
    ],
)
def test_only_whole_rows_are_read_at_once(row, prefilled):
    """A row with anything of the wrong type is read as if nobody had asked before; nobody is told twice."""
    told: list[str] = []
    pet = row_reader(Pet, noticed=told.append, eager=("toys", "tags"))(row)
    assert touched(pet) == (("toys", "tags") if prefilled else ())
    assert told == (["Pet.name"] if b"name" in row else [])


def test_records_inside_records_are_read_at_once():
    """Records inside a record may be read with it; one that is rejected sends the row the long way."""
    read = row_reader(Owner, eager=("pet", "pets"))
    whole = read(b'{"id":"o","pet":{"id":"1","x":2},"pets":[{"id":"2"}]}')
    assert isinstance(whole.pet, Pet)
    assert touched(whole) == ("pet", "pets")
    assert read(b'{"id":"o","pet":null}').pet is None
    broken = read(b'{"id":"o","pet":{"x":2}}')
    assert (touched(broken), broken.pet, set(broken.unread)) == ((), UNSET, {"pet"})


def test_row_that_is_read_at_once_needs_its_id_too():
    """A row without a usable id is rejected with the row as its body, whatever is read with it."""
    with pytest.raises(MalformedResponse) as caught:
        row_reader(Pet, eager=("toys",))(b'{"toys":{}}')
    assert caught.value.body == b'{"toys":{}}'


def test_touched_names_what_was_asked_for():
    """What was asked of a record is named by its attribute; declared members and other kinds never are."""
    pet = read_record(Pet, b'{"id":"1","tags":[]}')
    assert (pet.id, pet.name, touched(pet)) == ("1", UNSET, ())
    assert (pet.tags, pet.weight, touched(pet)) == ((), UNSET, ("weight", "tags"))
    assert (touched(None), touched("text")) == ((), ())
    assert row_reader(str)(b'"abc"') == "abc"


def test_report_counts_by_member_and_model():
    """The report counts unread members and rejected rows by name, and shows both."""
    report = DecodingReport()
    read_record(Pet, b'{"id":"1","name":1}', noticed=report.noticed)
    late = read_record(Pet, b'{"id":"1","toys":1}', noticed=report.noticed)
    assert dict(report.statistics().unread) == {"Pet.name": 1}
    assert late.toys is UNSET
    report.rejected("Pet", MalformedResponse("row"))
    assert dict(report.statistics().unread) == {"Pet.name": 1, "Pet.toys": 1}
    assert dict(report.statistics().rejected) == {"Pet": 1}
    assert repr(report) == "<DecodingReport unread={'Pet.name': 1, 'Pet.toys': 1} rejected={'Pet': 1}>"


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["name", "date_of_birth", "toys", "weight_in_grams", "tags", "habits", "new"]), _json
    )
)
def test_no_optional_member_rejects_a_row(members):
    """Whatever the optional members hold, the row is read, and each of them can still be found."""
    pet = read_record(Pet, encoded(id="1", **members))
    assert msgspec.json.decode(pet.raw) == {"id": "1", **members}
    assert set(pet.unread) <= {*members, "habits/0"}
    assert pet.unknown == {name: members[name] for name in members if name == "new"}


def test_dates_of_the_vendor_are_read():
    """Every spelling of a moment that the vendor shows is read."""
    spellings = [
        "2012-09-07T13:49:56+0000",
        "2012-09-07T16:49:56+0300",
        "2012-09-07T13:49:56+00:00",
        "2012-09-07T13:49:56Z",
    ]
    born = {read_record(Pet, encoded(id="1", date_of_birth=text)).born for text in spellings}
    assert born == {datetime(2012, 9, 7, 13, 49, 56, tzinfo=UTC)}
    naive = [
        read_record(Pet, encoded(id="1", date_of_birth=text)).born
        for text in ("2012-09-07T13:49:56.25", "2012-09-07 13:49:56")
    ]
    assert naive == [datetime(2012, 9, 7, 13, 49, 56, 250000), datetime(2012, 9, 7, 13, 49, 56)]  # noqa: DTZ001 (they came without a zone)
