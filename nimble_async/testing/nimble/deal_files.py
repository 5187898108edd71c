"""deal_files.* and files.*: what is stored for deals, here or elsewhere.

The upload is documented by its path alone; its verb and its answer are this simulator's guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from nimble_async.testing.call import EMPTY, Answer, Call, Handler, Refusal, json_answer
from nimble_async.testing.nimble.checks import Rule, complain, read_body, wrong_in
from nimble_async.testing.nimble.deals import deal_number, note_deal_change
from nimble_async.testing.nimble.refusals import invalid, not_found
from nimble_async.testing.nimble.standing import OWNER

__all__ = ["HANDLERS", "create", "delete", "download_url", "rename", "upload"]

_SOURCES = ("uploaded_azure", "dropbox", "one_drive", "google_drive")


def upload(call: Call) -> Answer:
    """Take any bytes, and answer the id to name them by."""
    data_id = call.new_id()
    call.account.uploads.add(data_id)
    return json_answer({"data_id": data_id})


def create(call: Call) -> Answer:
    """Attach an uploaded file or one of another service to a deal; the answer says nothing."""
    serial = deal_number(call)
    body = read_body(
        call,
        metadata=Rule(kind="object", required=True),
        file_name=Rule(),
        file_size=Rule(kind="number", least=0),
    )
    metadata = body["metadata"]
    rules = {"source": Rule(required=True, choices=_SOURCES)}
    if metadata.get("source") == "uploaded_azure":
        rules["data_id"] = Rule(required=True)
    else:
        rules |= {"file_url": Rule(required=True), "icon_url": Rule(required=True)}
    wrong = wrong_in(metadata, rules, "/metadata")
    if wrong:
        raise Refusal(invalid(wrong))
    if metadata["source"] == "uploaded_azure" and metadata["data_id"] not in call.account.uploads:
        return not_found("file data", metadata["data_id"])
    file = {
        "file_id": call.new_id(),
        "file_name": body.get("file_name", "upload"),
        "file_size": body.get("file_size", 0),
        "uploader": OWNER,
        "uploaded_at": datetime.fromtimestamp(int(call.wall), UTC).isoformat(),
        "metadata": {name: metadata[name] for name in rules},
    }
    profile = note_deal_change(call, serial)
    profile.files = [*profile.files, file]
    return Answer(201)


def rename(call: Call) -> Answer:
    """Rename an uploaded file; one of another service keeps its name."""
    file = _file(call)
    if file["metadata"]["source"] != "uploaded_azure":
        raise complain("/new_file_name", "Only uploaded files can be renamed")
    body = read_body(call, new_file_name=Rule(required=True, least=1))
    file["file_name"] = body["new_file_name"]
    note_deal_change(call, deal_number(call))
    return EMPTY


def delete(call: Call) -> Answer:
    """Take a file from a deal."""
    file = _file(call)
    profile = note_deal_change(call, deal_number(call))
    profile.files = [one for one in profile.files if one is not file]
    return EMPTY


def download_url(call: Call) -> Answer:
    """Answer where a file can be fetched: another host, which must not see our credentials."""
    file = _file(call)
    metadata = file["metadata"]
    if metadata["source"] == "uploaded_azure":
        return json_answer({"url": f"https://files.example.com/{metadata['data_id']}?signature=simulated"})
    return json_answer({"url": metadata["file_url"]})


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "deal_files.create": create,
        "deal_files.delete": delete,
        "deal_files.download_url": download_url,
        "deal_files.rename": rename,
        "files.azure_upload": upload,
    }
)


def _file(call: Call) -> dict[str, Any]:
    profile = call.account.deals.get(deal_number(call))
    for file in [] if profile is None else profile.files:
        if file["file_id"] == call.ids["file_id"]:
            return file
    raise Refusal(not_found("deal file", call.ids["file_id"]))
