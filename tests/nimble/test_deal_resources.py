"""The deals' side of the vendor's description, trap by trap."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from nimble_async._sansio.message import Response
from nimble_async.errors import (
    ActionRefused,
    CheckpointRefused,
    DraftRefused,
    MalformedResponse,
    NotFound,
    QueryRefused,
    RedirectRefused,
)
from nimble_async.nimble.models.deal_drafts import DealDraft, DealPatch
from nimble_async.nimble.models.deal_files import AzureFile, ExternalFile
from nimble_async.nimble.models.messages import MessageDraft, MessagingAccount
from nimble_async.nimble.models.metadata import (
    Choice,
    ChoiceType,
    FinancialPresentation,
    NumberType,
    PossibleValues,
    StringType,
)
from nimble_async.nimble.models.pipeline_drafts import (
    DealFieldDraft,
    DealGroupDraft,
    DealPipelineDraft,
    DealStageDraft,
)
from tests.nimble.recorded import Recorder, client

PIPELINE: dict[str, Any] = {"name": "n", "description": "d", "color": "#00aa00", "default_currency": "EUR"}
# Of no type, since a type checker would refuse the word before we do.
UNKNOWN: Any = "unknown"


def refused(status: int, **members: Any) -> Response:
    return Response(status=status, body=msgspec.json.encode(members))


async def test_a_deal_is_created_and_changed():
    """A draft and a patch go out as their bodies, and the deal comes back."""
    wire = Recorder(lambda sent: {"deal_id": "d1", "deal_number": 7})
    async with client(wire) as nimble:
        made = await nimble.deals.create(DealDraft(name="x", pipeline_id="p", stage_id="s"))
        moved = await nimble.deals.update("d1", DealPatch(stage_id="s2"))
        await nimble.deals.delete("d1")
    assert (made.id, moved.deal_number) == ("d1", 7)
    assert [(sent.method, sent.path, sent.body) for sent in wire.sent] == [
        (
            "POST",
            "/api/v2/deals",
            {"fields_values": {"name": [{"value": "x"}]}, "pipeline_id": "p", "stage_id": "s"},
        ),
        ("PUT", "/api/v2/deals/d1", {"stage_id": "s2"}),
        ("DELETE", "/api/v2/deals/d1", None),
    ]


async def test_won_amounts_keep_their_digits():
    """The sum comes as a number and is read digit by digit, never as a float."""
    wire = Recorder(lambda _: b'{"last_month_won_amount": 12345678901234567.89, "last_month_won_count": 3}')
    async with client(wire) as nimble:
        won = await nimble.deals.won_last_month()
    assert (won.amount, won.count) == (Decimal("12345678901234567.89"), 3)


async def test_types_of_overdue_activities_are_repeated():
    """No style is given for this list, so each type is a member of the query of its own."""
    wire = Recorder(lambda _: {"activities": []})
    async with client(wire) as nimble:
        page = await nimble.deals.overdue_activities("d", types=["task", "call", "task"], limit=3)
        await nimble.deals.overdue_activities("d", types=[])
    assert page.items == []
    assert wire.sent[0].query == [("types", "task"), ("types", "call"), ("limit", "3")]
    assert wire.sent[1].query == []


async def test_tags_of_deals_in_one_page():
    """Tags come in one page under the vendor's limit."""
    wire = Recorder(lambda _: {"tags": [{"name": "big", "created": "2024-01-01T00:00:00Z"}, {"name": "b"}]})
    async with client(wire) as nimble:
        found = await nimble.deal_tags.list(starts_with="b").collect()
    assert [tag.name for tag in found] == ["big", "b"]
    assert found[1].created is UNSET
    assert wire.sent[0].query == [("starts_with", "b")]


@pytest.mark.parametrize("query", [{"amount": {"gt": 5}}, '{"amount":{"gt":5}}'])
async def test_deals_are_tagged_by_a_search_as_an_object(query):
    """Here alone the search is an object in the body, not text; the answer tells of a job."""
    job = {"operation_id": "o", "processed": 1, "total": 9, "is_completed": False, "errors": []}
    wire = Recorder(lambda _: {"push_data": job})
    async with client(wire) as nimble:
        started = await nimble.deal_tags.assign(tags=("big",), query=query)
    assert wire.sent[0].body == {"tags": ["big"], "query": {"amount": {"gt": 5}}}
    progress = started.progress
    assert progress
    assert (progress.operation_id, progress.processed, progress.total, progress.is_completed) == (
        "o",
        1,
        9,
        False,
    )
    assert progress.errors == ()


