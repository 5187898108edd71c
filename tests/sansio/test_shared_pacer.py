"""The pace of a shared budget, move by move: one or two pacers and the keeper's model, time as a number."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from nimble_async._sansio.pacing import Ticket, Wait
from nimble_async._sansio.ratelimits import Policy
from nimble_async._sansio.ratesearch import Bracket, Discovery, Mode
from nimble_async._sansio.shared_pacer import SharedPacer
from nimble_async._sansio.sharing import Knowledge, write_knowledge
from nimble_async.config import RateLimit
from tests.stores.budget_model import Keeper

TRIP = 0.002
EPOCH = 1000.0


def pacer(name="a", rate=10.0, **options):
    return SharedPacer(None if rate is None else RateLimit(rate), member=name, **options)


def talk(one, keeper, now, demand=1):
    """Carry one message and its answer, if there is one to send; return the message."""
    ask = one.ask(now, demand)
    if ask is not None:
        one.heard(keeper.exchange(ask, round((now + EPOCH + TRIP / 2) * 1e6)), now, now + TRIP)
    return ask


def send(one, keeper, now, demand=1):
    """Go through as many waits and messages as it takes; return the ticket and its instant."""
    for _ in range(50):
        decision = one.admit(now)
        if isinstance(decision, Ticket):
            return decision, now
        ask = talk(one, keeper, now, demand)
        if ask is not None:
            now += TRIP
        elif decision.at is not None:
            now = max(now, decision.at)
        else:
            raise AssertionError(f"nothing to wait for at {now}")
    raise AssertionError("no ticket")


def send_alone(one, now):
    """Go through as many waits as it takes while nobody can be asked; return the ticket and its instant."""
    for _ in range(50):
        decision = one.admit(now)
        if isinstance(decision, Ticket):
            return decision, now
        now = max(now, decision.at)
    raise AssertionError("no ticket")


def test_the_first_message_already_asks_for_a_slot():
    """A call on a fresh client waits for one answer."""
    one, keeper = pacer(), Keeper()
    _, now = send(one, keeper, 1.0)
    assert now == pytest.approx(1.0 + TRIP)
    assert (one.mode, one.sharing, one.members) == (Mode.DECLARED, "shared", 1)
    assert one.rate == pytest.approx(9.9)


def test_before_anything_is_heard_the_presumed_number_stands():
    """Nothing is known: the rate is the declared one, and nothing may be sent yet."""
    one = pacer(presumed=7)
    assert one.members == 7
    assert one.rate == pytest.approx(9.8)
    assert one.admit(1.0) == Wait(None)
    assert one.earliest(1.0, 3) == 1.0
    assert one.farewell(1.0) is None


def test_a_slot_that_was_waited_for_is_used_after_another_look():
    """More than a twentieth of a second between the last answer and the slot: ask again just before it."""
    one, keeper = pacer(), Keeper()
    _, now = send(one, keeper, 1.0)
    assert talk(one, keeper, now).n == 1
    slot = one.admit(now)
    assert slot.at == pytest.approx(now + 1 / 9.9 - TRIP, abs=0.004)
    assert talk(one, keeper, now) is None
    assert one.admit(slot.at) == Wait(None)
    look = talk(one, keeper, slot.at)
    assert look is not None
    ticket = one.admit(slot.at + TRIP + 0.001)
    assert isinstance(ticket, Ticket)
    assert ticket.pressed


def test_a_slot_behind_a_gate_that_closed_meanwhile_is_not_used():
    """What was reserved before the refusal of another process is not sent."""
    keeper = Keeper()
    one, two = pacer("a"), pacer("b")
    first, now = send(one, keeper, 1.0)
    talk(two, keeper, now)
    reserved = two.admit(now + TRIP)
    one.refused(first, now + 0.01, 0.5, 3.0)
    assert one.gate is not None
    talk(one, keeper, now + 0.01)
    assert two.admit(reserved.at) == Wait(None)
    talk(two, keeper, reserved.at)
    closed = two.admit(reserved.at + TRIP)
    assert closed.at == pytest.approx(now + 0.01 + 3.0, abs=0.2)
    assert two.earliest(reserved.at, 0) == closed.at


def test_a_slot_that_comes_too_late_is_given_up():
    """Late by more than the declared limit bears: the next one is asked for."""
    one, keeper = pacer(), Keeper()
    talk(one, keeper, 1.0)
    assert one.admit(1.2) == Wait(None)
    assert talk(one, keeper, 1.2).n == 1


def test_slots_before_an_announced_hold_are_given_up():
    """Headers said that nothing is left: what was reserved before the fresh window is not used."""
    keeper = Keeper()
    one, two = pacer("a", None), pacer("b", None)
    ticket, now = send(one, keeper, 1.0)
    talk(two, keeper, now, 1)
    talk(two, keeper, now + TRIP, 1)
    assert two.admit(now + 2 * TRIP).at is not None
    spent = Policy(quota=600.0, window=60.0, remaining=0.0, reset=20.0)
    one.announced((spent,), now, 0.0)
    one.admitted(ticket, now, 0.5)
    talk(one, keeper, now, 1)
    _, later = send(two, keeper, now + 2 * TRIP)
    assert later >= now + 19.9
    assert one.mode is Mode.ANNOUNCED


def test_headers_that_say_too_little_are_not_passed_on():
    """No rate follows from them."""
    one, keeper = pacer(), Keeper()
    send(one, keeper, 1.0)
    one.announced((Policy(remaining=3.0),), 1.1, 0.5)
    assert talk(one, keeper, 1.5).announced == 0.0


@pytest.mark.parametrize(("asked", "shut"), [(None, 0.0), (4.0, 4e6)])
def test_a_straggler_cuts_nothing_and_its_wait_is_obeyed(asked, shut):
    """The second refusal of one event closes the gate for longer where it says so, and is no new event."""
    one, keeper = pacer(), Keeper()
    tickets = []
    now = 1.0
    for _ in range(2):
        ticket, now = send(one, keeper, now)
        tickets.append(ticket)
    one.refused(tickets[0], now, 0.5)
    assert talk(one, keeper, now).refused > 0
    event = keeper.s["event"]
    one.refused(tickets[1], now + 0.01, 0.5, asked)
    ask = talk(one, keeper, now + 0.01, 0)
    assert (ask.shut if ask else 0.0) == shut
    assert keeper.s["event"] == event
    assert one.refusals == 2


def test_a_late_straggler_of_an_old_event_cuts_nothing():
    """It was sent before the gate closed and opened again."""
    one, keeper = pacer(), Keeper()
    old, now = send(one, keeper, 1.0)
    second, now = send(one, keeper, now)
    one.refused(second, now, 0.5)
    canary, now = send(one, keeper, now)
    one.admitted(canary, now, 0.5)
    talk(one, keeper, now)
    event = keeper.s["event"]
    one.refused(old, now, 0.5)
    talk(one, keeper, now + 0.01)
    assert keeper.s["event"] == event
    assert one.gate is None


def test_refused_again_soon_after_a_long_block_waits_longer_at_once():
    """The gate was opened too early: the first pause is the fourth's."""
    one, keeper = pacer(rate=None), Keeper()
    ticket, now = send(one, keeper, 1.0)
    one.refused(ticket, now, 0.5, 12.0)
    canary, now = send(one, keeper, now)
    one.admitted(canary, now, 0.5)
    talk(one, keeper, now)
    ticket, now = send(one, keeper, now)
    one.refused(ticket, now, 0.5)
    ask = one.ask(now, 1)
    assert ask.strikes == 4
    assert ask.pause == pytest.approx(8 * 0.75 * 1e6)


