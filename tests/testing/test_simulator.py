"""The core: doors, routes, limits, faults, books."""

from __future__ import annotations

import gzip
import json
import zlib
from email.utils import parsedate_to_datetime

import pytest

from nimble_async._sansio.message import Request
from nimble_async.errors import ConfigurationError
from nimble_async.nimble.catalog import OPERATIONS
from nimble_async.testing import Behaviour, Drift, Fault, Rates, Simulator, World
from nimble_async.testing.call import Answer
from nimble_async.testing.faults import FaultScript, read_faults
from nimble_async.testing.nimble.handlers import HANDLERS
from nimble_async.testing.pages import PageCache
from nimble_async.testing.routes import Routes

ME = "/api/v1/myself"


def _world(**rest) -> World:
    return World(contacts=20, deals=5, **rest)


def test_every_operation_of_the_table_is_answered():
    """One handler per operation, and no handler without one."""
    assert set(HANDLERS) == set(OPERATIONS)


def _no_route(*path: str, method: str = "GET") -> pytest.MarkDecorator:
    """Return the mark of a test that asks where nobody answers."""
    return pytest.mark.undescribed(
        *(("request", f"{method} {one}", "route") for one in path), reason="it asks where nobody answers"
    )


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=_no_route(path))
        for path in (
            "/api/v1/deals",
            "/api/v1/deal/1",
            "/api/v1/companies",
            "/api/v1/team/members",
            "/api/v1/contacts/list/",
            "/api/v1/contact/",
            "/",
        )
    ],
)
def test_folklore_is_not_found(ask, path):
    """Paths that no official document has answer 404."""
    assert ask(Simulator(_world()), path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/contacts/list", "contacts.list"),
        ("GET", "/api/v1/contacts/", "contacts.list"),
        ("GET", "/api/v1/contacts/ids/", "contacts.list_ids"),
        ("DELETE", "/api/v1/contacts/list", "contacts.delete_bulk"),
        ("GET", "/api/v1/contact/x/notes", "contact_notes.list"),
        ("POST", "/api/v1/activities/task", "tasks.create"),
        ("DELETE", "/api/v1/contacts/tabs/x", "contact_field_tabs.delete"),
        ("PUT", "/api/v2/deals/tags/x", "deal_tags.rename"),
        ("DELETE", "/api/v2/deals/tags/x", "deal_tags.delete"),
        ("POST", "/oauth/token", "oauth.token"),
        # What the table says wins over what an id could be.
        ("GET", "/api/v1/contacts/notes/x", "contact_notes.get"),
        ("GET", "/api/v1/contacts/x/notes", "contact_notes.list"),
        ("PUT", "/api/v1/contacts/fields/tabs/x", "contact_field_tabs.update"),
        ("PUT", "/api/v1/contacts/fields/x", "contact_fields.update"),
        ("GET", "/api/v2/deals/tags", "deal_tags.list"),
        ("GET", "/api/v2/deals/widget/won_last_month", "deals.won_last_month"),
        ("DELETE", "/api/v2/leads/x/y", "leads.clear"),
    ],
)
def test_older_and_ambiguous_paths_find_their_operation(method, path, expected):
    """Routes of older documents stand beside the table; a segment spelled out wins over an id."""
    found = Routes(OPERATIONS).find(method, path)
    assert found is not None
    assert found[0] == expected


@_no_route(ME, method="DELETE")
def test_a_wrong_method_is_405(ask):
    """A path of the table with a method it does not have is no folklore, but refused."""
    assert ask(Simulator(_world()), ME, method="DELETE").status == 405


