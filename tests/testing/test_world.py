"""The account: content, order, drift and its books."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from nimble_async.testing import Drift, World
from nimble_async.testing.nimble.content import contact_document
from nimble_async.testing.nimble.deal_content import deal_document


def test_equal_seeds_give_equal_worlds():
    """Content, ids and drift are functions of the seed."""
    one, two, other = (World(contacts=50, deals=5, seed=seed, drift=Drift.even(1)) for seed in (1, 1, 2))
    for world in (one, two, other):
        world.advance(100)
    assert one.contacts.ids() == two.contacts.ids() != other.contacts.ids()
    assert contact_document(one, 7) == contact_document(two, 7) != contact_document(other, 7)
    assert deal_document(one, 3, now=0) == deal_document(two, 3, now=0)


def test_many_small_steps_give_the_world_of_one_large_step():
    """How often somebody looks does not change what happens."""
    one, two = (World(contacts=50, seed=1, drift=Drift.even(1)) for _ in range(2))
    one.advance(60)
    for step in range(601):
        two.advance(step / 10)
    assert one.contacts.ids() == two.contacts.ids()


def test_a_contact_weighs_about_three_kilobytes():
    """Contacts are as large as real ones, so that figures about speed mean something."""
    world = World(contacts=300)
    sizes = [len(json.dumps(contact_document(world, serial))) for serial in range(300)]
    assert 2500 < sum(sizes) / len(sizes) < 3700
    assert max(sizes) > 1.3 * min(sizes)


def test_slim_contacts_are_small():
    """A simulation that only counts records need not pay for their weight."""
    world = World(contacts=50, slim=True)
    assert max(len(json.dumps(contact_document(world, serial))) for serial in range(50)) < 1500


def test_ids_are_24_hex_and_found_again():
    """An id names its record, and nothing else does."""
    world = World(contacts=10)
    for serial, contact_id in enumerate(world.contacts.ids()):
        assert len(contact_id) == 24
        assert int(contact_id, 16) > 0
        assert world.contacts.serial_of(contact_id) == serial
    for wrong in ("", "x" * 24, "0" * 24, world.contacts.id_of(3)[:-6] + "00000b", world.deals.id_of(3)):
        assert world.contacts.serial_of(wrong) is None


def test_created_rises_strictly_unless_imports_are_asked_for():
    """Neighbours differ by a second at least; an import gives a run of equal ones."""
    plain = World(contacts=2000).contacts.created
    assert all(later - earlier >= 1 for earlier, later in pairwise(plain))
    imported = World(contacts=2000, imports=1, import_size=300).contacts.created
    assert 1 + sum(a == b for a, b in pairwise(imported)) == 300


def test_a_large_world_is_cheap_to_hold():
    """A million contacts are two numbers each until somebody looks."""
    world = World(contacts=1_000_000, deals=0)
    herd = world.contacts
    assert herd.created.itemsize * len(herd.created) + herd.listed.itemsize * len(herd.listed) <= 16_000_000
    assert contact_document(world, 999_999)["id"] == herd.id_of(999_999)


def test_drift_has_the_rates_it_was_given():
    """Inserts and deletes are Poisson streams of their rates."""
    world = World(contacts=5000, drift=Drift(inserts=2, deletes=1, deal_inserts=0.5))
    world.advance(1000)
    assert 1800 < world.contacts.births < 2200
    deleted = 5000 + world.contacts.births - len(world.contacts)
    assert 900 < deleted < 1100
    assert 430 < world.deals.births < 570


def test_the_books_say_who_survived():
    """A survivor of a span existed at its first and at its last instant and all between."""
    world = World(contacts=3, deals=0)
    old, doomed, _ = world.contacts.ids()
    young = world.insert_contact(10)
    world.delete_contact(20, doomed)
    assert world.contacts.survivors(0, 19) == set(world.contacts.ever()) - {young}
    assert doomed not in world.contacts.survivors(0, 20)
    assert young in world.contacts.survivors(10, 30)
    assert young not in world.contacts.survivors(9, 30)
    assert old in world.contacts.survivors(0, 1e9)
    with pytest.raises(KeyError):
        world.delete_contact(30, doomed)


def test_index_lag_hides_a_new_contact_for_a_while():
    """A contact exists at once and is listed later; one that dies in between is never listed."""
    world = World(contacts=2, drift=Drift(index_lag=10))
    young, short = world.insert_contact(5), world.insert_contact(6)
    world.delete_contact(7, short)
    serial = world.contacts.serial_of(young)
    world.advance(14.9)
    assert serial is not None
    assert serial not in world.contacts.listed
    assert not world.at_rest
    world.advance(15)
    assert list(world.contacts.listed) == [0, 1, serial]
    world.advance(20)
    assert len(world.contacts.listed) == 3
    assert world.at_rest


def test_backdated_contacts_are_born_into_the_past():
    """With the switch, new contacts stand among the old ones by `created`."""
    world = World(contacts=10, drift=Drift(inserts=1, backdated=1.0, backdate=3600))
    world.advance(100)
    born = range(10, 10 + world.contacts.births)
    ages = [world.wall(100) - world.contacts.created[serial] for serial in born]
    assert max(ages) > 600
    assert max(ages) <= 3700
    created = [world.contacts.created[serial] for serial in world.contacts.listed]
    assert created == sorted(created)
    assert list(world.contacts.listed) != sorted(world.contacts.listed)


def test_touched_contacts_change():
    """A touch moves `updated` and leaves `created`."""
    world = World(contacts=5, drift=Drift(touches=1))
    before = [contact_document(world, serial) for serial in range(5)]
    world.advance(30)
    after = [contact_document(world, serial) for serial in range(5)]
    assert [one["created"] for one in before] == [one["created"] for one in after]
    assert any(one["updated"] < two["updated"] for one, two in zip(before, after, strict=True))


def test_a_world_can_be_stilled_and_released():
    """While still nothing changes, and nothing is made up for later."""
    world = World(contacts=100, drift=Drift.even(1))
    world.advance(10)
    world.still()
    version = world.version
    world.advance(1000)
    assert world.version == version
    assert world.at_rest
    world.still(on=False)
    world.advance(1010)
    assert version < world.version < version + 100


def test_aligning_moves_the_epoch_only_before_the_first_birth():
    """Ids carry the second of birth, so the epoch is fixed once somebody was born."""
    world = World(contacts=1)
    world.align(2e9)
    assert world.wall(1) == 2e9 + 1
    world.insert_contact(0)
    world.align(0)
    assert world.wall(1) == 2e9 + 1


def test_parts_of_a_second_are_hidden():
    """With `whole_seconds=False` instants are finer than what answers show."""
    world = World(contacts=20, whole_seconds=False)
    assert any(instant % 1 for instant in world.contacts.created)
    assert "." not in contact_document(world, 0)["created"]
