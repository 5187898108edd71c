"""People and companies: facts on top, methods below.

One contact lives under the singular `/contact`, lists under the plural: that is the vendor's
spelling, not a mistake.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, Literal, TypeVar, overload

import msgspec
from msgspec import UNSET, Struct

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Operation, Paging, Shape, Side, delete, get, post, put
from nimble_async.errors import DraftRefused, QueryRefused
from nimble_async.nimble.models.background import RemovedContacts
from nimble_async.nimble.models.contact_changes import ContactChange, ContactPatch
from nimble_async.nimble.models.contact_drafts import ContactDraft
from nimble_async.nimble.models.contacts import ASKED_FIELDS, Contact
from nimble_async.nimble.models.limits import check_choice
from nimble_async.nimble.models.metadata import FieldsMetadata
from nimble_async.nimble.resources.arguments import (
    ContextKind,
    RecordType,
    check_paging,
    contact_parts,
    contact_search,
    context_names,
    distinct,
    joined,
    search_text,
    several,
)

__all__ = [
    "CREATE",
    "DELETE",
    "DELETE_BULK",
    "GET",
    "GET_MANY",
    "LIST",
    "LIST_IDS",
    "METADATA",
    "UPDATE",
    "Contacts",
    "FoundOrCreated",
]

C = TypeVar("C", bound=Contact)

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
CREATE = post("contacts.create", "/api/v1/contact", returns=Contact, summary="Create a person or company.")
UPDATE = put(
    "contacts.update", "/api/v1/contact/{contact_id}", returns=Contact, repeatable=False,
    destructive_if="replace",
    summary="Change a person or company: extend fields, or replace them.",
)  # fmt: skip
DELETE = delete(
    "contacts.delete", "/api/v1/contact/{contact_id}", returns=type(None),
    summary="Delete one person or company.",
)  # fmt: skip
DELETE_BULK = delete(
    "contacts.delete_bulk", "/api/v1/contacts", returns=RemovedContacts, shape=Shape.OBJECT,
    summary="Delete every person and company that a search finds.",
)  # fmt: skip
METADATA = get(
    "contacts.metadata", "/api/v1/contacts/metadata", returns=FieldsMetadata,
    summary="The old description of fields and groups.",
)  # fmt: skip
_REPLACE = msgspec.structs.replace(UPDATE, repeatable=True)
"""The same where whole fields are replaced: a second execution ends in the same contact."""
_MOST_IDS = 30
"""Ids that one call of `contacts.get_many` takes."""
_METADATA = Side(name="contacts_meta", shared=True)
"""What comes beside contacts that were asked for with `meta`."""


class FoundOrCreated(Struct, Generic[C], frozen=True):
    """A contact, and whether it was created or had been there."""

    contact: C
    created: bool


class Contacts(Resource):
    """People and companies."""

    @overload
    def list(
        self,
        *,
        keyword: str | None = ...,
        query: Mapping[str, Any] | str | None = ...,
        record_type: RecordType | None = ...,
        sort: str | None = ...,
        fields: Iterable[str] | None = ...,
        tags: bool | None = ...,
        contexts: Iterable[ContextKind] | None = ...,
        last_contacted: bool | None = ...,
        files_data: bool | None = ...,
        per_page: int = ...,
        page: int | None = ...,
        start: str | None = ...,
    ) -> Paginator[Contact]: ...
    @overload
    def list(
        self,
        *,
        view: type[C],
        keyword: str | None = ...,
        query: Mapping[str, Any] | str | None = ...,
        record_type: RecordType | None = ...,
        sort: str | None = ...,
        fields: Iterable[str] | None = ...,
        tags: bool | None = ...,
        contexts: Iterable[ContextKind] | None = ...,
        last_contacted: bool | None = ...,
        files_data: bool | None = ...,
        per_page: int = ...,
        page: int | None = ...,
        start: str | None = ...,
    ) -> Paginator[C]: ...
    def list(
        self,
        *,
        keyword: str | None = None,
        query: Mapping[str, Any] | str | None = None,
        record_type: RecordType | None = None,
        sort: str | None = None,
        fields: Iterable[str] | None = None,
        tags: bool | None = None,
        contexts: Iterable[ContextKind] | None = None,
        last_contacted: bool | None = None,
        files_data: bool | None = None,
        per_page: int = 100,
        page: int | None = None,
        start: str | None = None,
        view: type[Contact] = Contact,
    ) -> Paginator[Any]:
        """List contacts; nothing is sent until the list is awaited or iterated.

        `GET /api/v1/contacts`

        Args:
            keyword: Words to find in any field; not together with `query`.
            query: A search: `Q.email.is_("ada@example.com") & Q.created.last(days=7)`, an object such as
                `{"email": {"is": "ada@example.com"}}`, or its JSON text.
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
            view: A class with typed fields that derives from `Contact`, as `nimble-async fields types`
                writes one; the list yields it.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=per_page, page=page, sort=sort)
        fields = several("name", fields)
        arguments = {
            **contact_search(keyword, query, record_type, sort),
            "fields": joined(fields),
            "tags": tags,
            "contexts": context_names(contexts),
            "last_contacted": last_contacted,
            "files_data": files_data,
        }
        operation = _asking(LIST.yielding(view), fields)
        return self._paginate(operation, query=arguments, size=per_page, page=page, start=start)

    def list_ids(
        self,
        *,
        keyword: str | None = None,
        query: Mapping[str, Any] | str | None = None,
        record_type: RecordType | None = None,
        sort: str | None = None,
        fields: Iterable[str] | None = None,
        tags: bool | None = None,
        last_contacted: bool | None = None,
        per_page: int = 100,
        page: int | None = None,
        start: str | None = None,
    ) -> Paginator[str]:
        """List the ids of contacts; nothing is sent until the list is awaited or iterated.

        The vendor takes `fields`, `tags` and `last_contacted` here too, although only ids come back.

        `GET /api/v1/contacts/ids`

        Args:
            keyword: Words to find in any field; not together with `query`.
            query: A search, as in `list`: made with `Q`, an object, or its JSON text.
            record_type: `person`, `company` or `all`; beside a `query` it becomes one of its terms.
            sort: `<field>:asc` or `<field>:desc`; the vendor promises no order without it.
            fields: As in `list`.
            tags: As in `list`.
            last_contacted: As in `list`.
            per_page: Ids a page, at most 100 where sorted.
            page: The page to begin at, counted from 1.
            start: A checkpoint of the same list, to go on where it was taken.

        Raises:
            QueryRefused: The vendor would refuse these arguments.
            CheckpointRefused: `start` belongs to another list.
        """
        check_paging(size=per_page, page=page, sort=sort)
        arguments = {
            **contact_search(keyword, query, record_type, sort),
            "fields": joined(fields),
            "tags": tags,
            "last_contacted": last_contacted,
        }
        return self._paginate(LIST_IDS, query=arguments, size=per_page, page=page, start=start)

    @overload
    async def get(
        self,
        contact_id: str,
        *,
        fields: Iterable[str] | None = ...,
        tags: bool | None = ...,
        contexts: Iterable[ContextKind] | None = ...,
        meta: bool | None = ...,
        last_contacted: bool | None = ...,
        leads_data: bool | None = ...,
    ) -> Contact: ...
    @overload
    async def get(
        self,
        contact_id: str,
        *,
        view: type[C],
        fields: Iterable[str] | None = ...,
        tags: bool | None = ...,
        contexts: Iterable[ContextKind] | None = ...,
        meta: bool | None = ...,
        last_contacted: bool | None = ...,
        leads_data: bool | None = ...,
    ) -> C: ...
    async def get(
        self,
        contact_id: str,
        *,
        fields: Iterable[str] | None = None,
        tags: bool | None = None,
        contexts: Iterable[ContextKind] | None = None,
        meta: bool | None = None,
        last_contacted: bool | None = None,
        leads_data: bool | None = None,
        view: type[Contact] = Contact,
    ) -> Any:
        """Return one contact.

        `GET /api/v1/contact/{contact_id}`

        Args:
            contact_id: Its id.
            fields: The names of the fields to send; all of them unless told.
            tags: Whether tags come too.
            contexts: Blocks to add, as in `list`.
            meta: Whether the answer describes the account's fields too, as `contact.metadata`.
            last_contacted: Deprecated by the vendor; ask for the context `last_contacted_data`.
            leads_data: Deprecated by the vendor; ask for the context `leads_data`.
            view: A class with typed fields to read it as, as in `list`.

        Raises:
            NotFound: No contact has this id, or it was deleted.
            QueryRefused: A name of a field or context is empty.
        """
        fields = several("name", fields)
        arguments = contact_parts(fields, tags, contexts, meta, last_contacted) | {"leads_data": leads_data}
        reading = _asking(GET.yielding(view), fields, meta)
        return await self._call(reading, query=arguments, contact_id=contact_id)

    @overload
    async def get_many(
        self,
        ids: Iterable[str],
        *,
        fields: Iterable[str] | None = ...,
        tags: bool | None = ...,
        contexts: Iterable[ContextKind] | None = ...,
        meta: bool | None = ...,
        last_contacted: bool | None = ...,
    ) -> builtins.list[Contact]: ...
    @overload
    async def get_many(
        self,
        ids: Iterable[str],
        *,
        view: type[C],
        fields: Iterable[str] | None = ...,
        tags: bool | None = ...,
        contexts: Iterable[ContextKind] | None = ...,
        meta: bool | None = ...,
        last_contacted: bool | None = ...,
    ) -> builtins.list[C]: ...
    async def get_many(
        self,
        ids: Iterable[str],
        *,
        fields: Iterable[str] | None = None,
        tags: bool | None = None,
        contexts: Iterable[ContextKind] | None = None,
        meta: bool | None = None,
        last_contacted: bool | None = None,
        view: type[Contact] = Contact,
    ) -> builtins.list[Any]:
        """Return the contacts with these ids, in the order of the ids, each once.

        An id that names nothing is left out: compare the ids of what came back to see which. Thirty
        ids go into one call; the calls run side by side, as many as the client allows.

        `GET /api/v1/contact`

        Args:
            ids: Any number of ids; one that is given twice is asked for once.
            fields: The names of the fields to send; all of them unless told.
            tags: Whether tags come too.
            contexts: Blocks to add, as in `list`.
            meta: Whether the answers describe the account's fields too, as `contact.metadata`.
            last_contacted: Deprecated by the vendor; ask for the context `last_contacted_data`.
            view: A class with typed fields to read them as, as in `list`.

        Raises:
            QueryRefused: `ids` is one text; or an id, or a name of a field, is empty or no text.
        """
        wanted = distinct(ids)
        fields = several("name", fields)
        shown = contact_parts(fields, tags, contexts, meta, last_contacted)
        reading = _asking(GET_MANY.yielding(view), fields, meta)
        chunks = [wanted[begin : begin + _MOST_IDS] for begin in range(0, len(wanted), _MOST_IDS)]
        calls = [partial(self._rows, reading, query={"id": ",".join(chunk), **shown}) for chunk in chunks]
        found = {contact.id: contact for rows in await self._gather(calls) for contact in rows}
        return [found[wish] for wish in wanted if wish in found]

    @overload
    async def create(self, draft: ContactDraft) -> Contact: ...
    @overload
    async def create(self, draft: ContactDraft, *, view: type[C]) -> C: ...
    async def create(self, draft: ContactDraft, *, view: type[Contact] = Contact) -> Any:
        """Create a person or company; returns it as it is then.

        `POST /api/v1/contact`

        Args:
            draft: What it shall be: `ContactDraft.person(...)` or `ContactDraft.company(...)`.
            view: A class with typed fields to read it as, as in `list`.

        Raises:
            InvalidInput: The vendor refuses values; `.fields` says which.
            QuotaExceeded: The plan holds no more contacts.
        """
        return await self._call(CREATE.yielding(view), body=draft)

    @overload
    async def update(
        self,
        contact_id: str,
        patch: ContactPatch,
        *,
        replace: bool | None = ...,
        leads_data: bool | None = ...,
    ) -> Contact: ...
    @overload
    async def update(
        self,
        contact_id: str,
        patch: ContactPatch,
        *,
        view: type[C],
        replace: bool | None = ...,
        leads_data: bool | None = ...,
    ) -> C: ...
    async def update(
        self,
        contact_id: str,
        patch: ContactPatch,
        *,
        replace: bool | None = None,
        leads_data: bool | None = None,
        view: type[Contact] = Contact,
    ) -> Any:
        """Change a contact; returns it as it is then.

        A patch written by hand extends: in the vendor's old description a value takes the place of those
        with its modifier and the rest of the field stays, its present one says "extend" only. A change
        (`contact.change()`) replaces the fields it touches and sends what they had before along with it.
        To extend is not safe to repeat, to replace is.

        `PUT /api/v1/contact/{contact_id}`

        Args:
            contact_id: The contact.
            patch: What to change.
            replace: Whether the fields that are sent are replaced as a whole (the vendor's `type=1`);
                decided by the kind of `patch` unless told.
            leads_data: Deprecated by the vendor: whether the answer tells of pipelines.
            view: A class with typed fields to read it as, as in `list`.

        Raises:
            DraftRefused: Nothing is changed, or a change shall extend, which would double its values.
            NotFound: No contact has this id.
            Forbidden: This account may not change it.
            InvalidInput: The vendor refuses values; `.fields` says which.
        """
        if patch.fields is UNSET and patch.avatar_url is UNSET and patch.is_important is UNSET:
            raise DraftRefused("The patch changes nothing.")
        whole = isinstance(patch, ContactChange) and patch.fields is not UNSET
        if whole and replace is False:
            raise DraftRefused(
                "A change of a contact sends whole fields: to extend would double their values.",
                hint="Leave replace out, or write a ContactPatch by hand.",
            )
        replacing = whole if replace is None else replace
        kind = {True: "1", False: None if replace is None else "0"}[replacing]
        return await self._call(
            (_REPLACE if replacing else UPDATE).yielding(view),
            query={"type": kind, "leads_data": leads_data},
            body=patch,
            contact_id=contact_id,
        )

    async def delete(
        self,
        contact_id: str,
        *,
        deletion_method: Literal["regular", "force"] | None = None,
        cleanup_email_lists: bool | None = None,
    ) -> None:
        """Delete one contact.

        `DELETE /api/v1/contact/{contact_id}`

        Args:
            contact_id: The contact.
            deletion_method: `force` also drops relations that stand in the way, such as a sequence;
                `regular`, the vendor's own choice, refuses then.
            cleanup_email_lists: Whether its addresses are taken from e-mail lists too.

        Raises:
            QueryRefused: There is no such method.
            NotFound: No contact has this id.
            Forbidden: This account may not delete it.
        """
        check_choice("deletion_method", deletion_method, ("regular", "force"), refused=QueryRefused)
        query = {"deletion_method": deletion_method, "cleanup_email_lists": cleanup_email_lists}
        await self._call(DELETE, query=query, contact_id=contact_id)

    async def delete_bulk(
        self,
        *,
        keyword: str | Iterable[str] | None = None,
        query: Mapping[str, Any] | str | None = None,
        record_type: RecordType | None = None,
        preflight_checks: bool | None = None,
    ) -> RemovedContacts:
        """Delete every contact that a search finds. The vendor may still be at work when it answers.

        `DELETE /api/v1/contacts`

        Args:
            keyword: Words to find in any field, one text or several; not together with `query`.
            query: A search, as in `list`: made with `Q`, an object, or its JSON text.
            record_type: `person`, `company` or `all`; beside a `query` it becomes one of its terms.
            preflight_checks: Whether the vendor refuses where some of them cannot be edited.

        Raises:
            QueryRefused: Nothing says which contacts (`record_type="all"` says it), or the vendor would
                refuse these arguments.
            ActionRefused: Some of them cannot be edited.
        """
        words = [keyword] if isinstance(keyword, str) else [*(keyword or ())]
        if not words and query is None and record_type is None:
            raise QueryRefused(
                "Say which contacts to delete.", hint="record_type='all' deletes every contact."
            )
        for word in words:
            search_text(query, keyword=word)
        search = search_text(query, record_type=record_type)
        arguments = {
            "keyword": words or None,
            "query": search,
            "record_type": record_type if search is None else None,
            "preflight_checks": preflight_checks,
        }
        return await self._call(DELETE_BULK, query=arguments)

    async def metadata(self) -> FieldsMetadata:
        """Return the old description of fields and groups; `contact_fields.list` has the present one.

        `GET /api/v1/contacts/metadata`
        """
        return await self._call(METADATA)

    @overload
    async def find(
        self,
        *,
        email: str | None = ...,
        phone: str | None = ...,
        domain: str | None = ...,
        query: Mapping[str, Any] | str | None = ...,
        record_type: RecordType | None = ...,
    ) -> Contact | None: ...
    @overload
    async def find(
        self,
        *,
        view: type[C],
        email: str | None = ...,
        phone: str | None = ...,
        domain: str | None = ...,
        query: Mapping[str, Any] | str | None = ...,
        record_type: RecordType | None = ...,
    ) -> C | None: ...
    async def find(
        self,
        *,
        email: str | None = None,
        phone: str | None = None,
        domain: str | None = None,
        query: Mapping[str, Any] | str | None = None,
        record_type: RecordType | None = None,
        view: type[Contact] = Contact,
    ) -> Any:
        """Return the oldest contact that the vendor's search finds, None where it finds none.

        The search reads an index that lags behind by seconds: a contact that was created, changed or
        deleted a moment ago may be missed, or found as it was. None is no proof that there is none.

        Args:
            email: An e-mail address it has; upper and lower case are one.
            phone: A phone number, written as in the contact.
            domain: A company's domain.
            query: Any other search, such as `Q.field("lead status").is_("Open")`.
            record_type: Only a `person`, or only a `company`: one more term of the search.
            view: A class with typed fields to read it as, as in `list`.

        Raises:
            QueryRefused: Not exactly one of email, phone, domain and query is given, or the vendor would
                refuse the search.
        """
        given = {"email": email, "phone": phone, "domain": domain}
        terms = [{name: {"is": text}} for name, text in given.items() if text is not None]
        if len(terms) + (query is not None) != 1:
            raise QueryRefused("Give exactly one of email, phone, domain and query.")
        search = query if query is not None else terms[0]
        page = await self.list(
            query=search, record_type=record_type, sort="created:asc", per_page=30, view=view
        )
        for contact in page.items:
            # Addresses are compared here again: the index folds accents and may know an old one.
            if email is None or email.strip().casefold() in map(str.casefold, contact.emails):
                return contact
        return None

    @overload
    async def find_or_create(
        self,
        draft: ContactDraft,
        *,
        email: str | None = ...,
        domain: str | None = ...,
        query: Mapping[str, Any] | str | None = ...,
        wait: float = ...,
    ) -> FoundOrCreated[Contact]: ...
    @overload
    async def find_or_create(
        self,
        draft: ContactDraft,
        *,
        view: type[C],
        email: str | None = ...,
        domain: str | None = ...,
        query: Mapping[str, Any] | str | None = ...,
        wait: float = ...,
    ) -> FoundOrCreated[C]: ...
    async def find_or_create(
        self,
        draft: ContactDraft,
        *,
        email: str | None = None,
        domain: str | None = None,
        query: Mapping[str, Any] | str | None = None,
        wait: float = 0.0,
        view: type[Contact] = Contact,
    ) -> FoundOrCreated[Any]:
        """Return the contact that a search finds, else create it; the result says which.

        Only a contact of the draft's kind is found: a company is never a person with its address.

        The vendor has no such operation: this is a search and then a creation, and the index of the
        search lags by seconds. Two callers at once, or a second call right after the first, can both
        create. `wait` makes that rarer, nothing makes it impossible; one caller for one address does.

        Args:
            draft: The contact to create where none is found; one that is found stays as it is.
            email: The address to look for. Where nothing is told, a company is looked for by the
                draft's domain, which is unique in an account, a person or a company without one by the
                draft's first address.
            domain: A company's domain to look for.
            query: Another search to find it by, such as `Q.company_name.is_("Acme")`.
            wait: Seconds to wait and look again before creating; 0: create at once.
            view: A class with typed fields to read it as, as in `list`.

        Raises:
            QueryRefused: There is nothing to look for, or more than one thing.
            InvalidInput: The vendor refuses values; `.fields` says which.
        """
        sought = _sought(draft, {"email": email, "domain": domain, "query": query})
        kind = draft.record_type or draft.type or None
        found = await self.find(record_type=kind, view=view, **sought)
        if found is None and wait > 0:
            await self._executor.core.clock.sleep(wait)
            found = await self.find(record_type=kind, view=view, **sought)
        if found is not None:
            return FoundOrCreated(found, created=False)
        return FoundOrCreated(await self.create(draft, view=view), created=True)


def _sought(draft: ContactDraft, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to look for: what was told, else what the draft can be known by.

    Raises:
        QueryRefused: There is nothing, or more than one thing.
    """
    sought = {name: what for name, what in told.items() if what is not None}
    if len(sought) > 1:
        raise QueryRefused(f"Give one of {', '.join(told)}, not {' and '.join(sought)}.")
    for name in () if sought else ("domain", "email"):
        text = next((one["value"] for one in draft.fields.get(name, ()) if one.get("value")), None)
        if text is not None:
            return {name: text}
    if not sought:
        raise QueryRefused(
            "There is nothing to look for: the draft has no e-mail address and no domain.",
            hint="Give email=, domain=, or query= such as Q.company_name.is_(...).",
        )
    return sought


def _asking(
    operation: Operation[C],
    fields: Sequence[str] | None,
    meta: bool | None = None,  # noqa: FBT001 (the methods' own argument, handed on)
) -> Operation[C]:
    """Return the operation with what its records keep beside them: the account's fields, those asked for."""
    sides = (_METADATA,) if meta else ()
    if fields:
        sides = (*sides, Side(name=ASKED_FIELDS, told=msgspec.json.encode(fields)))
    return msgspec.structs.replace(operation, sides=sides) if sides else operation