@pytest.mark.parametrize(
    "arguments", [{"tags": "big", "query": {"a": {"is": "b"}}}, {"tags": ["a"], "query": {}}]
)
async def test_tagging_refuses_before_it_sends(arguments):
    """One text in the place of tags, and a search that finds nothing, are refused."""
    wire = Recorder()
    async with client(wire) as nimble:
        with pytest.raises(QueryRefused):
            await nimble.deal_tags.assign(**arguments)
    assert wire.sent == []


async def test_one_tag_lives_under_a_path_of_its_own():
    """The vendor writes `/api/2/` for one tag; its name is percent-encoded; a body goes with the delete."""
    wire = Recorder()
    async with client(wire) as nimble:
        await nimble.deal_tags.rename("big / new?", new_tag="n")
        await nimble.deal_tags.delete("big")
        await nimble.deal_tags.delete("big", preflight_checks=False)
    assert [(sent.method, sent.path, sent.body) for sent in wire.sent] == [
        ("PUT", "/api/2/deals/tags/big%20%2F%20new%3F", {"new_tag": "n"}),
        ("DELETE", "/api/2/deals/tags/big", {}),
        ("DELETE", "/api/2/deals/tags/big", {"preflight_checks": False}),
    ]


async def test_one_tag_is_looked_for_under_its_siblings_path_too():
    """That path may be a slip of the vendor's: where it is not known, `/api/v2/` is tried, once."""
    wire = Recorder(lambda sent: refused(404) if sent.path.startswith("/api/2/") else b"")
    async with client(wire) as nimble:
        await nimble.deal_tags.rename("t", new_tag="n")
        await nimble.deal_tags.delete("t")
    assert [sent.path for sent in wire.sent] == ["/api/2/deals/tags/t", "/api/v2/deals/tags/t"] * 2
    assert [sent.body for sent in wire.sent] == [{"new_tag": "n"}, {"new_tag": "n"}, {}, {}]


async def test_a_tag_that_nobody_has_is_not_found():
    """Where neither path knows the tag, it is not found; a refusal is not tried again."""
    wire = Recorder(lambda _: refused(404))
    async with client(wire) as nimble:
        with pytest.raises(NotFound) as caught:
            await nimble.deal_tags.delete("gone")
    assert (caught.value.id, len(wire.sent)) == ("gone", 2)
    wire = Recorder(lambda _: refused(406, message="Exists", type="tag_exists"))
    async with client(wire) as nimble:
        with pytest.raises(ActionRefused) as other:
            await nimble.deal_tags.rename("t", new_tag="n")
    assert (other.value.reason, len(wire.sent)) == ("tag_exists", 1)


async def test_files_of_both_kinds_are_added():
    """An upload goes by its id alone, a link with its addresses, its name and its size."""
    wire = Recorder(status=201)
    async with client(wire) as nimble:
        await nimble.deal_files.create("d", metadata=AzureFile(data_id="x"))
        await nimble.deal_files.create(
            "d",
            metadata=ExternalFile(source="one_drive", file_url="https://a.example/f", icon_url="https://a.example/i"),
            file_name="f.pdf",
            file_size=10,
        )  # fmt: skip
        await nimble.deal_files.rename("d", "f", new_file_name="g.pdf")
        await nimble.deal_files.delete("d", "f")
    assert [sent.body for sent in wire.sent] == [
        {"metadata": {"data_id": "x", "source": "uploaded_azure"}},
        {
            "metadata": {
                "source": "one_drive",
                "file_url": "https://a.example/f",
                "icon_url": "https://a.example/i",
            },
            "file_name": "f.pdf",
            "file_size": 10,
        },
        {"new_file_name": "g.pdf"},
        None,
    ]