def test_an_answer_without_a_verdict_frees_the_canary():
    """A broken connection is no verdict: the next call tries."""
    one, keeper = pacer(), Keeper()
    ticket, now = send(one, keeper, 1.0)
    one.abandoned(ticket)
    ticket, now = send(one, keeper, now)
    one.refused(ticket, now, 0.5)
    canary, now = send(one, keeper, now)
    assert canary is not ticket
    assert one.admit(now) == Wait(None)
    assert one.ask(now, 1) is None
    one.abandoned(canary)
    assert talk(one, keeper, now).verdict == "free"
    again, _ = send(one, keeper, now + TRIP)
    assert keeper.s["closed"] == 1
    assert again is not canary


def test_others_look_now_and_then_while_a_canary_is_out():
    """A tenth of a second later, then twice as long each time, a second at most."""
    keeper = Keeper()
    one, two = pacer("a"), pacer("b")
    send(two, keeper, 1.0)
    ticket, now = send(one, keeper, 1.0)
    one.refused(ticket, now, 0.5)
    _, now = send(one, keeper, now)
    looks = []
    for _ in range(20):
        decision = two.admit(now)
        if talk(two, keeper, now) is not None:
            looks.append(now)
            now += TRIP
        else:
            now = decision.at
    pauses = [later - first for first, later in pairwise(looks)]
    assert pauses[-1] == pytest.approx(1.0)
    assert sorted(pauses[-4:]) == pauses[-4:]


