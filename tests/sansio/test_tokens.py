"""What is decided about tokens, as tables with their boundaries."""

from __future__ import annotations

import math

import pytest

from nimble_async._sansio.secret import Secret
from nimble_async._sansio.tokens import (
    Doubt,
    Stage,
    TokenRecord,
    age_of,
    clocks_agree,
    decode_record,
    digest,
    encode_record,
    follows,
    login_of,
    stage_of,
)
from nimble_async.errors import StoreError

REFRESH = Secret("cAnArY-refresh")


def _record(**changes):
    return TokenRecord(
        **{"gen": 3, "access": Secret("access"), "refresh": REFRESH, "expires_in": 600.0, **changes}
    )


STAGES = [
    (600, 0, True, Stage.GOOD),
    (600, 479.9, True, Stage.GOOD),
    (600, 480, True, Stage.DUE),
    (600, 594.9, True, Stage.DUE),
    (600, 595, True, Stage.SPENT),
    (600, 600, True, Stage.SPENT),
    (600, 1e9, True, Stage.SPENT),
    (600, 480, False, Stage.GOOD),
    (600, 594.9, False, Stage.GOOD),
    (600, 595, False, Stage.DEAD),
    (10, 8, True, Stage.DUE),
    (10, 9.4, True, Stage.DUE),
    (10, 9.5, True, Stage.SPENT),
    (1, 0.79, True, Stage.GOOD),
    (1, 0.8, True, Stage.DUE),
    (0, 0, True, Stage.SPENT),
    (0, 0, False, Stage.DEAD),
]


@pytest.mark.parametrize(("life", "age", "renewable", "stage"), STAGES)
def test_stage_follows_age(life, age, renewable, stage):
    """A token is due at 80 % of its life and spent 5 seconds, or a twentieth of its life, before the end."""
    assert stage_of(_record(expires_in=life, refresh=REFRESH if renewable else None), age) is stage


@pytest.mark.parametrize(
    ("state", "stage"), [("idle", Stage.GOOD), ("refreshing", Stage.GOOD), ("dead", Stage.DEAD)]
)
def test_stage_follows_state(state, stage):
    """A dead record is dead at any age; one that is being renewed may still be used."""
    assert stage_of(_record(state=state), 0) is stage


AGES = [
    (None, 1100, None, math.inf, 100),
    (None, 400, None, math.inf, 0),
    (None, 1000, None, math.inf, 0),
    (2000, 1100, 2050, math.inf, 50),
    (2000, 1100, None, math.inf, 100),
    (None, 1100, 2050, math.inf, 100),
    (2000, 9999, 1990, math.inf, 0),
    (None, 1700, None, 3, 3),
    (2000, 0, 2600, 3, 3),
]


@pytest.mark.parametrize(("obtained", "wall", "server", "at_most", "age"), AGES)
def test_age_prefers_the_servers_clock(obtained, wall, server, at_most, age):
    """The server's clock then and now goes before our own; neither makes a token older than it can be."""
    record = _record(obtained_wall=1000.0, obtained_date_hdr=obtained)
    assert age_of(record, wall=wall, server=server, at_most=at_most) == age


AGREEING = [
    (1000.0, None, 1000.0, True),
    (1000.0, None, 9e9, True),
    (1000.0, None, 995.0, True),
    (1000.0, None, 994.0, False),
    (1005.0, 1000.0, 1010.0, True),
    (1006.0, 1000.0, 1010.0, False),
    (995.0, 1000.0, 1000.0, True),
    (994.0, 1000.0, 1000.0, False),
]


@pytest.mark.parametrize(("got", "date", "wall", "agree"), AGREEING)
def test_clocks_are_seen_to_disagree(got, date, wall, agree):
    """A record from our future, or one whose writer's clock was wrong, speaks against the clocks."""
    assert clocks_agree(_record(obtained_wall=got, obtained_date_hdr=date), wall=wall) is agree