async def test_download_addresses_never_get_the_key():
    """An address of a file lies elsewhere: it is not fetched, not shown whole, and never gets the key."""
    url = "https://files.example.com/f.pdf?signature=secret"
    wire = Recorder(lambda _: {"url": url})
    async with client(wire) as nimble:
        found = await nimble.deal_files.download_url("d", "f")
        assert found.url == url
        assert "secret" not in repr(found)
        assert "https://files.example.com/f.pdf" in repr(found)
        with pytest.raises(RedirectRefused) as caught:
            await nimble.request("GET", found.url)
    assert "secret" not in str(caught.value)
    assert [sent.path for sent in wire.sent] == ["/api/v2/deals/d/files/f/url"]


@pytest.mark.parametrize(("length", "fine"), [(0, False), (1, True), (256, True), (257, False)])
async def test_titles_of_notes_have_the_vendors_length(length, fine):
    """A title has 1 to 256 characters, also where it is changed; nothing else is sent."""
    wire = Recorder(lambda _: {"note_id": "n", "title": "t", "created": "2024-01-01T00:00:00Z"})
    async with client(wire) as nimble:
        for call in (
            lambda: nimble.deal_notes.create("d", title="a" * length),
            lambda: nimble.deal_notes.update("d", "n", title="a" * length),
        ):
            if fine:
                assert (await call()).id == "n"
            else:
                with pytest.raises(DraftRefused, match=f"1 to 256 characters, not {length}"):
                    await call()
    assert len(wire.sent) == (2 if fine else 0)


async def test_a_note_is_changed_in_part():
    """What is not given is not sent; None clears the text."""
    wire = Recorder(lambda _: {"note_id": "n"})
    async with client(wire) as nimble:
        await nimble.deal_notes.update("d", "n", body=None)
        await nimble.deal_notes.update("d", "n", title="t")
        await nimble.deal_notes.delete("d", "n")
    assert [sent.body for sent in wire.sent] == [{"body": None}, {"title": "t"}, None]


async def test_a_pipeline_is_sent_whole():
    """The vendor requires every member of a new pipeline, so lists are sent empty too."""
    wire = Recorder(lambda _: {"pipeline_id": "p"}, status=201)
    draft = DealPipelineDraft(**PIPELINE)
    full = DealPipelineDraft(
        **PIPELINE,
        stages=[DealStageDraft(name="s", expected_days=3, default_probability=12.5)],
        lost_reasons=["price"],
        fields_tab_members=[
            DealFieldDraft(
                name="sum",
                field_type=NumberType(),
                presentation=FinancialPresentation(currency="EUR"),
                insert_after=None,
            ),
            DealGroupDraft(
                group_name="g",
                fields=[
                    DealFieldDraft(
                        name="size",
                        field_type=ChoiceType(values=PossibleValues(values=(Choice(id="1", value="L"),))),
                    )
                ],
            ),
        ],
    )
    async with client(wire) as nimble:
        assert (await nimble.deal_pipelines.create(draft)).id == "p"
        await nimble.deal_pipelines.create(full)
    assert wire.sent[0].body == {**PIPELINE, "stages": [], "lost_reasons": [], "fields_tab_members": []}
    assert wire.sent[1].body == {
        **PIPELINE,
        "stages": [{"name": "s", "expected_days": 3, "default_probability": 12.5}],
        "lost_reasons": ["price"],
        "fields_tab_members": [
            {
                "name": "sum",
                "field_type": {"field_kind": "number"},
                "presentation": {"number_type": "financial", "currency": "EUR"},
                "insert_after": None,
            },
            {
                "group_name": "g",
                "fields": [
                    {
                        "name": "size",
                        "field_type": {
                            "field_kind": "choice",
                            "values": {"values": [{"id": "1", "value": "L"}]},
                        },
                        "presentation": None,
                    }
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"name": ""}, "1 to 200 characters, not 0"),
        ({"name": "a" * 201}, "1 to 200 characters, not 201"),
        ({"name": "a" * 200}, None),
        ({"description": ""}, None),
        ({"description": "a" * 256}, None),
        ({"description": "a" * 257}, "at most 256 characters, not 257"),
        ({"lost_reasons": ["a" * 256]}, None),
        ({"lost_reasons": ["a", "a" * 257]}, "at most 256 characters"),
        ({"default_currency": "E"}, "ISO 4217"),
    ],
)
def test_pipelines_have_the_vendors_limits(members, words):
    """Names, descriptions and reasons are checked with the vendor's figures before anything is sent."""
    if words is None:
        DealPipelineDraft(**{**PIPELINE, **members})
    else:
        with pytest.raises(DraftRefused, match=words):
            DealPipelineDraft(**{**PIPELINE, **members})


