"""message_drafts.*: messages that are not sent yet. Their pages count from zero."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.checks import Rule, read_body, read_number, require_id, wrong_in
from nimble_async.testing.nimble.content import contact_values, short_contact
from nimble_async.testing.nimble.refusals import invalid
from nimble_async.testing.nimble.standing import OWNER, USERS
from nimble_async.testing.nimble.tasks import stamp

__all__ = ["HANDLERS", "create", "list_drafts"]

_PAGE = 30
_PEOPLE = ("recipients", "cc", "bcc")
_ACCOUNT = {
    "account_type": Rule(required=True, choices=("email", "mass_mail")),
    "identifier": Rule(required=True),
}
_ATTACHMENT = {
    "content_type": Rule(required=True),
    "data_id": Rule(required=True),
    "file_size": Rule(kind="integer", required=True),
    "name": Rule(required=True),
    "url": Rule(required=True),
}


def create(call: Call) -> Answer:
    """Keep a draft."""
    body = read_body(
        call,
        recipients=Rule(kind="array", items="object"),
        cc=Rule(kind="array", items="object"),
        bcc=Rule(kind="array", items="object"),
        attachments=Rule(kind="array", items="object"),
        sender=Rule(kind="object", null=True),
        sender_credential_id=Rule(null=True),
        subject=Rule(null=True),
        body=Rule(null=True),
        builder_data=Rule(kind="object", null=True),
        content_mode=Rule(choices=("standard", "builder", "custom_html")),
        in_reply_to=Rule(kind="object", null=True),
        tracking_configuration=Rule(kind="object"),
        tracking_enabled=Rule(kind="any", null=True),
        watch_replies=Rule(kind="object", null=True),
    )
    _check(body)
    draft_id = call.new_id()
    draft = {
        "draft_id": draft_id,
        "updated": stamp(float(int(call.wall))),
        "specification": {"attachments": [], "bcc": [], "cc": [], "recipients": [], **body},
    }
    call.account.drafts[draft_id] = draft
    call.account.change()
    return json_answer(_shown(call, draft))


def list_drafts(call: Call) -> Answer:
    """Answer one page of drafts, the newest first, by recipients and sender where they are given."""
    number, size = read_number(call, "page", 0, least=0), read_number(call, "per_page", _PAGE)
    drafts = [draft for draft in call.account.drafts.values() if _wanted(call, draft["specification"])]
    drafts.reverse()
    meta = {
        "page": number,
        "pages": -(-len(drafts) // size),
        "per_page": size,
        "total": len(drafts),
    }
    shown = [_shown(call, draft) for draft in drafts[number * size : (number + 1) * size]]
    return json_answer({"drafts": shown, "meta": meta}, lasting=True)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {"message_drafts.create": create, "message_drafts.list": list_drafts}
)


def _check(body: Mapping[str, Any]) -> None:
    wrong: dict[str, str] = {}
    for name in _PEOPLE:
        for place, person in enumerate(body.get(name, ())):
            wrong |= wrong_in(person, _ACCOUNT, f"/{name}/{place}")
    for place, attachment in enumerate(body.get("attachments", ())):
        wrong |= wrong_in(attachment, _ATTACHMENT, f"/attachments/{place}")
    if body.get("sender") is not None:
        wrong |= wrong_in(body["sender"], _ACCOUNT, "/sender")
    if wrong:
        raise Refusal(invalid(wrong))
    if body.get("sender_credential_id") is not None:
        require_id("/sender_credential_id", body["sender_credential_id"])


def _wanted(call: Call, draft: Mapping[str, Any]) -> bool:
    sender, recipients = call.text("sender"), set(call.names("recipients"))
    if sender and (draft.get("sender") or {}).get("identifier") != sender:
        return False
    return not recipients or bool(recipients & {one["identifier"] for one in draft["recipients"]})


def _shown(call: Call, draft: Mapping[str, Any]) -> dict[str, Any]:
    """Return a draft with the contacts and users that its addresses belong to."""
    specification = draft["specification"]
    people = {name: [_person(call, one["identifier"]) for one in specification[name]] for name in _PEOPLE}
    sender = specification.get("sender")
    mapped = {} if sender is None else {"sender": _person(call, sender["identifier"])}
    return {**draft, **people, **mapped, "creator": OWNER}


def _person(call: Call, address: str) -> dict[str, Any]:
    """Return who has an address; contacts that nobody wrote or changed are not searched through."""
    found: dict[str, Any] = {"email": address}
    user = next((one for one in USERS if one["email"] == address), None)
    if user is not None:
        found["user"] = user
    for serial in call.account.profiles:
        emails = [text for text, _ in contact_values(call.world, serial).get("email", ())]
        if address in emails and call.world.contacts.exists(serial):
            found["contact"] = short_contact(call.world, call.world.contacts.id_of(serial))
    return found