def test_the_older_listing_path_answers(ask):
    """A client written by the older documents finds its contacts."""
    assert ask(Simulator(_world()), "/api/v1/contacts/list").body["meta"]["total"] == 20


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v2/deals/pipelines", ("deal_pipelines.list", {})),
        ("/api/v2/deals/abc", ("deals.get", {"deal_id": "abc"})),
        ("/api/v2/deals/pipelines/p/deals", ("deal_pipelines.deals_by_stage", {"pipeline_id": "p"})),
        ("/api/v1/contact/a%2Fb", ("contacts.get", {"contact_id": "a/b"})),
        ("/api/v1/contact/a/b", None),
    ],
)
def test_segments_spelled_out_win_over_ids(path, expected):
    """A route is the most literal one that fits; ids are decoded."""
    assert Routes(OPERATIONS).find("GET", path) == expected


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"authorization": "Bearer wrong"}, "", 401),
        ({"authorization": "Basic KEY"}, "", 401),
        ({"Authorization": "Bearer KEY"}, "", 200),
        ({"X-Nimble-Token": "KEY"}, "", 200),
        ({"authorization": "bearer TOKEN"}, "", 200),
        pytest.param(
            {},
            "?access_token=TOKEN",
            200,
            marks=pytest.mark.undescribed(
                ("request", "?access_token", "unknown"),
                reason="an older document allows it, the present one does not tell of it",
            ),
        ),
        ({}, "?access_token=KEY", 401),
    ],
)
def test_the_door(headers, query, status):
    """A key or token opens in the header; in the query only a token does."""
    simulator = Simulator(_world())
    token = str(simulator.oauth.issue(0)["access_token"])

    def real(text: str) -> str:
        return text.replace("KEY", simulator.api_key).replace("TOKEN", token)

    sent = {name: real(value) for name, value in headers.items()}
    response = simulator.handle(
        Request(method="GET", url=f"http://s{ME}{real(query)}", headers=sent), 0
    ).response
    assert response.status == status
    if status == 401:
        assert json.loads(response.body)["error"] == "invalid_token"


def test_every_answer_carries_the_date(ask):
    """`Date` is the simulation's wall clock, also on errors."""
    simulator = Simulator(_world(epoch=1.7e9))
    for key in (simulator.api_key, "wrong"):
        answer = ask(simulator, ME, now=60, key=key)
        assert parsedate_to_datetime(answer.headers["date"]).timestamp() == 1.7e9 + 60


def test_bodies_are_compressed_where_allowed():
    """Only on the wire, and only for a request that accepts gzip."""
    simulator = Simulator(_world())

    def body(*, wire: bool, accept: str) -> tuple[str | None, bytes]:
        headers = {"Authorization": f"Bearer {simulator.api_key}", "Accept-Encoding": accept}
        request = Request(method="GET", url="http://s/api/v1/contacts?sort=created:asc", headers=headers)
        response = simulator.handle(request, 0, wire=wire).response
        return response.header("content-encoding"), response.body

    plain = body(wire=False, accept="gzip")
    assert plain[0] is None
    assert body(wire=True, accept="identity") == plain
    encoding, squeezed = body(wire=True, accept="gzip, deflate")
    assert encoding == "gzip"
    assert len(squeezed) < len(plain[1]) / 3
    assert gzip.decompress(squeezed) == plain[1]
    assert body(wire=True, accept="gzip, deflate") == (encoding, squeezed)


def test_pages_of_a_world_at_rest_are_kept(ask):
    """The second answer is the first one's very bytes; a change of the world ends that."""
    simulator = Simulator(_world())
    query = {"sort": "created:asc", "per_page": 5}
    first, second = (ask(simulator, "/api/v1/contacts", **query).reply.response.body for _ in range(2))
    assert first is second
    simulator.world.delete_contact(0, simulator.world.contacts.id_of(0))
    assert ask(simulator, "/api/v1/contacts", **query).reply.response.body != first


def test_a_drifting_world_keeps_no_pages(ask):
    """Where anything may change nothing is kept."""
    simulator = Simulator(_world(drift=Drift.even(0.001)))
    one, two = (ask(simulator, "/api/v1/contacts").reply.response.body for _ in range(2))
    assert one == two
    assert one is not two