def test_a_503_is_passed_on_and_counts_no_event():
    """From a canary too, whose role is free again."""
    one, keeper = pacer(), Keeper()
    ticket, now = send(one, keeper, 1.0)
    one.unavailable(ticket, now, 0.0, 3.0)
    ask = talk(one, keeper, now)
    assert ask.shut == pytest.approx(3e6, rel=0.1)
    canary, now = send(one, keeper, now)
    one.unavailable(canary, now, 0.0, 2.0)
    ask = talk(one, keeper, now)
    assert (ask.verdict, ask.refused) == ("free", 0.0)


def alone_after(one, keeper, now):
    """Lose the keeper and wait out the quiet."""
    one.lost(now, 0.5)
    assert one.sharing == "own share"
    assert one.admit(now).at == pytest.approx(now + 0.1)
    assert one.earliest(now, 0) >= now + 0.1
    return now + 0.1


def test_alone_tickets_of_both_times_find_their_way():
    """A call that went out shared and came back alone counts for the own pace, and the other way round."""
    one, keeper = pacer(), Keeper()
    (a, _), (b, _), (c, now) = send(one, keeper, 1.0), send(one, keeper, 1.2), send(one, keeper, 1.4)
    now = alone_after(one, keeper, now)
    one.admitted(a, now, 0.5)
    one.unavailable(b, now, 0.5, 0.2)
    assert one.gate == pytest.approx(now + 0.2, abs=0.05)
    one.refused(c, now, 0.5)
    assert one.refusals == 1
    mine, now = send_alone(one, now)
    one.unavailable(mine, now, 0.5, 0.5)
    mine, now = send_alone(one, now)
    one.abandoned(mine)
    mine, now = send_alone(one, now)
    one.refused(mine, now, 0.5)
    assert one.refusals == 2


def test_a_share_of_an_unknown_limit_is_a_share_of_the_search():
    """Two processes known: half of what was found, in the same phase."""
    keeper = Keeper()
    one, two = pacer("a", None), pacer("b", None)
    send(two, keeper, 1.0)
    _, now = send(one, keeper, 1.0)
    whole = one.bracket.rate
    alone_after(one, keeper, now)
    assert one.bracket.rate == pytest.approx(whole / 2)
    assert one.rate == pytest.approx(whole / 2)
    assert one.discovery(1e9) is None


def test_a_part_of_the_share_can_be_left_to_others():
    """`take_share` holds while alone."""
    one, keeper = pacer(), Keeper()
    one.take_share(0.5)
    _, now = send(one, keeper, 1.0)
    alone_after(one, keeper, now)
    assert one.rate == pytest.approx(4.9)


def test_after_a_long_silence_the_number_of_processes_is_not_believed():
    """More than a minute unheard: the larger of what was seen and what is presumed."""
    one, keeper = pacer(presumed=10), Keeper()
    _, now = send(one, keeper, 1.0)
    alone_after(one, keeper, now + 61)
    assert one.rate == pytest.approx(0.98)


def test_probes_come_about_once_a_second():
    """Alone it asks for nothing but an answer, and a second failure changes no more than the next time."""
    one, keeper = pacer(), Keeper()
    _, now = send(one, keeper, 1.0)
    one.lost(now, 0.5)
    assert one.ask(now + 0.5, 1) is None
    probe = one.ask(now + 1.01, 1)
    assert (probe.n, probe.away > 0) == (0, True)
    one.lost(now + 1.1, 0.5)
    assert one.ask(now + 1.2, 1) is None
    assert one.ask(now + 2.2, 1).away == probe.away


def test_who_never_heard_anything_says_no_time_of_loss():
    """There is no clock to tell it by."""
    one = pacer()
    one.lost(1.0, 0.5)
    one.lost(2.0, 0.5)
    assert one.ask(5.0, 1).away == 0.0