def test_record_comes_back_from_its_bytes():
    """Every member survives being written and read, secrets and absent ones included."""
    whole = _record(
        prev_refresh_hash="h",
        obtained_wall=1.5,
        obtained_date_hdr=2.0,
        state="dead",
        since=3.0,
        reason="because",
    )
    for record in (whole, TokenRecord(gen=1, access=Secret("é"))):
        assert decode_record(encode_record(record)) == record
    assert b'"version": 1' in encode_record(whole)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b'{"version": 1, "gen": 0, "access": "x"}',
        b'{"version": 2, "gen": 1, "access": "x"}',
        b'{"version": 1, "gen": 1}',
        b'{"version": 1, "gen": 1, "access": 5}',
        b'{"version": 1, "gen": 1, "access": "x", "state": "other"}',
    ],
)
def test_foreign_bytes_are_no_record(data):
    """What this release did not write is refused with what to do."""
    with pytest.raises(StoreError, match="sign in again"):
        decode_record(data)


def test_record_of_a_later_release_keeps_what_is_known():
    """Members that are not known are passed over, as long as the version is."""
    assert decode_record(b'{"version": 1, "gen": 1, "access": "x", "new": [1]}') == TokenRecord(
        gen=1, access=Secret("x")
    )


FOLLOWING = [
    ({"gen": 4, "refresh": Secret("r4"), "login": digest(REFRESH)}, {}, True),
    ({"gen": 9, "refresh": Secret("r9"), "login": "one"}, {"login": "one"}, True),
    ({"gen": 9, "refresh": None, "login": "one"}, {"refresh": None, "login": "one"}, True),
    ({"gen": 3, "refresh": Secret("r3"), "login": digest(REFRESH)}, {}, False),
    ({"gen": 2, "login": "one"}, {"login": "one"}, False),
    ({"gen": 9, "login": "one"}, {"login": "another"}, False),
    ({"gen": 9, "login": "one", "obtained_date_hdr": 200.0}, {"obtained_date_hdr": 100.0}, False),
    ({"gen": 9, "refresh": None}, {"refresh": None, "access": Secret("another")}, False),
]


@pytest.mark.parametrize(("later", "stored", "expected"), FOLLOWING)
def test_record_follows_what_it_was_got_from(later, stored, expected):
    """A record follows an earlier one of its own login, and no other, whatever the clocks say."""
    assert follows(_record(**later), _record(**stored)) is expected


def test_login_has_one_name_in_each_generation():
    """A login is named by what it began with; later records carry that name."""
    first = _record()
    assert login_of(first) == digest(REFRESH)
    assert login_of(_record(refresh=Secret("newer"), login=login_of(first))) == login_of(first)
    assert login_of(_record(refresh=None)) == digest(Secret("access"))


def test_digest_names_a_secret_without_telling():
    """Equal secrets have equal digests, nothing has the empty one, and the text is not in it."""
    assert digest(Secret("a")) == digest(Secret("a")) != digest(Secret("b"))
    assert digest(None) == ""
    assert "refresh" not in digest(REFRESH)


@pytest.mark.parametrize("data", [b'{"version": 1, "gen": "cAnArY-secret", "access": "x"}', b"\xff"])
def test_a_broken_record_s_error_holds_no_other(data):
    """The decoder's own error, which may quote the record, hangs nowhere on ours."""
    with pytest.raises(StoreError) as told:
        decode_record(data)
    assert (told.value.__context__, told.value.__cause__) == (None, None)


@pytest.mark.parametrize(
    ("replays", "until"),
    [
        ([], -math.inf),
        ([(2, True)], -math.inf),
        ([(2, False)], 110.0),
        ([(2, False)] * 1000, 110.0),
        ([(2, False), (3, False)], 120.0),
        ([(2, False), (3, False), (4, False), (5, False)], 180.0),
        ([(2, False), (3, False), (4, False), (5, False), (6, False)], 220.0),
        ([(generation, False) for generation in range(2, 2000)], 220.0),
        ([(2, False), (3, True)], -math.inf),
        ([(2, False), (3, True), (4, False)], 110.0),
        ([(2, True), (2, False)], -math.inf),
        ([(2, False), (2, True)], -math.inf),
        ([(3, False), (2, True)], 110.0),
        ([(3, False), (2, False)], 110.0),
    ],
)
def test_refused_replays_are_doubt(replays, until):
    """Generations refused in a row double the pause, to two minutes at most; an accepted one ends it."""
    doubt = Doubt()
    for generation, accepted in replays:
        doubt = doubt.after(generation, accepted=accepted, now=100.0)
    assert doubt.until == until
    assert doubt.allows(max(until, 100.0))
    assert doubt.allows(99.0) == (until < 100)
