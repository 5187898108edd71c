"""A seeded account with contacts and deals that may change while it is read.

Rule: no clock. `advance(now)` brings the world up to an instant of the simulation's time; who
calls it decides what time is. The content of a record is a pure function of the seed and its
number, so a world of a million contacts is cheap to hold and equal seeds give equal worlds.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterator

from msgspec import Struct

from nimble_async.testing.clock import EPOCH
from nimble_async.testing.herd import Herd
from nimble_async.testing.nimble.account import Account

__all__ = ["Drift", "World"]

_FIRST_CREATED = 1_546_300_800.0
_LAST_CREATED = 1_764_547_200.0


class Drift(Struct, frozen=True, kw_only=True):
    """How a world changes while it is read. Rates are events a second (Poisson), times seconds."""

    inserts: float = 0.0
    deletes: float = 0.0
    touches: float = 0.0
    """Contacts that are changed (their `updated` moves)."""
    deal_inserts: float = 0.0
    deal_deletes: float = 0.0
    backdated: float = 0.0
    """The share of new contacts whose `created` lies in the past ..."""
    backdate: float = 0.0
    """... by up to this long."""
    index_lag: float = 0.0
    """How long a new contact exists before listings show it."""

    @classmethod
    def even(cls, rate: float) -> Drift:
        """Return inserts and deletes each at `rate` a second, of contacts and of deals."""
        return cls(inserts=rate, deletes=rate, deal_inserts=rate, deal_deletes=rate)


class World:
    """One account. Times called `now` are the simulation's seconds, `wall` is `epoch` later.

    `imports` runs of `import_size` contacts share one `created`, as imports make them;
    `whole_seconds=False` gives `created` parts of a second that no answer shows;
    `hidden_deals` is the share of deals in pipelines that are archived or not visible;
    `utc_offset` (hours) is the zone in which the vendor writes times; `slim` contacts have a name
    and an address only, for simulations that count records and do not weigh them. It begins with
    `activities` calls, events and tasks of sequences, which no operation creates.
    """

    herd: type[Herd] = Herd
    """How the vendor's ids are made."""

    def __init__(
        self,
        *,
        contacts: int = 1000,
        deals: int = 100,
        seed: int = 0,
        epoch: float = EPOCH,
        drift: Drift = Drift(),  # noqa: B008 (frozen)
        imports: int = 0,
        import_size: int = 0,
        whole_seconds: bool = True,
        hidden_deals: float = 0.1,
        utc_offset: int = 0,
        slim: bool = False,
        activities: int = 0,
    ) -> None:
        self.seed = seed
        self.epoch: float = epoch
        self.drift = drift
        self.hidden_deals = hidden_deals
        self.utc_offset = utc_offset
        self.slim = slim
        self.activities = activities
        self.now: float = 0.0
        self._whole_seconds = whole_seconds
        salt = random.Random(f"{seed} salt").getrandbits(36)
        starts = random.Random(f"{seed} created")
        spread = _runs(_spread(starts, contacts, whole_seconds), imports, import_size, starts)
        self.contacts: Herd = self.herd(spread, salt=f"{salt:09x}0", epoch=epoch)
        self.deals: Herd = self.herd(_spread(starts, deals, whole_seconds), salt=f"{salt:09x}1", epoch=epoch)
        self.account: Account = Account(seed=seed)
        """What requests have changed."""
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._entries = 0
        self._still = True
        self._chance = random.Random(f"{seed} drift")
        self.still(on=False)

    def wall(self, now: float) -> float:
        """Return the wall clock at `now`, seconds since 1970."""
        return self.epoch + now

    def align(self, epoch: float) -> None:
        """Make `epoch` the wall clock at simulation time 0; does nothing once a record was born."""
        if not (self.contacts.births or self.deals.births):
            self.epoch = self.contacts.epoch = self.deals.epoch = epoch

    @property
    def version(self) -> int:
        """A number that grows with every change a listing could show."""
        return self.contacts.version + self.deals.version + self.account.version

    @property
    def at_rest(self) -> bool:
        """Whether nothing will change any more."""
        return not self._agenda

    def still(self, *, on: bool = True) -> None:
        """Stop the drift, or let it go on from the present instant."""
        if on == self._still:
            return
        self._still = on
        # What was begun is still brought to its end, such as a contact that the index has yet to show.
        self._agenda = [entry for entry in self._agenda if entry[2].__name__ != "happen"]
        heapq.heapify(self._agenda)
        if not on:
            for rate, action in self._streams():
                self._schedule(self.now, rate, action)

    def _streams(self) -> Iterator[tuple[float, Callable[[float], None]]]:
        yield self.drift.inserts, self._insert_contact
        yield self.drift.deletes, lambda now: self._delete(self.contacts, now)
        yield self.drift.touches, self._touch_contact
        yield self.drift.deal_inserts, self._insert_deal
        yield self.drift.deal_deletes, lambda now: self._delete(self.deals, now)

    def _schedule(self, now: float, rate: float, action: Callable[[float], None]) -> None:
        # Each stream draws from its own sequence: a second rate does not move the first one's events.
        chance = random.Random(self._chance.getrandbits(64))
        if rate <= 0:
            return

        def happen(at: float) -> None:
            action(at)
            self._enter(at + chance.expovariate(rate), happen)

        self._enter(now + chance.expovariate(rate), happen)

    def later(self, at: float, action: Callable[[float], None]) -> None:
        """Let `action` happen at an instant of the simulation's time."""
        self._enter(at, action)

    def _enter(self, at: float, action: Callable[[float], None]) -> None:
        self._entries += 1
        heapq.heappush(self._agenda, (at, self._entries, action))

    def advance(self, now: float) -> None:
        """Let everything happen that is due up to `now`; going back in time does nothing."""
        while self._agenda and self._agenda[0][0] <= now:
            at, _, action = heapq.heappop(self._agenda)
            self.now = max(self.now, at)
            action(at)
        self.now = max(self.now, now)

    def _stamp(self, wall: float) -> float:
        return math.floor(wall) if self._whole_seconds else wall

    def insert_contact(self, now: float, *, created: float | None = None, listed: bool = True) -> str:
        """Add a contact at `now` (after `advance`), `created` in wall seconds; return its id.

        One that is not `listed` exists, and no listing ever shows it.
        """
        stamp = self._stamp(self.wall(now) if created is None else created)
        serial = self.contacts.insert(now, stamp, listed=listed and self.drift.index_lag <= 0)
        if listed and self.drift.index_lag > 0:

            def show(at: float) -> None:
                del at
                if self.contacts.exists(serial):
                    self.contacts.show(serial)

            self._enter(now + self.drift.index_lag, show)
        return self.contacts.id_of(serial)

    def insert_deal(self, now: float) -> int:
        """Add a deal at `now` (after `advance`); return its number."""
        return self.deals.insert(now, self._stamp(self.wall(now)))

    def delete_contact(self, now: float, id: str) -> None:  # noqa: A002 (the vendor's word)
        """End a contact at `now`.

        Raises:
            KeyError: There is no such contact.
        """
        serial = self.contacts.serial_of(id)
        if serial is None:
            raise KeyError(id)
        self.contacts.delete(now, serial)

    def _insert_contact(self, now: float) -> None:
        past = (
            self._chance.uniform(0, self.drift.backdate)
            if self._chance.random() < self.drift.backdated
            else 0.0
        )
        self.insert_contact(now, created=self.wall(now) - past)

    def _insert_deal(self, now: float) -> None:
        self.insert_deal(now)

    def _touch_contact(self, now: float) -> None:
        if self.contacts.listed:
            serial = self.contacts.listed[self._chance.randrange(len(self.contacts.listed))]
            self.contacts.touch(self._stamp(self.wall(now)), serial)

    def _delete(self, herd: Herd, now: float) -> None:
        if herd.listed:
            herd.delete(now, herd.listed[self._chance.randrange(len(herd.listed))])


def _spread(chance: random.Random, count: int, whole_seconds: bool) -> list[float]:  # noqa: FBT001 (one caller)
    """Return strictly increasing wall seconds over seven years."""
    step = (_LAST_CREATED - _FIRST_CREATED) / max(1, count)
    instants = [_FIRST_CREATED + step * (place + 0.9 * chance.random()) for place in range(count)]
    return [float(math.floor(instant)) for instant in instants] if whole_seconds else instants


def _runs(created: list[float], imports: int, size: int, chance: random.Random) -> list[float]:
    """Give `imports` runs of `size` neighbours one created each, at seeded places."""
    for _ in range(imports if size > 1 else 0):
        first = chance.randrange(max(1, len(created) - size))
        last = min(len(created), first + size)
        created[first:last] = [created[first]] * (last - first)
    return created