def test_all_come_back_at_one_instant():
    """Everybody was away: each goes on alone until then, sends nothing for a moment, and shares again."""
    keeper = Keeper()
    one, two = pacer("a"), pacer("b")
    send(two, keeper, 1.0)
    _, now = send(one, keeper, 1.0)
    one.lost(now, 0.5)
    two.lost(now, 0.5)
    assert talk(one, keeper, now + 3.0).away > 0
    assert one.sharing == "own share"
    assert talk(two, keeper, now + 3.5).away > 0
    assert one.ask(now + 4.1, 1).away == 0.0
    resume = now + 3.0 + 2.0
    assert one.admit(resume - 0.02).at == pytest.approx(resume, abs=0.01)
    talk(two, keeper, resume + 0.01)
    assert isinstance(one.admit(resume + 0.01), Wait)
    assert (one.sharing, two.sharing) == ("shared", "own share")


def test_a_loss_while_waiting_to_come_back_begins_anew():
    """The keeper went away again before that instant."""
    keeper = Keeper()
    one, two = pacer("a"), pacer("b")
    send(two, keeper, 1.0)
    _, now = send(one, keeper, 1.0)
    one.lost(now, 0.5)
    talk(one, keeper, now + 3.0)
    one.lost(now + 4.0, 0.5)
    assert one.admit(now + 5.1) != Wait(None)
    assert one.sharing == "own share"
    assert one.ask(now + 5.5, 1).away > 0


def test_who_was_connected_all_the_time_waits_for_those_who_come_back():
    """It hears of the instant with its next message, and goes on with its share until then."""
    keeper = Keeper()
    one, two = pacer("a"), pacer("b")
    _, now = send(two, keeper, 1.0)
    send(one, keeper, 1.0)
    one.lost(now + 10, 0.5)
    talk(one, keeper, now + 13.0)
    talk(two, keeper, now + 13.5)
    assert two.sharing == "own share"
    assert two.admit(now + 15.1) == Wait(None)
    assert two.sharing == "shared"


def test_one_of_several_that_was_away_alone_just_comes_back():
    """The others went on sharing, so there is nothing to wait for."""
    keeper = Keeper()
    one, two = pacer("a"), pacer("b")
    send(two, keeper, 1.0)
    _, now = send(one, keeper, 1.0)
    one.lost(now, 0.5)
    send(two, keeper, now + 2.0)
    talk(one, keeper, now + 3.0)
    assert one.sharing == "shared"


def test_a_gate_closed_while_alone_is_brought_along():
    """The wait that a refusal asked for holds for all after the return."""
    one, keeper = pacer(), Keeper()
    _, now = send(one, keeper, 1.0)
    now = alone_after(one, keeper, now)
    mine, now = send_alone(one, now)
    one.refused(mine, now, 0.0, 30.0)
    talk(one, keeper, now + 2.0)
    assert one.sharing == "shared"
    ask = talk(one, keeper, now + 2.1)
    assert ask.shut == pytest.approx(28e6, rel=0.01)
    assert keeper.s["closed"] == 1


def test_a_closed_gate_stays_closed_alone():
    """It was closed by the keeper: alone the wait goes on, and one call tries."""
    one, keeper = pacer(), Keeper()
    ticket, now = send(one, keeper, 1.0)
    one.refused(ticket, now, 0.0, 10.0)
    talk(one, keeper, now)
    one.lost(now + 1, 0.5)
    assert one.gate == pytest.approx(now + 10, abs=0.6)


def test_alone_time_is_divided_by_seats():
    """Two processes at 10/s: their calls never fall together."""
    keeper = Keeper()
    ones = [pacer("a"), pacer("b")]
    for one in ones:
        send(one, keeper, 1.0)
    for one in ones:
        talk(one, keeper, 1.5, 0)
        talk(one, keeper, 1.6, 1)
        one.lost(2.0, 0.5)
    times = []
    for one in ones:
        now = 2.1
        for _ in range(8):
            _, now = send_alone(one, now)
            times.append(now)
    times.sort()
    assert min(later - first for first, later in pairwise(times)) >= 0.09


def test_a_discovery_is_where_the_search_begins():
    """From the start, or recalled before anything is heard; what the others found is stronger."""
    found = Discovery(rate=50.0, block=1.0, found=0.0)
    early, late = pacer(rate=None, discovery=found), pacer("b", rate=None)
    late.recall(found)
    assert early.bracket == late.bracket == Bracket.remembered(found)
    keeper = Keeper()
    _, now = send(early, keeper, 1.0)
    assert early.rate == pytest.approx(45.0)
    assert early.discovery(1e9) is None
    fresh = pacer("c", rate=None)
    send(fresh, keeper, now)
    fresh.recall(Discovery(rate=7.0, block=1.0, found=0.0))
    assert fresh.rate == pytest.approx(45.0)


