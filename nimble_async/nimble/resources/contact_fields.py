"""Fields of contacts, their definitions and their primary values: facts on top, methods below.

Definitions stand under the plural `/contacts/fields`, the primary flag of one contact under the
singular `/contact/{contact_id}/field`.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Shape, delete, get, post, put
from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.limits import changed, check_between, check_length, given
from nimble_async.nimble.models.metadata import (
    FieldTab,
    NewFieldType,
    Other,
    Presentation,
    read_presentation,
)
from nimble_async.nimble.models.presenting import check_digits, check_presentation, check_rule

__all__ = ["CREATE", "DELETE", "LIST", "SET_PRIMARY", "UNSET_PRIMARY", "UPDATE", "ContactFields"]

LIST = get(
    "contact_fields.list", "/api/v1/contacts/fields", returns=FieldTab, shape=Shape.LIST, items="tabs",
    summary="Every tab, group and field of contacts.",
)  # fmt: skip
CREATE = post(
    "contact_fields.create", "/api/v1/contacts/fields", returns=FieldTab, summary="Add a field to contacts."
)
UPDATE = put(
    "contact_fields.update", "/api/v1/contacts/fields/{field_id}", returns=FieldTab,
    summary="Rename or move a field, or show it otherwise.",
)  # fmt: skip
DELETE = delete(
    "contact_fields.delete", "/api/v1/contacts/fields/{field_id}", returns=type(None),
    summary="Delete a field, with its values.",
)  # fmt: skip
SET_PRIMARY = put(
    "contact_fields.set_primary", "/api/v1/contact/{contact_id}/field", returns=type(None),
    shape=Shape.EMPTY, summary="Make one value of a contact's field the primary one.",
)  # fmt: skip
UNSET_PRIMARY = delete(
    "contact_fields.unset_primary", "/api/v1/contact/{contact_id}/field", returns=type(None),
    destructive=False, summary="Take the primary flag from one value of a contact's field.",
)  # fmt: skip


class ContactFields(Resource):
    """Fields of contacts."""

    async def list(self) -> builtins.list[FieldTab]:
        """Return every tab, with its groups and fields; `models.metadata.all_fields` flattens them.

        `GET /api/v1/contacts/fields`
        """
        return await self._rows(LIST)

    async def create(
        self,
        *,
        name: str,
        field_type: NewFieldType,
        tab_id: str,
        group_id: str | None = None,
        insert_after: str | None = None,
        presentation: Presentation | Mapping[str, Any] | None = None,
        multiples: bool | UnsetType = UNSET,
    ) -> FieldTab:
        """Add a field; returns the tab it is in.

        `POST /api/v1/contacts/fields`

        Args:
            name: 1 to 50 characters.
            field_type: Its kind, which cannot be changed later.
            tab_id: The tab to put it in.
            group_id: The group inside the tab; None: in none.
            insert_after: The field it comes after; None: it comes first.
            presentation: How its values are shown, also as its JSON object: needed for numbers and dates,
                refused for others.
            multiples: Whether it takes several values; it does not unless told.

        Raises:
            DraftRefused: The vendor would refuse these values.
            InvalidInput: The vendor refuses the values.
        """
        check_length("The name of a field", name, least=1, most=50)
        shown = _shown(presentation)
        check_rule(field_type)
        check_presentation(field_type, shown)
        body = given(
            name=name,
            field_type=field_type,
            tab_id=tab_id,
            group_id=group_id,
            insert_after=insert_after,
            presentation=shown,
            multiples=multiples,
        )
        return await self._call(CREATE, body=body)

    async def update(
        self,
        field_id: str,
        *,
        name: str | UnsetType = UNSET,
        tab_id: str | UnsetType = UNSET,
        group_id: str | UnsetType | None = UNSET,
        insert_after: str | UnsetType | None = UNSET,
        presentation: Presentation | Mapping[str, Any] | UnsetType = UNSET,
    ) -> FieldTab:
        """Rename or move a field, or show it otherwise; returns the tab it is in.

        `PUT /api/v1/contacts/fields/{field_id}`

        Args:
            field_id: The field.
            name: 1 to 50 characters.
            tab_id: The tab to move it to.
            group_id: The group to move it to; None: to none.
            insert_after: The field it comes after; None: it comes first.
            presentation: How its values are shown; its kind stays.

        Raises:
            DraftRefused: The vendor would refuse these values, or nothing is changed.
            NotFound: No field has this id.
            InvalidInput: The vendor refuses the values.
        """
        check_length("The name of a field", name, least=1, most=50)
        shown = None if presentation is UNSET else _shown(presentation)
        check_digits(shown)
        body = changed(
            name=name,
            tab_id=tab_id,
            group_id=group_id,
            insert_after=insert_after,
            presentation=UNSET if shown is None else shown,
        )
        return await self._call(UPDATE, body=body, field_id=field_id)

    async def delete(self, field_id: str, *, preflight_checks: bool = True) -> None:
        """Delete a field, with the values that contacts have in it.

        `DELETE /api/v1/contacts/fields/{field_id}`

        Args:
            field_id: The field.
            preflight_checks: Whether the vendor refuses where something would be affected.

        Raises:
            ActionRefused: Something would be affected.
            NotFound: No field has this id.
        """
        await self._call(DELETE, query={"preflight_checks": preflight_checks}, field_id=field_id)

    async def set_primary(self, contact_id: str, *, field_id: str, position: int) -> None:
        """Make one value of a contact's field the primary one.

        `PUT /api/v1/contact/{contact_id}/field`

        Args:
            contact_id: The contact.
            field_id: The field, as the values of a contact name it.
            position: Which of its values, counted from 0. Whether a field with several modifiers counts
                them together is not documented.

        Raises:
            DraftRefused: `position` is below 0.
            NotFound: No contact has this id, or it has no such value.
        """
        await self._call(SET_PRIMARY, body=_place(field_id, position), contact_id=contact_id)

    async def unset_primary(self, contact_id: str, *, field_id: str, position: int) -> None:
        """Take the primary flag from one value of a contact's field.

        `DELETE /api/v1/contact/{contact_id}/field`

        Args:
            contact_id: The contact.
            field_id: The field, as the values of a contact name it.
            position: Which of its values, counted from 0, as in `set_primary`.

        Raises:
            DraftRefused: `position` is below 0.
            NotFound: No contact has this id, or it has no such value.
        """
        await self._call(UNSET_PRIMARY, body=_place(field_id, position), contact_id=contact_id)


def _place(field_id: str, position: int) -> dict[str, str | int]:
    check_between("The position of a value", position)
    return {"field_id": field_id, "position": position}


def _shown(presentation: Presentation | Mapping[str, Any] | None) -> Presentation | None:
    """Return a presentation as its struct.

    Raises:
        DraftRefused: It is an object that is none of the vendor's presentations.
    """
    if not isinstance(presentation, Mapping):
        return presentation
    found = read_presentation(dict(presentation))
    if isinstance(found, Other):
        raise DraftRefused(f"There is no such presentation: {dict(presentation)!r}.")
    return found
