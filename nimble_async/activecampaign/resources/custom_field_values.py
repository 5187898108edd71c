"""Values of custom fields: facts on top, methods below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nimble_async._aio.paginator import Paginator
from nimble_async._aio.resource import Resource
from nimble_async._sansio import operation as op
from nimble_async._sansio.operation import Operation, Paging, Shape
from nimble_async.activecampaign.models.bodies import members_of
from nimble_async.activecampaign.models.bulk import BulkAnswer, BulkReport
from nimble_async.activecampaign.models.custom_field_values import (
    CustomFieldValue,
    CustomFieldValueDraft,
    CustomFieldValuePatch,
)
from nimble_async.activecampaign.resources.arguments import check_limit, filtered
from nimble_async.activecampaign.resources.bulk import Sent, alike, in_chunks
from nimble_async.errors import QueryRefused

__all__ = ["CREATE", "CREATE_MANY", "DELETE", "GET", "LIST", "UPDATE", "UPDATE_MANY", "CustomFieldValues"]

LIST = op.get(
    "custom_field_values.list", "/api/3/dealCustomFieldData", returns=CustomFieldValue, shape=Shape.PAGE,
    items="dealCustomFieldData", paging=Paging.OFFSET, unordered=True, summary="Values of custom fields.",
)  # fmt: skip
CREATE = op.post(
    "custom_field_values.create", "/api/3/dealCustomFieldData", returns=CustomFieldValue, shape=Shape.MEMBER,
    items="dealCustomFieldDatum", summary="Set a value of a deal.",
)  # fmt: skip
CREATE_MANY = op.post(
    "custom_field_values.create_many", "/api/3/dealCustomFieldData/bulkCreate", returns=BulkAnswer,
    summary="Set many values.",
)  # fmt: skip
UPDATE_MANY = op.patch(
    "custom_field_values.update_many", "/api/3/dealCustomFieldData/bulkUpdate", returns=BulkAnswer,
    summary="Change many values.",
)  # fmt: skip
GET = op.get(
    "custom_field_values.get", "/api/3/dealCustomFieldData/{custom_field_value_id}", returns=CustomFieldValue,
    shape=Shape.MEMBER, items="dealCustomFieldDatum", summary="One value of a custom field.",
)  # fmt: skip
UPDATE = op.put(
    "custom_field_values.update", "/api/3/dealCustomFieldData/{custom_field_value_id}",
    returns=CustomFieldValue, shape=Shape.MEMBER, items="dealCustomFieldDatum", summary="Change a value.",
)  # fmt: skip
DELETE = op.delete(
    "custom_field_values.delete", "/api/3/dealCustomFieldData/{custom_field_value_id}", returns=type(None),
    summary="Delete a value.",
)  # fmt: skip


class CustomFieldValues(Resource):
    """Values of custom fields of deals; the vendor's dealCustomFieldData."""

    def list(
        self,
        *,
        deal_id: str | None = None,
        limit: int = 100,
        offset: int | None = None,
        start: str | None = None,
    ) -> Paginator[CustomFieldValue]:
        """List values (`GET /dealCustomFieldData`), all or those of one deal, as `deals.list` does.

        No total comes, and there is no filter by date: values cannot be read incrementally.

        Raises:
            QueryRefused: The limit is not in 1 to 100.
            CheckpointRefused: `start` belongs to another list.
        """
        query = filtered(dealId=deal_id)
        return self._paginate(LIST, query=query, size=check_limit(limit), offset=offset, start=start)

    async def create(self, draft: CustomFieldValueDraft | Mapping[str, Any]) -> CustomFieldValue:
        """Set a value (`POST /dealCustomFieldData`).

        Raises:
            InvalidInput: The vendor refuses the value.
        """
        return await self._call(CREATE, body={"dealCustomFieldDatum": members_of(draft)})

    async def create_many(self, drafts: Iterable[CustomFieldValueDraft | Mapping[str, Any]]) -> BulkReport:
        """Set many values (`POST /dealCustomFieldData/bulkCreate`), a hundred in a call.

        A call whose answer is lost is not sent again: its rows are `unknown` in the report, and so are those
        of a success that speaks of errors. The vendor answers in prose, without the new ids.

        Raises:
            CrmError: Nothing was set, for a reason that is not about the values.
        """
        return await self._many(CREATE_MANY, drafts, "dealId")

    async def update_many(self, patches: Iterable[CustomFieldValuePatch | Mapping[str, Any]]) -> BulkReport:
        """Change many values (`PATCH /dealCustomFieldData/bulkUpdate`), a hundred in a call.

        Raises:
            CrmError: Nothing was changed, for a reason that is not about the values.
            QueryRefused: A patch does not say whose value it changes: its `id` is missing.
        """
        return await self._many(UPDATE_MANY, patches, "id")

    async def _many(
        self,
        operation: Operation[BulkAnswer],
        bodies: Iterable[CustomFieldValueDraft | CustomFieldValuePatch | Mapping[str, Any]],
        key: str,
    ) -> BulkReport:
        rows = [members_of(body) for body in bodies]
        if not all(row.get(key) for row in rows):
            raise QueryRefused(f"{operation.name}: each row needs its {key}.")

        async def send(chunk: Sequence[dict[str, Any]]) -> Sent:
            answer = await self._call(operation, body=list(chunk))
            # Whether a success may report a failure of some rows is not documented.
            against = answer.complaint
            said = "; ".join(text for text in (answer.message, against) if text)
            return Sent(alike("unknown" if against else "done", len(chunk)), said)

        return await in_chunks(rows, send, id_of=lambda row: row[key])

    async def get(self, custom_field_value_id: str) -> CustomFieldValue:
        """Return one value (`GET /dealCustomFieldData/{id}`).

        Raises:
            NotFound: No value has this id.
        """
        return await self._call(GET, custom_field_value_id=custom_field_value_id)

    async def update(
        self, custom_field_value_id: str, patch: CustomFieldValuePatch | Mapping[str, Any]
    ) -> CustomFieldValue:
        """Change a value (`PUT /dealCustomFieldData/{id}`).

        Raises:
            InvalidInput: The vendor refuses the value.
            NotFound: No value has this id.
        """
        body = {"dealCustomFieldDatum": members_of(patch)}
        return await self._call(UPDATE, body=body, custom_field_value_id=custom_field_value_id)

    async def delete(self, custom_field_value_id: str) -> None:
        """Delete a value (`DELETE /dealCustomFieldData/{id}`).

        Raises:
            NotFound: No value has this id.
        """
        await self._call(DELETE, custom_field_value_id=custom_field_value_id)
