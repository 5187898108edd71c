"""deal_tags.*: the tags of deals, everywhere at once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nimble_async.testing.call import EMPTY, Answer, Call, Handler, json_answer
from nimble_async.testing.nimble.checks import Rule, complain, preflight, read_body, read_number
from nimble_async.testing.nimble.content import created_text
from nimble_async.testing.nimble.deal_content import deal_tags
from nimble_async.testing.nimble.deal_search import compile_deal_search
from nimble_async.testing.nimble.deals import editable_deal, note_deal_change
from nimble_async.testing.nimble.refusals import affected, not_acceptable
from nimble_async.testing.nimble.standing import TAGS

__all__ = ["HANDLERS", "assign", "delete", "list_tags", "rename"]


def list_tags(call: Call) -> Answer:
    """Answer the names of tags, those with a prefix where one is given, at most `limit`."""
    prefix = (call.text("starts_with") or "").lower()
    known = sorted(call.account.deal_tags.items())
    tags = [{"name": name, "created": made} for name, made in known if name.lower().startswith(prefix)]
    return json_answer({"tags": tags[: read_number(call, "limit", len(tags) or 1)]}, lasting=True)


def assign(call: Call) -> Answer:
    """Tag every deal that a query finds; the answer tells how far the work in the background is."""
    body = read_body(
        call,
        query=Rule(kind="object", required=True),
        tags=Rule(kind="array", required=True, items="string", least=1),
        preflight_checks=Rule(kind="boolean"),
    )
    test = compile_deal_search(call, body["query"])
    found = [serial for serial in call.world.deals.listed if test(serial)]
    fixed = [serial for serial in found if not editable_deal(call, serial)]
    if fixed and body.get("preflight_checks"):
        ids = [call.world.deals.id_of(serial) for serial in fixed]
        message = "Some deals cannot be updated because of their privacy settings"
        return affected(message, "non_editable_deals", len(fixed), {"_id": {"in": ids}})
    skipped = set(fixed)
    todo = [serial for serial in found if serial not in skipped]

    def work(at: float) -> None:
        for serial in todo:
            if call.world.deals.exists(serial):
                profile = note_deal_change(call, serial)
                profile.updated = call.world.wall(at)
                profile.tags = list(dict.fromkeys([*profile.tags, *body["tags"]]))
        for tag in body["tags"]:
            call.account.deal_tags.setdefault(tag, created_text(call.world.wall(at)))
        call.account.change()

    delay = call.behaviour.background
    if delay > 0:
        call.world.later(call.now + delay, work)
    else:
        work(call.now)
    complaint = {
        "error_type": "non_editable_deals",
        "error_description": "Some deals are not editable",
        "count": len(fixed),
    }
    progress = {
        "operation_id": call.new_id(),
        "started_at": created_text(call.wall),
        "is_completed": delay <= 0,
        "processed": 0 if delay > 0 else len(todo),
        "total": len(todo),
        "errors": [complaint] if fixed else [],
    }
    return json_answer({"push_data": progress})


def rename(call: Call) -> Answer:
    """Give a tag another name wherever it is."""
    before = call.ids["tag_name"]
    after = read_body(call, new_tag=Rule(required=True, least=1))["new_tag"].strip()
    if not after:
        raise complain("/new_tag", "is too short")
    known = call.account.deal_tags
    if before not in known:
        return not_acceptable(f"There is no tag {before}", "tag_not_found")
    if after in known and after != before:
        return not_acceptable(f"There is a tag {after} already", "tag_exists")
    known[after] = known.pop(before)
    _replace(call, before, after)
    return EMPTY


def delete(call: Call) -> Answer:
    """Take a tag from all deals; with checks it stays where deals have it."""
    tag = call.ids["tag_name"]
    having = [serial for serial in call.world.deals.listed if tag in deal_tags(call.world, serial)]
    if preflight(call, required=False) and having:
        return affected("Some deals have this tag", "tag_is_used", len(having), {"tag": {"is": tag}})
    if tag not in call.account.deal_tags:
        return not_acceptable(f"There is no tag {tag}", "tag_not_found")
    del call.account.deal_tags[tag]
    _replace(call, tag, None)
    return EMPTY


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "deal_tags.assign": assign,
        "deal_tags.delete": delete,
        "deal_tags.list": list_tags,
        "deal_tags.rename": rename,
    }
)


def _replace(call: Call, before: str, after: str | None) -> None:
    for profile in call.account.deals.values():
        tags = [after if tag == before else tag for tag in profile.tags]
        profile.tags = list(dict.fromkeys(tag for tag in tags if tag is not None))
    names = call.account.deal_tag_names
    for first in TAGS:
        if names.get(first, first) == before:
            names[first] = after
    call.account.change()