def test_the_cache_is_bounded():
    """The pages used last stay, up to so many bytes."""
    cache = PageCache(10)
    pages = {name: Answer(200, name.encode() * 4) for name in "abc"}
    cache.put("a", pages["a"])
    cache.put("b", pages["b"])
    assert cache.get("a") is pages["a"]
    cache.put("c", pages["c"])
    assert [cache.get(name) for name in "abc"] == [pages["a"], None, pages["c"]]
    cache.put("a", Answer(200, b"x"))
    cache.put("d", Answer(200, b"x" * 11))
    assert (cache.get("d"), len(cache)) == (None, 2)
    cache.clear()
    assert len(cache) == 0


def test_rates_refuse_with_429(ask):
    """What a rule does not admit is a 429 with the headers of its switches; tokens are free of it."""
    simulator = Simulator(
        _world(), rates=Rates.named("2/10s", "fixed-window", announce=True, retry_after=True)
    )
    answers = [ask(simulator, ME, now=1) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].headers["retry-after"] == "9"
    assert ask(simulator, "/oauth/authorize").status == 400
    assert ask(simulator, ME, now=1, key="wrong").status == 401
    assert simulator.statistics()["rate_limited"] == 1


def test_concurrency_counts_until_the_answer_is_through():
    """An admitted request holds its place until `finish`; a refused one holds none."""
    simulator = Simulator(_world(), rates=Rates.named("1/1s", "concurrency"))
    request = Request(
        method="GET", url=f"http://s{ME}", headers={"authorization": f"Bearer {simulator.api_key}"}
    )
    first, refused = simulator.handle(request, 0), simulator.handle(request, 0)
    assert (first.response.status, refused.response.status) == (200, 429)
    assert (simulator.in_flight, simulator.peak_in_flight) == (2, 2)
    simulator.finish(refused, 0)
    assert simulator.handle(request, 0).response.status == 429
    simulator.finish(first, 1)
    assert simulator.handle(request, 1).response.status == 200


@pytest.mark.parametrize(("shape", "member"), [("message", "message"), ("payment", "payment_type")])
def test_the_quota_is_a_switch(ask, shape, member):
    """After so many calls every further one is a 402, in one of the two documented bodies."""
    simulator = Simulator(_world(), behaviour=Behaviour(quota=2, quota_shape=shape))
    assert [ask(simulator, ME).status for _ in range(3)] == [200, 200, 402]
    assert member in ask(simulator, ME).body


