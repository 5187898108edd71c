"""Contacts on their way through a pipeline: facts on top, methods below.

A lead's id is its contact's id, and every answer is the contact. Moving a contact to a stage also
brings it into the pipeline.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar, overload

from msgspec import UNSET, UnsetType

from nimble_async._aio.resource import Resource
from nimble_async._sansio.operation import Shape, delete, post, put
from nimble_async.nimble.models.contacts import Contact
from nimble_async.nimble.models.limits import given

__all__ = [
    "CLEAR",
    "EXIT_SUCCESSFUL",
    "EXIT_UNSUCCESSFUL",
    "MOVE",
    "UNDO",
    "UPDATE_SUCCESSFUL_EXIT",
    "UPDATE_UNSUCCESSFUL_EXIT",
    "Leads",
]

C = TypeVar("C", bound=Contact)

_LEAD = "/api/v2/leads/{lead_id}/{pipeline_id}"
MOVE = post("leads.move", f"{_LEAD}/move", returns=Contact, summary="Put a contact on a stage of a pipeline.")
EXIT_SUCCESSFUL = post(
    "leads.exit_successful", f"{_LEAD}/successful", returns=Contact, summary="Take a lead out as won."
)
UPDATE_SUCCESSFUL_EXIT = put(
    "leads.update_successful_exit", f"{_LEAD}/successful", returns=Contact,
    summary="Correct the day or the notes of a won exit.",
)  # fmt: skip
EXIT_UNSUCCESSFUL = post(
    "leads.exit_unsuccessful", f"{_LEAD}/unsuccessful", returns=Contact, summary="Take a lead out as lost."
)
UPDATE_UNSUCCESSFUL_EXIT = put(
    "leads.update_unsuccessful_exit", f"{_LEAD}/unsuccessful", returns=Contact,
    summary="Correct the day, the notes or the reason of a lost exit.",
)  # fmt: skip
UNDO = post("leads.undo", f"{_LEAD}/undo", returns=Contact, summary="Take back the last exit of a lead.")
CLEAR = delete(
    "leads.clear", _LEAD, returns=Contact, shape=Shape.OBJECT,
    summary="Forget how a lead went through a pipeline this time.",
)  # fmt: skip


class Leads(Resource):
    """Contacts on their way through pipelines.

    A lead's id is its contact's id, and every method returns the contact.
    """

    @overload
    async def move(self, lead_id: str, pipeline_id: str, *, stage_id: str) -> Contact: ...
    @overload
    async def move(self, lead_id: str, pipeline_id: str, *, stage_id: str, view: type[C]) -> C: ...
    async def move(
        self, lead_id: str, pipeline_id: str, *, stage_id: str, view: type[Contact] = Contact
    ) -> Any:
        """Put a contact on a stage; a contact that is not in the pipeline enters it. Returns the contact.

        `POST /api/v2/leads/{lead_id}/{pipeline_id}/move`

        Args:
            lead_id: The contact's id.
            pipeline_id: The pipeline.
            stage_id: The stage.
            view: A class with typed fields to read the contact as, as in `contacts.list`.

        Raises:
            NotFound: There is no such contact or pipeline.
            ActionRefused: The step breaks a rule of the pipeline, or the contact is not this account's.
        """
        return await self._call(
            MOVE.yielding(view), body={"stage_id": stage_id}, lead_id=lead_id, pipeline_id=pipeline_id
        )

    @overload
    async def exit_successful(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        actual_exit_date: datetime | str | UnsetType | None = ...,
        notes: str | UnsetType | None = ...,
    ) -> Contact: ...
    @overload
    async def exit_successful(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        view: type[C],
        actual_exit_date: datetime | str | UnsetType | None = ...,
        notes: str | UnsetType | None = ...,
    ) -> C: ...
    async def exit_successful(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        actual_exit_date: datetime | str | UnsetType | None = UNSET,
        notes: str | UnsetType | None = UNSET,
        view: type[Contact] = Contact,
    ) -> Any:
        """Take a lead out as won; returns the contact.

        `POST /api/v2/leads/{lead_id}/{pipeline_id}/successful`

        Args:
            lead_id: The contact's id.
            pipeline_id: The pipeline.
            actual_exit_date: When; the time of the call unless told. The vendor documents no format: a
                moment goes out in ISO 8601, text as it is.
            notes: A remark.
            view: A class with typed fields to read the contact as, as in `contacts.list`.

        Raises:
            NotFound: There is no such contact or pipeline.
            ActionRefused: The step breaks a rule of the pipeline, or the contact is not this account's.
        """
        body = given(actual_exit_date=_moment(actual_exit_date), notes=notes)
        return await self._call(
            EXIT_SUCCESSFUL.yielding(view), body=body, lead_id=lead_id, pipeline_id=pipeline_id
        )

    @overload
    async def update_successful_exit(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        actual_exit_date: datetime | str | UnsetType | None = ...,
        notes: str | UnsetType | None = ...,
    ) -> Contact: ...
    @overload
    async def update_successful_exit(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        view: type[C],
        actual_exit_date: datetime | str | UnsetType | None = ...,
        notes: str | UnsetType | None = ...,
    ) -> C: ...
    async def update_successful_exit(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        actual_exit_date: datetime | str | UnsetType | None = UNSET,
        notes: str | UnsetType | None = UNSET,
        view: type[Contact] = Contact,
    ) -> Any:
        """Correct a won exit; returns the contact.

        `PUT /api/v2/leads/{lead_id}/{pipeline_id}/successful`

        Args:
            lead_id: The contact's id.
            pipeline_id: The pipeline.
            actual_exit_date: When; as it was unless told. The vendor documents no format: a moment goes out
                in ISO 8601, text as it is.
            notes: A remark.
            view: A class with typed fields to read the contact as, as in `contacts.list`.

        Raises:
            NotFound: There is no such contact or pipeline.
            ActionRefused: The step breaks a rule of the pipeline, or the contact is not this account's.
        """
        body = given(actual_exit_date=_moment(actual_exit_date), notes=notes)
        return await self._call(
            UPDATE_SUCCESSFUL_EXIT.yielding(view), body=body, lead_id=lead_id, pipeline_id=pipeline_id
        )

    @overload
    async def exit_unsuccessful(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        actual_exit_date: datetime | str | UnsetType | None = ...,
        notes: str | UnsetType | None = ...,
        lost_reason: str | UnsetType | None = ...,
    ) -> Contact: ...
    @overload
    async def exit_unsuccessful(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        view: type[C],
        actual_exit_date: datetime | str | UnsetType | None = ...,
        notes: str | UnsetType | None = ...,
        lost_reason: str | UnsetType | None = ...,
    ) -> C: ...
    async def exit_unsuccessful(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        actual_exit_date: datetime | str | UnsetType | None = UNSET,
        notes: str | UnsetType | None = UNSET,
        lost_reason: str | UnsetType | None = UNSET,
        view: type[Contact] = Contact,
    ) -> Any:
        """Take a lead out as lost; returns the contact.

        `POST /api/v2/leads/{lead_id}/{pipeline_id}/unsuccessful`

        Args:
            lead_id: The contact's id.
            pipeline_id: The pipeline.
            actual_exit_date: When; the time of the call unless told. The vendor documents no format: a
                moment goes out in ISO 8601, text as it is.
            notes: A remark.
            lost_reason: Why. Whether the vendor wants the id or the text of a reason is not documented.
            view: A class with typed fields to read the contact as, as in `contacts.list`.

        Raises:
            NotFound: There is no such contact or pipeline.
            ActionRefused: The step breaks a rule of the pipeline, or the contact is not this account's.
        """
        body = given(actual_exit_date=_moment(actual_exit_date), notes=notes, lost_reason=lost_reason)
        return await self._call(
            EXIT_UNSUCCESSFUL.yielding(view), body=body, lead_id=lead_id, pipeline_id=pipeline_id
        )

    @overload
    async def update_unsuccessful_exit(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        actual_exit_date: datetime | str | UnsetType | None = ...,
        notes: str | UnsetType | None = ...,
        lost_reason: str | UnsetType | None = ...,
    ) -> Contact: ...
    @overload
    async def update_unsuccessful_exit(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        view: type[C],
        actual_exit_date: datetime | str | UnsetType | None = ...,
        notes: str | UnsetType | None = ...,
        lost_reason: str | UnsetType | None = ...,
    ) -> C: ...
    async def update_unsuccessful_exit(
        self,
        lead_id: str,
        pipeline_id: str,
        *,
        actual_exit_date: datetime | str | UnsetType | None = UNSET,
        notes: str | UnsetType | None = UNSET,
        lost_reason: str | UnsetType | None = UNSET,
        view: type[Contact] = Contact,
    ) -> Any:
        """Correct a lost exit; returns the contact.

        `PUT /api/v2/leads/{lead_id}/{pipeline_id}/unsuccessful`

        Args:
            lead_id: The contact's id.
            pipeline_id: The pipeline.
            actual_exit_date: When; as it was unless told. The vendor documents no format: a moment goes out
                in ISO 8601, text as it is.
            notes: A remark.
            lost_reason: Why. Whether the vendor wants the id or the text of a reason is not documented.
            view: A class with typed fields to read the contact as, as in `contacts.list`.

        Raises:
            NotFound: There is no such contact or pipeline.
            ActionRefused: The step breaks a rule of the pipeline, or the contact is not this account's.
        """
        body = given(actual_exit_date=_moment(actual_exit_date), notes=notes, lost_reason=lost_reason)
        return await self._call(
            UPDATE_UNSUCCESSFUL_EXIT.yielding(view), body=body, lead_id=lead_id, pipeline_id=pipeline_id
        )

    @overload
    async def undo(self, lead_id: str, pipeline_id: str) -> Contact: ...
    @overload
    async def undo(self, lead_id: str, pipeline_id: str, *, view: type[C]) -> C: ...
    async def undo(self, lead_id: str, pipeline_id: str, *, view: type[Contact] = Contact) -> Any:
        """Take back the last exit, won or lost; returns the contact.

        `POST /api/v2/leads/{lead_id}/{pipeline_id}/undo`

        Args:
            lead_id: The contact's id.
            pipeline_id: The pipeline.
            view: A class with typed fields to read the contact as, as in `contacts.list`.

        Raises:
            NotFound: There is no such contact or pipeline.
            ActionRefused: The step breaks a rule of the pipeline, or the contact is not this account's.
        """
        return await self._call(UNDO.yielding(view), lead_id=lead_id, pipeline_id=pipeline_id)

    @overload
    async def clear(self, lead_id: str, pipeline_id: str) -> Contact: ...
    @overload
    async def clear(self, lead_id: str, pipeline_id: str, *, view: type[C]) -> C: ...
    async def clear(self, lead_id: str, pipeline_id: str, *, view: type[Contact] = Contact) -> Any:
        """Forget every step of a lead's present run through a pipeline; returns the contact.

        `DELETE /api/v2/leads/{lead_id}/{pipeline_id}`

        Args:
            lead_id: The contact's id.
            pipeline_id: The pipeline.
            view: A class with typed fields to read the contact as, as in `contacts.list`.

        Raises:
            NotFound: There is no such contact or pipeline.
            ActionRefused: The step breaks a rule of the pipeline, or the contact is not this account's.
        """
        return await self._call(CLEAR.yielding(view), lead_id=lead_id, pipeline_id=pipeline_id)


def _moment(when: datetime | str | UnsetType | None) -> Any:
    return when.isoformat() if isinstance(when, datetime) else when