async def test_pipelines_are_changed_archived_and_deleted():
    """Each verb has its path; only what is given is sent; answers without a body are read too."""
    wire = Recorder(lambda sent: b"" if sent.body is None and sent.method != "GET" else {"pipeline_id": "p"})
    async with client(wire) as nimble:
        pipelines = nimble.deal_pipelines
        assert (await pipelines.get("p")).id == "p"
        await pipelines.update("p", color="#fff")
        await pipelines.archive("p")
        await pipelines.unarchive("p")
        await pipelines.add_lost_reason("p", reason="price")
        await pipelines.delete("p")
        with pytest.raises(DraftRefused):
            await pipelines.update("p", name="")
    path = "/api/v2/deals/pipelines/p"
    assert [(sent.method, sent.path, sent.body) for sent in wire.sent] == [
        ("GET", path, None),
        ("PUT", path, {"color": "#fff"}),
        ("POST", f"{path}/archive", None),
        ("POST", f"{path}/unarchive", None),
        ("POST", f"{path}/lost_reasons", {"reason": "price"}),
        ("DELETE", path, None),
    ]


async def test_deals_of_owners_are_followed():
    """The first answer has every owner, each owner's address is followed on the same origin."""

    def answer(sent):
        if sent.path.endswith("/more"):
            return {"groups": [{"deals": [{"deal_id": "3"}], "meta": {"next_page_url": None}}]}
        more = {"next_page_url": "https://app.nimble.com/api/v2/more", "total_amount": [{"currency": "EUR"}]}
        return {
            "groups": [
                {"owner": {"user_id": "u"}, "deals": [{"deal_id": "1"}], "meta": more},
                {"owner": {"user_id": "v"}, "deals": [{"deal_id": "2"}], "meta": {}},
            ]
        }

    wire = Recorder(answer)
    async with client(wire) as nimble:
        listing = nimble.deal_pipelines.deals_by_owner("p", sort="name:asc", query={"name": {"is": "xx"}})
        assert [deal.id async for deal in listing] == ["1", "2", "3"]
        assert [msgspec.json.decode(group)["owner"]["user_id"] for group in (await listing).groups] == [
            "u",
            "v",
        ]
    assert wire.sent[0].query == [
        ("sort", "name:asc"),
        ("query", '{"name":{"is":"xx"}}'),
        ("limit", "100"),
    ]


@pytest.mark.parametrize(
    "url", ["https://evil.example.com/x", "//evil.example.com/x", "http://app.nimble.com/x"]
)
async def test_deals_of_owners_are_not_followed_elsewhere(url):
    """An address of another origin is refused before the key could go there."""
    wire = Recorder(lambda _: {"groups": [{"deals": [{"deal_id": "1"}], "meta": {"next_page_url": url}}]})
    async with client(wire) as nimble:
        with pytest.raises(RedirectRefused):
            await nimble.deal_pipelines.deals_by_owner("p", sort="name:asc").collect()
    assert len(wire.sent) == 1


async def test_stages_are_created_changed_and_archived():
    """A new stage names its pipeline in the body too, null puts it first; archiving is a DELETE."""
    wire = Recorder(lambda sent: {"pipeline_id": "p", "stages": [{"stage_id": "s", "pipline_id": "p"}]})
    async with client(wire) as nimble:
        made = await nimble.deal_stages.create("p", name="n", insert_after=None)
        await nimble.deal_stages.update("p", "s", description=None, default_probability=0)
        await nimble.deal_stages.archive("p", "s")
    [stage] = made.stages or ()
    assert stage.pipeline_id == "p"
    path = "/api/v2/deals/pipelines/p/stages"
    assert [(sent.method, sent.path, sent.body) for sent in wire.sent] == [
        ("POST", path, {"name": "n", "pipeline_id": "p", "insert_after": None}),
        ("PUT", f"{path}/s", {"description": None, "default_probability": 0}),
        ("DELETE", f"{path}/s", None),
    ]


