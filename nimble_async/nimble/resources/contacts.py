"""People and companies: facts on top, methods below.

One contact lives under the singular `/contact`, lists under the plural: that is the vendor's
spelling, not a mistake.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Paging, Shape, get
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.resources.arguments import check_paging, check_sort, distinct, joined, search_text

__all__ = ["GET", "GET_MANY", "LIST", "LIST_IDS", "Contacts"]

LIST = get(
    "contacts.list", "/api/v1/contacts", returns=Contact, shape=Shape.PAGE, items="resources",
    paging=Paging.NUMBER, summary="People and companies, page by page.",
)  # fmt: skip
LIST_IDS = get(
    "contacts.list_ids", "/api/v1/contacts/ids", returns=str, shape=Shape.PAGE, items="resources",
    paging=Paging.NUMBER, summary="The ids of people and companies, page by page.",
)  # fmt: skip
GET = get(
    "contacts.get", "/api/v1/contact/{contact_id}", returns=Contact, shape=Shape.FIRST, items="resources",
    summary="One person or company.",
)  # fmt: skip
GET_MANY = get(
    "contacts.get_many", "/api/v1/contact", returns=Contact, shape=Shape.LIST, items="resources",
    summary="People and companies by their ids.",
)  # fmt: skip

_MOST_IDS = 30
"""Ids that one call of `contacts.get_many` takes."""


class Contacts(Resource):
    """People and companies."""

    def list(
        self,
        *,
        keyword: str | None = None,
        query: Mapping[str, Any] | str | None = None,
        record_type: str | None = None,
        sort: str | None = None,
        fields: Iterable[str] | None = None,
        tags: bool | None = None,
        contexts: Iterable[str] | None = None,
        last_contacted: bool | None = None,
        files_data: bool | None = None,
        per_page: int = 100,
        page: int | None = None,
        start: str | None = None,
    ) -> Paginator[Contact]:
        """List contacts; nothing is sent until the list is awaited or iterated.

        Args:
            keyword: Words to find in any field; not together with `query`.
            query: A search as an object or as its JSON text.
            record_type: `person`, `company` or `all`; beside a `query` it becomes one of its terms.
            sort: `<field>:asc` or `<field>:desc`; the vendor promises no order without it.
            fields: The names of the fields to send; all of them unless told.
            tags: Whether tags come too; they do unless told.
            contexts: Blocks to add: `last_contacted_data`, `employers_data`, `leads_data`,
                `sequences_data`, `contact_files`.
            last_contacted: Deprecated by the vendor; ask for the context `last_contacted_data`.
            files_data: Deprecated by the vendor; ask for the context `contact_files`.
            per_page: Records a page, at most 100 where sorted.
            page: The page to begin at, counted from 1.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=per_page, page=page, sort=sort)
        arguments = {
            **_search(keyword, query, record_type, sort),
            "fields": joined(fields),
            "tags": tags,
            "contexts": joined(contexts),
            "last_contacted": last_contacted,
            "files_data": files_data,
        }
        return self._paginate(LIST, query=arguments, size=per_page, page=page, start=start)

    def list_ids(
        self,
        *,
        keyword: str | None = None,
        query: Mapping[str, Any] | str | None = None,
        record_type: str | None = None,
        sort: str | None = None,
        fields: Iterable[str] | None = None,
        tags: bool | None = None,
        last_contacted: bool | None = None,
        per_page: int = 100,
        page: int | None = None,
        start: str | None = None,
    ) -> Paginator[str]:
        """List the ids of contacts; arguments and errors are those of `list`.

        The vendor takes `fields`, `tags` and `last_contacted` here too, although only ids come back.
        """
        check_paging(size=per_page, page=page, sort=sort)
        arguments = {
            **_search(keyword, query, record_type, sort),
            "fields": joined(fields),
            "tags": tags,
            "last_contacted": last_contacted,
        }
        return self._paginate(LIST_IDS, query=arguments, size=per_page, page=page, start=start)

    async def get(
        self,
        contact_id: str,
        *,
        fields: Iterable[str] | None = None,
        tags: bool | None = None,
        contexts: Iterable[str] | None = None,
        meta: bool | None = None,
        last_contacted: bool | None = None,
        leads_data: bool | None = None,
    ) -> Contact:
        """Return one contact.

        Args:
            contact_id: Its id.
            fields: The names of the fields to send; all of them unless told.
            tags: Whether tags come too.
            contexts: Blocks to add, as in `list`.
            meta: Whether the answer describes its fields too; that part is not returned here.
            last_contacted: Deprecated by the vendor; ask for the context `last_contacted_data`.
            leads_data: Deprecated by the vendor; ask for the context `leads_data`.

        Raises:
            NotFound: No contact has this id, or it was deleted.
            QueryRefused: A name of a field or context is empty.
        """
        arguments = _view(fields, tags, contexts, meta, last_contacted) | {"leads_data": leads_data}
        return await self._call(GET, query=arguments, contact_id=contact_id)

    async def get_many(
        self,
        ids: Iterable[str],
        *,
        fields: Iterable[str] | None = None,
        tags: bool | None = None,
        contexts: Iterable[str] | None = None,
        meta: bool | None = None,
        last_contacted: bool | None = None,
    ) -> builtins.list[Contact]:
        """Return the contacts with these ids, in the order of the ids, each once.

        An id that names nothing is left out: compare the ids of what came back to see which. Thirty
        ids go into one call; the calls run side by side, as many as the client allows.

        Args:
            ids: Any number of ids; one that is given twice is asked for once.
            fields: The names of the fields to send; all of them unless told.
            tags: Whether tags come too.
            contexts: Blocks to add, as in `list`.
            meta: Whether the answer describes its fields too; that part is not returned here.
            last_contacted: Deprecated by the vendor; ask for the context `last_contacted_data`.

        Raises:
            QueryRefused: `ids` is one text; or an id, or a name of a field or context, is empty.
        """
        wanted = distinct(ids)
        view = _view(fields, tags, contexts, meta, last_contacted)
        chunks = [wanted[begin : begin + _MOST_IDS] for begin in range(0, len(wanted), _MOST_IDS)]
        calls = [partial(self._rows, GET_MANY, query={"id": ",".join(chunk), **view}) for chunk in chunks]
        found = {contact.id: contact for rows in await self._gather(calls) for contact in rows}
        return [found[wish] for wish in wanted if wish in found]


def _view(
    fields: Iterable[str] | None,
    tags: bool | None,  # noqa: FBT001 (the methods' own arguments, handed on)
    contexts: Iterable[str] | None,
    meta: bool | None,  # noqa: FBT001 (as above)
    last_contacted: bool | None,  # noqa: FBT001 (as above)
) -> dict[str, Any]:
    return {
        "fields": joined(fields),
        "tags": tags,
        "contexts": joined(contexts),
        "meta": meta,
        "last_contacted": last_contacted,
    }


def _search(
    keyword: str | None, query: Mapping[str, Any] | str | None, record_type: str | None, sort: str | None
) -> dict[str, Any]:
    search = search_text(query, keyword=keyword, record_type=record_type)
    return {
        "keyword": keyword,
        "query": search,
        # Beside a search the vendor ignores it in silence, so it is a term of the search by now.
        "record_type": record_type if search is None else None,
        "sort": check_sort(sort),
    }
