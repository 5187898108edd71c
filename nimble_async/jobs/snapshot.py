"""Read a listing that has no order to rely on: in one answer, or group by group where that is capped.

Rule: one answer whose distinct ids equal its own total is a snapshot. Where the vendor caps the
answer, the groups are walked until every total agrees with the distinct ids and a census settles;
else what was found is delivered as unproven.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

from msgspec import Raw

from nimble_async._sansio import codec
from nimble_async._sansio.paging import ByLimit, ByUrl, Cursor, Trail, follow
from nimble_async._sansio.walk import RowKey, SnapshotWalk
from nimble_async._sansio.windows import EARLIEST, LATEST, Census, Proof
from nimble_async.errors import Forbidden, NotFound
from nimble_async.jobs.journal import Closed, Journal, Started
from nimble_async.jobs.ledger import Ledger
from nimble_async.jobs.reading import Page, Reader

__all__ = ["SnapshotReading"]

_MOST_ASKS = 4
_MOST_WALKS = 4


class SnapshotReading:
    """One run over a snapshot walk."""

    def __init__(
        self,
        walk: SnapshotWalk,
        query: Mapping[str, Any],
        *,
        reader: Reader,
        ledger: Ledger,
        journal: Journal,
    ) -> None:
        self._walk = walk
        self._query = {**walk.query, **query}
        self._reader = reader
        self._ledger = ledger
        self._journal = journal
        self._parents: list[Mapping[str, Any]] = []
        self._facts: list[str] = []
        self._looked = False

    async def run(self) -> None:
        """Read everything, unless the journal has it, and close it.

        Raises:
            CrmError: A call failed for good; the next run begins again, since a snapshot has no half.
        """
        if not any(block.end == LATEST for block in self._journal.blocks):
            await self._read()
        elif self._journal.started is not None:
            self._reader.expected = self._journal.started.expected
        await self._look_at_parents()
        await self._ledger.flush(Closed(at=floor(self._reader.now()), facts=tuple(self._facts)))

    async def _read(self) -> None:
        page = await self._ask(self._walk.limit)
        started = self._journal.started
        if started is None:
            started = Started(at=floor(self._reader.now()), expected=page.total or len(page.rows))
            await self._ledger.flush(started)
        self._reader.expected = started.expected
        page = await self._ask_for_all(page)
        if _is_snapshot(page):
            rows = zip(page.keys, page.rows, strict=True)
            await self._ledger.put(rows, start=EARLIEST, end=LATEST, proof=Proof.SNAPSHOT)
        else:
            await self._walk_groups(page)
        await self._ledger.flush()

    async def _ask(self, limit: int) -> Page:
        page = await self._reader.page(cursor=ByLimit(limit), query=self._query, size=limit)
        self._reader.say("reading")
        return page

    async def _ask_for_all(self, page: Page) -> Page:
        """Ask for the total and some room, until an answer is whole or the vendor caps it."""
        for _ in range(_MOST_ASKS):
            if _is_snapshot(page):
                break
            wanted = page.total or len(page.rows)
            limit = wanted + max(50, wanted // 10)
            page = await self._ask(limit)
            self._reader.counts.reread += 1
            if len(page.rows) < min(limit, page.total or 0):
                break  # it sent fewer than there are and than were asked for: a cap
        return page

    async def _look_at_parents(self) -> None:
        """Learn which pipelines there are, once, for the walk over them and for the certificate."""
        if self._looked:
            return
        self._looked = True
        groups = self._walk.groups
        try:
            rows = await self._reader.rows(groups.parents, query={})
        except (Forbidden, NotFound) as error:
            self._facts.append(f"the pipelines could not be read: {error.message}")
            return
        self._parents = [codec.decode(row, dict[str, Any]) for row in rows]
        archived = sum(1 for parent in self._parents if parent.get(groups.archived))
        self._facts.append(
            f"{len(self._parents)} pipelines are visible to this account, {archived} of them archived; "
            "deals of pipelines that it may not see are in no answer"
        )

    async def _walk_groups(self, capped: Page) -> None:
        """Walk every pipeline by stage, again and again until a census settles and no total has moved."""
        await self._look_at_parents()
        census = Census()
        rows: dict[str, tuple[RowKey, Raw]] = {}
        nameless: list[tuple[RowKey, Raw]] = []
        totals: set[int | None] = set()
        proven = False
        for number in range(_MOST_WALKS):
            totals = {await self._total(census)} if number != 1 else totals
            for parent in self._parents:
                nameless = await self._walk_parent(parent, census, rows, nameless)
                totals.add(await self._total(census))
            proven = totals == {len(rows)} and census.settled() and not nameless
            if proven or (number >= 1 and len(totals) == 1 and len(rows) < (census.total or 0)):
                break  # settled, or still and yet less than the total: going round again shows nothing new
            self._reader.counts.reread += len(self._parents)
        self._say_what_was_seen(rows, census, capped)
        why = "" if proven else self._why(rows, census, totals)
        proof = Proof.CENSUS if proven else Proof.NONE
        await self._ledger.put([*rows.values(), *nameless], start=EARLIEST, end=LATEST, proof=proof, why=why)

    async def _total(self, census: Census) -> int | None:
        page = await self._ask(1)
        census.note((), page.total)
        return page.total

    async def _walk_parent(
        self,
        parent: Mapping[str, Any],
        census: Census,
        rows: dict[str, tuple[RowKey, Raw]],
        nameless: list[tuple[RowKey, Raw]],
    ) -> list[tuple[RowKey, Raw]]:
        """Walk one pipeline's groups to their ends; return the rows without an id that it showed."""
        groups = self._walk.groups
        ids = {groups.slot: str(parent.get(groups.parent_id, ""))}
        cursor: Cursor | None = ByUrl(groups.limit)
        trail = Trail()
        found = list(nameless)
        while cursor is not None:
            answer = await self._reader.answer(groups.listing, cursor=cursor, query=groups.query, ids=ids)
            trail, cursor = follow(trail, cursor, answer.page.facts)
            keys = self._reader.keys(answer.page.rows)
            census.note([key.id for key in keys if key.id is not None], None)
            for key, row in zip(keys, answer.page.rows, strict=True):
                if key.id is None:
                    found.append((key, row))
                else:
                    rows.setdefault(key.id, (key, row))
            self._reader.say("reading")
        return found

    def _say_what_was_seen(self, rows: Mapping[str, Any], census: Census, capped: Page) -> None:
        self._facts.append(
            f"{self._walk.listing.name} sends at most {len(capped.rows)} at once, so they were read "
            f"pipeline by pipeline: {len(rows)} of {census.total} found"
        )

    def _why(self, rows: Mapping[str, Any], census: Census, totals: set[int | None]) -> str:
        if len(totals) > 1:
            return "records came or went while the pipelines were walked, and what is missing cannot be told"
        if len(rows) < (census.total or 0):
            return (
                f"{(census.total or 0) - len(rows)} records are counted and in no pipeline that could be "
                "read (archived or not visible to this account)"
            )
        return "the pipelines showed other records than the total counts"


def _is_snapshot(page: Page) -> bool:
    ids = [key.id for key in page.keys if key.id is not None]
    return len(page.rows) == page.total and len(set(ids)) == len(ids)