@pytest.mark.parametrize(
    ("verb", "members", "fine"),
    [
        ("create", {"expected_days": 0, "default_probability": 0}, True),
        ("create", {"expected_days": -1}, False),
        ("create", {"default_probability": 100}, True),
        ("create", {"default_probability": 100.5}, False),
        ("create", {"default_probability": -1}, False),
        ("update", {"default_probability": 101}, False),
        ("update", {"name": "a" * 4096, "description": "b"}, True),
        ("update", {"name": "a" * 4097}, False),
        ("update", {"name": ""}, False),
        ("update", {"description": ""}, False),
        ("update", {"description": None}, True),
    ],
)
async def test_stages_have_the_vendors_limits(verb, members, fine):
    """Days are not negative, a probability is 0 to 100 percent, texts have 1 to 4096 characters."""
    wire = Recorder(lambda _: {"pipeline_id": "p"})
    async with client(wire) as nimble:
        ids = ["p"] if verb == "create" else ["p", "s"]
        call = getattr(nimble.deal_stages, verb)
        if fine:
            await call(*ids, **members)
        else:
            with pytest.raises(DraftRefused):
                await call(*ids, **members)
    assert len(wire.sent) == (1 if fine else 0)


async def test_fields_of_pipelines_always_send_a_presentation():
    """Only numbers and dates have one, but the vendor requires the member, so null is sent."""
    wire = Recorder(lambda _: {"standard_fields": [], "pipelines_tabs": []})
    async with client(wire) as nimble:
        fields = nimble.deal_pipeline_fields
        await fields.create("p", name="mail", field_type=StringType(validation_rule="email"))
        await fields.update("p", "f", group_id=None)
        await fields.delete("p", "f")
        await fields.delete("p", "f", preflight_checks=True)
    path = "/api/v2/deals/pipelines/p/fields"
    assert [(sent.method, sent.path, sent.body) for sent in wire.sent] == [
        (
            "POST",
            path,
            {
                "name": "mail",
                "field_type": {"field_kind": "string", "validation_rule": "email"},
                "presentation": None,
                "pipeline_id": "p",
            },
        ),
        ("PUT", f"{path}/f", {"group_id": None}),
        ("DELETE", f"{path}/f", None),
        ("DELETE", f"{path}/f", {"preflight_checks": True}),
    ]


async def test_options_of_pipelines_are_objects():
    """A new option is an object with its id; to drop one, a body may go with the DELETE."""
    wire = Recorder(lambda _: {})
    async with client(wire) as nimble:
        choices = nimble.deal_pipeline_choices
        await choices.create("p", "f", choice=Choice(id="1", value="L"), insert_after="0")
        await choices.update("p", "f", "1", insert_after=None)
        await choices.delete("p", "f", "1")
        await choices.delete("p", "f", "1", preflight_checks=False)
    path = "/api/v2/deals/pipelines/p/fields/f/choices"
    assert [(sent.method, sent.path, sent.body) for sent in wire.sent] == [
        ("POST", path, {"choice": {"id": "1", "value": "L"}, "insert_after": "0"}),
        ("PUT", f"{path}/1", {"insert_after": None}),
        ("DELETE", f"{path}/1", None),
        ("DELETE", f"{path}/1", {"preflight_checks": False}),
    ]


async def test_groups_of_pipelines():
    """A group comes with its fields, is moved, and goes without a body."""
    wire = Recorder(lambda _: {})
    async with client(wire) as nimble:
        groups = nimble.deal_pipeline_groups
        await groups.create("p", group_name="g", fields=[DealFieldDraft(name="f", field_type=NumberType())])
        await groups.update("p", "g", insert_after=None)
        await groups.delete("p", "g")
    assert [sent.body for sent in wire.sent] == [
        {
            "group_name": "g",
            "fields": [{"name": "f", "field_type": {"field_kind": "number"}, "presentation": None}],
        },
        {"insert_after": None},
        None,
    ]