def test_knowledge_of_another_version_is_left_alone():
    """It cannot be read, so this process keeps its own and replaces nothing."""
    one, keeper = pacer(rate=None), Keeper()
    send(one, keeper, 1.0)
    keeper.s.update(known="another", version=keeper.s["version"] + 1)
    before = one.bracket
    talk(one, keeper, 2.0)
    assert one.bracket == before
    assert keeper.s["known"] == "another"


def test_two_that_learned_the_same_write_it_once():
    """Only who knows the present version replaces it."""
    keeper = Keeper()
    one, two = pacer("a", None), pacer("b", None)
    send(one, keeper, 1.0)
    hold = Knowledge(Bracket(mode=Mode.HOLD, rate=10.0, lo=10.0, held=10.0, need=1.0, measured=True))
    keeper.s.update(known=write_knowledge(hold), search=1e5, starting=0, version=keeper.s["version"] + 1)
    keeper.s.update(level_from=(EPOCH + 1) * 1e6, level_sent=100)
    talk(one, keeper, 3.0)
    talk(two, keeper, 3.0)
    version = keeper.s["version"]
    talk(one, keeper, 3.3, 2)
    talk(two, keeper, 3.3, 2)
    talk(one, keeper, 3.4, 3)
    assert keeper.s["version"] == version + 1
    assert one.bracket.mode is Mode.PROBE


def test_unused_slots_that_others_do_not_lie_between_go_back():
    """Only the last unbroken run: what another process was granted in between stays its own."""
    keeper = Keeper()
    one, two = pacer("a", 2000.0), pacer("b", 2000.0)
    talk(one, keeper, 1.0)
    talk(one, keeper, 1.0 + TRIP, 9)
    talk(two, keeper, 1.0 + TRIP)
    talk(two, keeper, 1.0 + 2 * TRIP, 3)
    before = keeper.s["tat"]
    one.admit(1.0 + 2 * TRIP)
    one.admit(1.0 + 2 * TRIP)
    talk(one, keeper, 1.0 + 2 * TRIP, 40)
    grown = keeper.s["tat"]
    assert grown > before
    ask = talk(one, keeper, 1.0 + 3 * TRIP, 0)
    assert ask.back_to == grown
    assert keeper.s["tat"] == pytest.approx(before)
    assert talk(one, keeper, 1.0 + 4 * TRIP, 0) is None


def test_a_looser_limit_of_a_second_client_changes_nothing():
    """The stricter of two holds, an endless one is none."""
    one, keeper = pacer(rate=10.0), Keeper()
    one.declare(RateLimit(20.0))
    one.declare(RateLimit(math.inf))
    one.declare(None)
    send(one, keeper, 1.0)
    assert one.rate == pytest.approx(9.9)
    one.declare(RateLimit(5.0))
    send(one, keeper, 2.0)
    talk(one, keeper, 2.5)
    assert one.rate == pytest.approx(4.95)


def test_limits_that_are_declared_anew_replace_those_of_this_process():
    """Once the keeper has forgotten the old one, the new one rules, by its own burst."""
    one, keeper = pacer(rate=1.0), Keeper()
    send(one, keeper, 1.0)
    one.redeclare([RateLimit(20.0, 1.0, 5.0)])
    send(one, keeper, 40.0)
    talk(one, keeper, 40.5)
    assert one.rate == pytest.approx(15.98, abs=0.01)
    assert keeper.s["tolerance"] > 0
    one.redeclare([])
    send(one, keeper, 80.0)
    assert one.mode is Mode.START


@pytest.mark.parametrize("shared", [True, False])
def test_nobody_waits_for_the_next_of_very_many_tries(shared):
    """After forty refused tries and ten minutes waiting is in vain, until the next may be made."""
    one, keeper = pacer(), Keeper()
    assert not one.barred(0.0)
    _, now = send(one, keeper, 1.0)

    def go(now):
        if shared:
            return send(one, keeper, now)
        one.lost(now, 0.5)
        return send_alone(one, now)

    found = []
    for _ in range(60):
        ticket, now = go(now)
        assert not one.barred(now)
        one.refused(ticket, now, 1.0)
        if shared:
            talk(one, keeper, now)
        found.append((now > 601.0, one.barred(now)))
        now = one.gate
    assert found.index((True, True)) >= 39
    assert (False, True) not in found
    ticket, now = go(now)
    one.admitted(ticket, now, 0.5)
    assert not one.barred(now)