def test_latency_is_constant_or_log_normal(ask):
    """Without jitter each answer takes as long; with jitter the mean is kept."""
    steady = Simulator(_world(), latency=0.2)
    assert {ask(steady, ME).reply.delay for _ in range(5)} == {0.2}
    jittery = Simulator(_world(), latency=0.2, jitter=0.5)
    delays = [ask(jittery, ME).reply.delay for _ in range(3000)]
    assert len(set(delays)) > 2900
    assert 0.19 < sum(delays) / len(delays) < 0.21


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        ({"nth": 2}, [2]),
        ({"every": 2}, [2, 4, 6]),
        ({"every": 2, "count": 1}, [2]),
        ({"count": 2}, [1, 2]),
        ({"operation": "users.me", "nth": 1}, [1]),
        ({"operation": "deals.list"}, []),
        ({"probability": 0.0}, []),
        ({}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_script_strikes_where_it_says(ask, fault, struck):
    """nth, every, count, probability and the operation choose the requests."""
    simulator = Simulator(_world(), faults=[Fault(kind="status", **fault)])
    statuses = [ask(simulator, ME).status for _ in range(6)]
    assert [place for place, status in enumerate(statuses, 1) if status == 503] == struck


def test_probability_is_seeded():
    """About the share asked for is struck, the same requests each time."""
    runs = [[FaultScript([Fault(kind="reset", probability=0.3)], seed=1).pick("x") is not None]]
    for _ in range(2):
        script = FaultScript([Fault(kind="reset", probability=0.3)], seed=1)
        runs.append([script.pick("x") is not None for _ in range(1000)])
    assert runs[1] == runs[2]
    assert 250 < sum(runs[1]) < 350


def test_the_first_fault_that_is_due_strikes():
    """Of several only one strikes a request, and each counts for itself."""
    script = FaultScript([Fault(kind="reset", nth=2), Fault(kind="slow", every=2)])
    picked = [fault.kind if fault else None for fault in (script.pick("x") for _ in range(4))]
    assert picked == [None, "reset", None, "slow"]


def test_faults_change_the_answer(ask):
    """Status, Retry-After, foreign bodies and lengths are what the script says."""
    simulator = Simulator(_world())
    simulator.script([Fault(kind="status", status=500, retry_after=7)])
    answer = ask(simulator, ME)
    assert (answer.status, answer.headers["retry-after"], answer.body["code"]) == (500, "7", 107)
    simulator.script([Fault(kind="wrong_json")])
    assert b"<html>" in ask(simulator, ME).body
    simulator.script([Fault(kind="wrong_json", body='{"resources": 5}')])
    assert ask(simulator, ME).body == {"resources": 5}
    simulator.script([Fault(kind="truncate")])
    reply = ask(simulator, ME).reply
    assert (reply.fault, reply.after) == ("truncate", len(reply.response.body) // 2)
    simulator.script([Fault(kind="reset", after=3, executed=False)])
    assert ask(simulator, ME).reply.after == 2
    simulator.script([Fault(kind="slow", seconds=9)])
    assert ask(simulator, ME).reply.seconds == 9
    assert ask(simulator, ME).status == 200


def test_bad_gzip_is_bad(ask):
    """On the wire the body is labelled gzip and cannot be read."""
    simulator = Simulator(_world(), faults=[Fault(kind="bad_gzip")])
    headers = {"authorization": f"Bearer {simulator.api_key}", "accept-encoding": "gzip"}
    for _ in range(2):
        response = simulator.handle(
            Request(method="GET", url=f"http://s{ME}", headers=headers), 0, wire=True
        ).response
        assert response.header("content-encoding") == "gzip"
        with pytest.raises((OSError, EOFError, zlib.error)):
            gzip.decompress(response.body)


def test_faults_are_read_from_json():
    """A list of faults is data; what is no such list is refused with its place."""
    faults = read_faults(b'[{"kind": "reset", "operation": "contacts.list", "nth": 3}]')
    assert faults == [Fault(kind="reset", operation="contacts.list", nth=3)]
    for wrong in (b"{", b"[{}]", b'[{"kind": "flood"}]', b'[{"kind": "reset", "often": true}]', b"\xff"):
        with pytest.raises(ConfigurationError):
            read_faults(wrong)


@_no_route("/nowhere")
def test_the_books_count_everything(ask):
    """Calls and statuses per operation, and a log without secrets."""
    simulator = Simulator(_world())
    ask(simulator, ME)
    ask(simulator, ME, key="wrong")
    ask(simulator, "/nowhere", x=1)
    assert simulator.calls("users.me") == 2
    assert simulator.statuses("users.me") == {200: 1, 401: 1}
    books = simulator.statistics()
    assert books["operations"]["users.me"] == {"calls": 2, "statuses": {"200": 1, "401": 1}}
    assert books["operations"]["unknown"] == {"calls": 1, "statuses": {"404": 1}}
    assert (books["unauthorized"], books["in_flight"], books["peak_in_flight"], books["requests"]) == (
        1,
        0,
        1,
        3,
    )
    assert [(seen.operation, seen.target, seen.status) for seen in simulator.log][-1] == (
        "unknown",
        "/nowhere?x=1",
        404,
    )
    assert simulator.api_key not in repr(simulator.log)
    json.dumps(books)