async def test_draft_messages_are_counted_from_0():
    """The first page is number 0, and the walk ends after `pages` pages."""
    wire = Recorder(
        lambda sent: {
            "drafts": [{"draft_id": f"d{dict(sent.query)['page']}"}],
            "meta": {"page": int(dict(sent.query)["page"]), "pages": 3, "per_page": 1, "total": 3},
        }
    )
    async with client(wire) as nimble:
        drafts = nimble.message_drafts.list(
            recipients=["a@example.com", "b@example.com"], sender="c@example.com", per_page=1
        )
        assert [draft.id async for draft in drafts] == ["d0", "d1", "d2"]
        assert [draft.id async for draft in nimble.message_drafts.list(page=2, per_page=1)] == ["d2"]
    assert wire.sent[0].query == [
        ("recipients", "a@example.com,b@example.com"),
        ("sender", "c@example.com"),
        ("page", "0"),
        ("per_page", "1"),
    ]


async def test_draft_messages_tell_who_takes_part():
    """A draft is read with its text, and everybody in it matched to contacts and users."""
    wire = Recorder(
        lambda _: {
            "draft_id": "d",
            "updated": "2024-01-01T00:00:00+0000",
            "specification": {"subject": "s", "body": None, "new": 1},
            "creator": {"user_id": "u"},
            "recipients": [{"email": "a@example.com", "contact": {"id": "c"}, "user": None}],
            "sender": {"email": "b@example.com", "contact": None},
        }
    )
    async with client(wire) as nimble:
        saved = await nimble.message_drafts.create(
            MessageDraft(subject="s", recipients=[MessagingAccount(identifier="a@example.com")], sender=None)
        )
    assert wire.sent[0].body == {
        "subject": "s",
        "recipients": [{"identifier": "a@example.com", "account_type": "email"}],
        "sender": None,
    }
    assert saved.specification
    assert (saved.specification.subject, saved.specification.body) == ("s", None)
    assert saved.specification.unknown == {"new": 1}
    [participant] = saved.recipients or ()
    assert participant.contact
    assert (participant.email, participant.contact.id, participant.user) == ("a@example.com", "c", None)
    assert saved.sender
    assert saved.sender.contact is None


async def test_the_upload_is_a_guess_and_says_so():
    """Whatever the upload answers is kept; an answer that is no object is malformed."""
    wire = Recorder(lambda _: {"data_id": "x", "other": 1})
    async with client(wire) as nimble:
        uploaded = await nimble.files.azure_upload(body={"name": "f"})
    assert (uploaded.data_id, uploaded.unknown) == ("x", {"other": 1})
    async with client(Recorder(lambda _: b"ok")) as nimble:
        with pytest.raises(MalformedResponse):
            await nimble.files.azure_upload()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda nimble: nimble.deals.overdue_activities("d", limit=0), QueryRefused),
        (lambda nimble: nimble.deals.overdue_activities("d", types="task"), QueryRefused),
        (lambda nimble: nimble.deal_tags.list(limit=0), QueryRefused),
        (lambda nimble: nimble.deal_pipelines.deals_by_owner("p", sort="name"), QueryRefused),
        (lambda nimble: nimble.deal_pipelines.deals_by_owner("p", sort="name:asc", limit=0), QueryRefused),
        (lambda nimble: nimble.message_drafts.list(page=-1), QueryRefused),
        (lambda nimble: nimble.message_drafts.list(per_page=0), QueryRefused),
        (lambda nimble: nimble.message_drafts.list(recipients="a@example.com"), QueryRefused),
        (lambda nimble: nimble.message_drafts.list(start="x"), CheckpointRefused),
        (lambda nimble: ExternalFile(source=UNKNOWN, file_url="x", icon_url="y"), DraftRefused),
        (lambda nimble: AzureFile(data_id=""), DraftRefused),
        (lambda nimble: MessageDraft(content_mode=UNKNOWN), DraftRefused),
    ],
)
async def test_refusals_send_nothing(call, error):
    """What the vendor would refuse is refused where it is written."""
    wire = Recorder()
    async with client(wire) as nimble:
        with pytest.raises(error):
            call(nimble)
    assert wire.sent == []
