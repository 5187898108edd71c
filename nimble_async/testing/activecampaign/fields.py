"""Custom fields of deals (dealCustomFieldMeta to the vendor) and their values (dealCustomFieldData)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.activecampaign.answers import (
    body_of,
    complaint,
    faulty,
    filters,
    page,
    row_of,
    rows_of,
    world_of,
)
from nimble_async.testing.call import Answer, Call, Handler, Refusal, json_answer

__all__ = [
    "HANDLERS",
    "create_field",
    "create_value",
    "create_values",
    "delete_field",
    "delete_value",
    "get_field",
    "get_value",
    "list_fields",
    "list_values",
    "update_field",
    "update_value",
    "update_values",
]

_TYPES = frozenset(
    {"text", "textarea", "date", "datetime", "dropdown", "multiselect", "radio", "checkbox", "hidden",
     "currency", "number"}
)  # fmt: skip
_FIELD = frozenset(
    {"fieldLabel", "fieldOptions", "fieldDefault", "fieldDefaultCurrency", "isFormVisible", "isRequired",
     "displayOrder"}
)  # fmt: skip


def list_fields(call: Call) -> Answer:
    """Answer the custom fields, a hundred at once unless told, without any meta."""
    return page(call, list(rows_of(call, "fields")), "dealCustomFieldMeta", total=None, size=100)


def get_field(call: Call) -> Answer:
    """Answer one custom field."""
    return json_answer({"dealCustomFieldMetum": row_of(call, "fields", "DealCustomFieldMeta")}, lasting=True)


def create_field(call: Call) -> Answer:
    """Make a custom field; what is missing is told in a body that is no JSON, as one example shows it."""
    sent, world = body_of(call, "dealCustomFieldMetum"), world_of(call)
    if not sent.get("fieldLabel") or sent.get("fieldType") not in _TYPES:
        broken = b'{"errors":[{"title":"The fieldType is not valid.","code":422,}]}'
        raise Refusal(Answer(422, broken, {"content-type": "application/json"}))
    bare = world.bare(world.wall(call.now))
    row = rows_of(call, "fields").add(
        {"fieldLabel": sent["fieldLabel"], "fieldType": sent["fieldType"], "fieldOptions": None,
         "fieldDefault": "", "fieldDefaultCurrency": None, "isFormVisible": 1, "isRequired": 0,
         "displayOrder": len(rows_of(call, "fields")) + 1, "hideFieldFlag": 0, "knownFieldId": None,
         "personalization": f"DEAL_{str(sent['fieldLabel']).upper().replace(' ', '_')}",
         "createdTimestamp": bare, "updatedTimestamp": bare, "links": {}}
    )  # fmt: skip
    return _put_field(call, row, sent)


def update_field(call: Call) -> Answer:
    """Change what was sent of a custom field; its type stays."""
    return _put_field(
        call, row_of(call, "fields", "DealCustomFieldMeta"), body_of(call, "dealCustomFieldMetum")
    )


def _put_field(call: Call, row: dict[str, Any], sent: Mapping[str, Any]) -> Answer:
    world = world_of(call)
    row |= {
        name: int(value) if isinstance(value, bool) else value
        for name, value in sent.items()
        if name in _FIELD
    }
    row["updatedTimestamp"] = world.bare(world.wall(call.now))
    world.edits += 1
    return json_answer({"dealCustomFieldMetum": row})


def delete_field(call: Call) -> Answer:
    """End a custom field with its values."""
    row = row_of(call, "fields", "DealCustomFieldMeta")
    for value in rows_of(call, "values"):
        if str(value["customFieldId"]) == row["id"]:
            rows_of(call, "values").remove(value)
    rows_of(call, "fields").remove(row)
    world_of(call).edits += 1
    return json_answer({"message": f"Deal custom field {row['id']} deleted"})


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    """Return a value as reads show it: always as text, several choices between bars."""
    content = value["fieldValue"]
    text = f"||{'||'.join(map(str, content))}||" if isinstance(content, list) else str(content)
    return {**value, "fieldValue": text}


def list_values(call: Call) -> Answer:
    """Answer the values of custom fields, without any meta."""
    wanted = filters(call, ("dealId",)).get("dealId")
    rows = [_shown(row) for row in rows_of(call, "values") if wanted in (None, str(row["dealId"]))]
    return page(call, rows, "dealCustomFieldData", total=None)


def get_value(call: Call) -> Answer:
    """Answer one value."""
    return json_answer(
        {"dealCustomFieldDatum": _shown(row_of(call, "values", "DealCustomFieldData"))}, lasting=True
    )


def create_value(call: Call) -> Answer:
    """Store a value of a field on a deal."""
    sent = body_of(call, "dealCustomFieldDatum")
    row = _store(call, sent)
    # An echo has the ids as they were sent.
    return json_answer(
        {"dealCustomFieldDatum": {**row, **{name: sent[name] for name in ("dealId", "customFieldId")}}}
    )


def _store(call: Call, sent: Any) -> dict[str, Any]:
    """Store one value.

    Raises:
        Refusal: There is no such deal or field, or no value; a complaint with a detail and nothing else.
    """
    world = world_of(call)
    sent = sent if isinstance(sent, dict) else {}
    deal, field = str(sent.get("dealId", "")), str(sent.get("customFieldId", ""))
    if world.deals.serial_of(deal) is None:
        raise faulty({"detail": f"Deal {deal} does not exist"})
    if rows_of(call, "fields").get(field) is None:
        raise faulty({"detail": f"Custom field {field} does not exist"})
    if "fieldValue" not in sent:
        raise faulty({"detail": "fieldValue is missing"})
    bare = world.bare(world.wall(call.now))
    currency = {"fieldCurrency": sent["fieldCurrency"]} if sent.get("fieldCurrency") else {}
    world.edits += 1
    for row in rows_of(call, "values"):
        if str(row["dealId"]) == deal and str(row["customFieldId"]) == field:
            row |= {"fieldValue": sent["fieldValue"], "updatedTimestamp": bare, **currency}
            return row
    return rows_of(call, "values").add(
        {"dealId": int(deal), "customFieldId": int(field), "dealCustomFieldMetumId": int(field),
         "fieldValue": sent["fieldValue"], "createdTimestamp": bare, "updatedTimestamp": bare, **currency,
         "links": {}}
    )  # fmt: skip


def update_value(call: Call) -> Answer:
    """Change one value."""
    sent = body_of(call, "dealCustomFieldDatum")
    row = row_of(call, "values", "DealCustomFieldData")
    if "fieldValue" not in sent:
        raise faulty({"detail": "fieldValue is missing"})
    return json_answer({"dealCustomFieldDatum": _change(call, row, sent)})


def _change(call: Call, row: dict[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    world = world_of(call)
    row |= {name: sent[name] for name in ("fieldValue", "fieldCurrency") if name in sent}
    row["updatedTimestamp"] = world.bare(world.wall(call.now))
    world.edits += 1
    return row


def delete_value(call: Call) -> Answer:
    """End one value; a missing one is told in JSON that is labelled as text."""
    row = row_of(call, "values", "DealCustomFieldData", text=True)
    rows_of(call, "values").remove(row)
    world_of(call).edits += 1
    return json_answer({"message": f"Deal custom field value {row['id']} deleted"})


def create_values(call: Call) -> Answer:
    """Store many values: a bare list. All or nothing; the answer names no ids."""
    sent = _bare_list(call)
    world, fields = world_of(call), rows_of(call, "fields")
    for row in sent:
        if (
            world.deals.serial_of(str(row.get("dealId"))) is None
            or fields.get(str(row.get("customFieldId"))) is None
        ):
            raise faulty(
                {"detail": f"Deal {row.get('dealId')} or field {row.get('customFieldId')} does not exist"}
            )
    for row in sent:
        _store(call, row)
    return json_answer({"message": f"{len(sent)} custom field values created"})


def update_values(call: Call) -> Answer:
    """Change many values: a bare list. The answer lists their ids as prose."""
    sent = _bare_list(call)
    found = [rows_of(call, "values").get(str(row.get("id"))) for row in sent]
    for row, asked in zip(found, sent, strict=True):
        if row is None:
            raise faulty({"detail": f"Custom field value {asked.get('id')} does not exist"})
    for row, asked in zip(found, sent, strict=True):
        if row is not None:
            _change(call, row, asked)
    ids = ", ".join(str(row["id"]) for row in sent)
    return json_answer({"message": f"Custom field values updated: {ids}"})


def _bare_list(call: Call) -> list[Any]:
    sent = body_of(call, None)
    if not isinstance(sent, list) or not all(isinstance(row, dict) for row in sent):
        raise faulty(complaint("The request must be a list of objects.", code="field_invalid"))
    return sent


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "custom_field_values.list": list_values,
        "custom_field_values.create": create_value,
        "custom_field_values.create_many": create_values,
        "custom_field_values.update_many": update_values,
        "custom_field_values.get": get_value,
        "custom_field_values.update": update_value,
        "custom_field_values.delete": delete_value,
        "custom_fields.list": list_fields,
        "custom_fields.create": create_field,
        "custom_fields.get": get_field,
        "custom_fields.update": update_field,
        "custom_fields.delete": delete_field,
    }
)