def test_a_sign_of_life_and_a_farewell():
    """The one asks for nothing, the other takes the member off the list."""
    one, keeper = pacer(), Keeper()
    send(one, keeper, 1.0)
    assert one.beat(2.0).n == 0
    assert one.farewell(3.0).leave == 1
    one.lost(4.0, 0.5)
    assert one.farewell(5.0) is None


def test_answers_count_for_the_event_they_were_sent_in():
    """They are reported with the next message, and quicken the first phase where the slot was waited for."""
    one, keeper = pacer(rate=None), Keeper()
    tickets, now = [], 1.0
    for _ in range(3):
        ticket, now = send(one, keeper, now)
        tickets.append(ticket)
    rate = one.rate
    for ticket in tickets:
        one.admitted(ticket, now, 0.5)
    ask = talk(one, keeper, now)
    assert (ask.admitted, ask.faster > 0) == (3, True)
    assert one.rate > rate
    assert keeper.s["admitted"] == 3


def test_a_canary_that_is_refused_waits_longer():
    """A second pause, twice as long; the keeper counts the strikes."""
    one, keeper = pacer(), Keeper()
    ticket, now = send(one, keeper, 1.0)
    one.refused(ticket, now, 0.5)
    canary, now = send(one, keeper, now)
    one.refused(canary, now, 0.5)
    ask = talk(one, keeper, now)
    assert (ask.verdict, ask.pause) == ("refused", pytest.approx(2 * 0.3 * 0.75 * 1e6))
    assert keeper.s["strikes"] == 2


def test_what_was_found_together_is_worth_remembering():
    """A refusal that all heard of makes the discovery a new one."""
    one, keeper = pacer(rate=None, discovery=Discovery(rate=50.0, block=1.0, found=0.0)), Keeper()
    ticket, now = send(one, keeper, 1.0)
    one.refused(ticket, now, 0.5)
    canary, now = send(one, keeper, now)
    one.admitted(canary, now, 0.5)
    talk(one, keeper, now)
    found = one.discovery(1e9)
    assert found is not None
    assert found.rate == one.bracket.lo


def test_all_slots_go_back_where_nobody_came_between():
    """The queue ends where it ended before they were granted."""
    one, keeper = pacer(rate=2000.0), Keeper()
    talk(one, keeper, 1.0)
    now = 1.0 + TRIP
    one.admit(now)
    before = keeper.s["tat"]
    talk(one, keeper, now, 9)
    assert keeper.s["tat"] > before
    assert talk(one, keeper, now + TRIP, 0).back_from >= before
    assert keeper.s["tat"] == pytest.approx(before, abs=2e3)


def test_calls_ahead_are_not_counted_at_a_rate_that_is_about_to_rise():
    """While nothing is known the rate may be anything soon; a declared one stays what it is."""
    for rate, soonest in [(None, 0.0), (10.0, 498 / 9.9)]:
        one, keeper = pacer("a", rate), Keeper()
        _, now = send(one, keeper, 1.0)
        assert one.earliest(now, 500) == pytest.approx(now + soonest, abs=0.5)


def test_calls_ahead_are_counted_at_the_most_that_was_not_refused_yet():
    """A search goes on below what was refused, and above what it uses now."""
    one, keeper = pacer("a", None), Keeper()
    ticket, now = send(one, keeper, 1.0)
    one.refused(ticket, now, 0.5, 1.0)
    talk(one, keeper, now)
    canary, now = send(one, keeper, now + 1.5)
    one.admitted(canary, now, 0.5)
    talk(one, keeper, now)
    bracket = one.bracket
    assert bracket.mode is Mode.SEARCH
    assert one.rate < bracket.hi
    assert one.earliest(now, 100) == pytest.approx(now + 99 / bracket.hi, rel=0.1)


def test_calls_ahead_are_counted_at_the_rate_of_a_new_announced_window():
    """Little is left of this window, and the next one brings it all again."""
    one, keeper = pacer("a", None), Keeper()
    ticket, now = send(one, keeper, 1.0)
    one.announced((Policy(quota=600.0, window=60.0, remaining=10.0, reset=30.0),), now, 0.0)
    one.admitted(ticket, now, 0.5)
    talk(one, keeper, now)
    assert one.rate < 1
    assert one.earliest(now, 100) <= now + 15
