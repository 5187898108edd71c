"""The traps of the vendor's API, and the tests that show what became of each.

The numbers are places in the notes about the vendor that this project began from, section and item;
the words are ours. Where the notes are at hand, the table is held against their length.
"""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

from nimble_async.activecampaign.models.deals import Deal
from nimble_async.activecampaign.resources.deals import Deals
from tests.activecampaign.recording import connect

ROOT = Path(__file__).parents[2]
NOTES = ROOT.parent / "shared" / "api" / "activecampaign" / "NOTES.md"

FILES = {
    "address": "activecampaign/test_address.py",
    "bulk": "activecampaign/test_bulk.py",
    "catalog": "activecampaign/test_catalog.py",
    "cli": "cli/test_activecampaign.py",
    "client": "activecampaign/test_client.py",
    "dialect": "activecampaign/test_dialect.py",
    "export": "activecampaign/test_export.py",
    "lists": "activecampaign/test_lists.py",
    "models": "activecampaign/test_models.py",
    "money": "activecampaign/test_money.py",
    "simulator": "activecampaign/test_simulator.py",
    "traps": "activecampaign/test_traps.py",
}

TRAPS: list[tuple[str, str, tuple[str, ...]]] = [
    (
        "2.1",
        "the key goes alone in its own header, without OAuth",
        ("client:test_the_key_goes_in_its_own_header",),
    ),
    (
        "2.2",
        "the whole URL comes from the user, never from the account's name",
        (
            "address:test_a_wrong_one_gets_help",
            "address:test_ports_prefixes_and_other_hosts_stay",
            "cli:test_an_address_is_needed_because_each_account_has_its_own",
        ),
    ),
    (
        "2.3",
        "people paste it with and without /api/3, a slash, a scheme",
        ("address:test_every_way_to_write_it_is_one_address",),
    ),
    (
        "2.4",
        "users/me is the cheap check of a key",
        ("cli:test_whoami_and_call", "cli:test_doctor_looks_at_this_vendor"),
    ),
    (
        "3.1",
        "five a second of all keys of an account together",
        (
            "client:test_the_vendors_rate_is_declared",
            "client:test_clients_of_one_account_share_its_budget",
            "client:test_all_clients_of_an_account_stay_below_its_limit_together",
            "dialect:test_the_rate_is_the_vendors",
        ),
    ),
    (
        "3.2",
        "Retry-After in seconds, a limit and what remains, no reset",
        (
            "client:test_announced_headers_are_followed",
            "dialect:test_a_refusal_for_rate_carries_the_wait",
            "simulator:test_the_limit_is_five_a_second_announced_without_a_reset",
        ),
    ),
    (
        "3.3",
        "429 is declared nowhere and comes all the same",
        (
            "bulk:test_a_refusal_for_rate_is_repeated",
            "dialect:test_every_status_has_its_error_whatever_the_body",
        ),
    ),
    (
        "3.4",
        "503 answers bursts too",
        ("lists:test_an_outage_is_repeated_for_a_read",),
    ),
    (
        "3.5",
        "others keep to less than the limit, and one to more without a source",
        ("client:test_the_vendors_rate_is_declared",),
    ),
    (
        "4.1",
        "limit and offset, a total, no cursor",
        (
            "lists:test_a_short_page_ends_a_list_and_a_total_is_a_hint",
            "simulator:test_pages_hold_twenty_rows_unless_told_and_a_hundred_at_most",
        ),
    ),
    (
        "4.2",
        "one list has another default",
        ("lists:test_every_list_says_how_much_it_wants",),
    ),
    (
        "4.3",
        "a total is a number or a text",
        (
            "lists:test_a_short_page_ends_a_list_and_a_total_is_a_hint",
            "models:test_a_total_is_a_number_or_text",
            "simulator:test_totals_are_texts_numbers_or_missing",
        ),
    ),
    (
        "4.4",
        "some lists have no total",
        (
            "lists:test_a_short_page_ends_a_list_and_a_total_is_a_hint",
            "lists:test_prefetch_keeps_the_order",
            "export:test_lists_without_totals_are_proven_by_their_short_page",
        ),
    ),
    (
        "4.5",
        "deals without an order overlap and lose rows",
        (
            "simulator:test_deals_without_an_order_overlap_and_lose_rows",
            "simulator:test_deals_in_the_order_of_their_ids_are_all_there",
            "lists:test_deals_always_have_an_order",
            "export:test_twenty_thousand_deals_under_drift_are_proven_at_the_allowed_rate",
        ),
    ),
    (
        "4.6",
        "reading on behind an id is documented for contacts alone",
        ("catalog:test_everything_the_vendor_takes_can_be_sent",),
    ),
    (
        "4.7",
        "a limit above a hundred is undefined",
        (
            "lists:test_what_would_be_ignored_in_silence_is_refused",
            "lists:test_every_list_says_how_much_it_wants",
        ),
    ),
    (
        "4.8",
        "twenty rows unless told is the commonest bug",
        ("lists:test_a_plain_list_asks_for_nothing_else", "lists:test_every_list_says_how_much_it_wants"),
    ),
    (
        "4.9",
        "deals that cannot be seen count in the total",
        ("export:test_stubs_of_invisible_pipelines_are_delivered_and_counted",),
    ),
    (
        "5.1",
        "filters and orders in brackets, the first order the strongest",
        (
            "lists:test_deals_always_have_an_order",
            "lists:test_a_checkpoint_belongs_to_the_order_of_the_orders",
            "simulator:test_orders_apply_in_their_order",
        ),
    ),
    (
        "5.2",
        "percent-encoded brackets are fine",
        (
            "lists:test_brackets_and_plus_signs_are_percent_encoded",
            "simulator:test_deals_in_the_order_of_their_ids_are_all_there",
        ),
    ),
    (
        "5.3",
        "one idea has three spellings",
        ("catalog:test_everything_the_vendor_takes_can_be_sent", "simulator:test_filters_of_the_other_lists"),
    ),
    (
        "5.4",
        "some parameters stand outside the brackets",
        ("catalog:test_everything_the_vendor_takes_can_be_sent", "simulator:test_filters_of_the_other_lists"),
    ),
    (
        "5.5",
        "the documented spelling of due_before is a slip",
        ("catalog:test_the_filters_are_spelled_right",),
    ),
    (
        "5.6",
        "a range of days is joined by a plus, which a form reads as a space",
        (
            "catalog:test_the_filters_are_spelled_right",
            "lists:test_brackets_and_plus_signs_are_percent_encoded",
            "lists:test_ranges_of_days",
        ),
    ),
    (
        "5.7",
        "tags go by id, though called names",
        ("catalog:test_everything_the_vendor_takes_can_be_sent",),
    ),
    (
        "5.8",
        "filters by value are in dollars, values in cents",
        (
            "money:test_a_filter_takes_no_cents",
            "money:test_a_bare_number_is_no_dollars",
            "money:test_a_deals_value_is_an_amount",
            "simulator:test_deals_are_filtered",
        ),
    ),
    (
        "5.9",
        "before a day leaves the day out",
        ("simulator:test_deals_are_filtered", "lists:test_what_would_be_ignored_in_silence_is_refused"),
    ),
    (
        "5.10",
        "relations come beside the rows when asked for",
        (
            "lists:test_side_loads_reach_the_record_and_the_page",
            "lists:test_every_way_to_walk_brings_them_along",
        ),
    ),
    (
        "5.11",
        "a value beside a deal has another shape, a column for each type",
        (
            "models:test_a_value_beside_a_deal_is_read_from_its_column",
            "models:test_both_shapes_of_a_value_read_alike",
            "simulator:test_side_loads_come_as_lists_of_their_own_and_values_as_columns",
        ),
    ),
    (
        "5.12",
        "some lists come unasked",
        (
            "lists:test_lists_that_come_unasked_are_told_apart",
            "lists:test_what_is_beside_one_record_belongs_to_it",
        ),
    ),
    (
        "5.13",
        "a feed of changes never tells of deletions",
        ("traps:test_what_no_call_can_do_is_said_where_people_look",),
    ),
    (
        "6.1",
        "singular and plural envelopes, some of them irregular",
        (
            "catalog:test_an_operation_is_the_catalogues",
            "catalog:test_everything_the_vendor_takes_can_be_sent",
        ),
    ),
    (
        "6.2",
        "a role has no envelope on its way in",
        ("catalog:test_everything_the_vendor_takes_can_be_sent", "simulator:test_roles"),
    ),
    (
        "6.3",
        "two bulk bodies are bare lists",
        ("bulk:test_rows_go_a_hundred_at_a_time", "simulator:test_values_are_stored_in_bulk_as_bare_lists"),
    ),
    (
        "6.4",
        "owners in bulk are answered by three lists of ids",
        (
            "bulk:test_new_owners_are_reported_deal_by_deal",
            "bulk:test_numbers_in_the_vendors_lists_are_ids_too",
        ),
    ),
    (
        "6.5",
        "a move has the envelope of what is moved",
        ("lists:test_lists_that_come_unasked_are_told_apart",),
    ),
    (
        "6.6",
        "a deal needs less than its description says",
        ("simulator:test_a_deal_that_lacks_something_is_422",),
    ),
    (
        "6.7",
        "a task is sent by one pair of words and read by another",
        (
            "models:test_a_task_says_what_it_hangs_on",
            "simulator:test_tasks_are_sent_by_owner_type_and_read_by_reltype",
        ),
    ),
    (
        "6.8",
        "a new pipeline has three stages",
        ("simulator:test_pipelines_and_stages",),
    ),
    (
        "6.9",
        "no largest bulk is documented",
        ("bulk:test_rows_go_a_hundred_at_a_time",),
    ),
    (
        "7.1",
        "ids are texts in reads, echoes have numbers",
        (
            "models:test_each_json_type_decodes_and_goes_back",
            "models:test_only_the_id_is_required",
            "models:test_an_id_that_means_nothing_is_none",
            "lists:test_what_was_asked_of_one_page_comes_with_the_next",
        ),
    ),
    (
        "7.2",
        "one object mixes both",
        ("models:test_each_json_type_decodes_and_goes_back", "models:test_both_shapes_of_a_value_read_alike"),
    ),
    (
        "7.3",
        "flags are booleans or numbers",
        ("models:test_flags_come_in_three_types",),
    ),
    (
        "7.4",
        "links may be an empty list, and are not to be followed",
        ("models:test_each_json_type_decodes_and_goes_back", "traps:test_no_link_of_an_answer_is_followed"),
    ),
    (
        "7.5",
        "money is cents, as a number or a text",
        (
            "models:test_a_deals_value_is_exact",
            "models:test_no_amount_without_a_currency",
            "money:test_an_amount_is_exact",
        ),
    ),
    (
        "7.6",
        "a probability is a number or null, counts are texts",
        ("models:test_each_json_type_decodes_and_goes_back",),
    ),
    (
        "7.7",
        "moments have the account's offset",
        ("models:test_three_forms_of_moments",),
    ),
    (
        "7.8",
        "edate has three forms",
        ("models:test_three_forms_of_moments",),
    ),
    (
        "7.9",
        "some stamps have no offset, and nobody says which they mean",
        ("models:test_three_forms_of_moments",),
    ),
    (
        "7.10",
        "nextdate is when the next task is due",
        ("traps:test_what_no_call_can_do_is_said_where_people_look",),
    ),
    (
        "7.11",
        "a value is a text, a number or a list",
        ("models:test_values_of_fields_are_spelled_for_the_vendor", "models:test_choices_in_their_spellings"),
    ),
    (
        "7.12",
        "what a key may not see comes as a stub",
        (
            "models:test_a_stub_is_known_as_one",
            "export:test_stubs_of_invisible_pipelines_are_delivered_and_counted",
        ),
    ),
    (
        "8.1",
        "errors have six shapes",
        ("dialect:test_a_refusal_is_read_in_each_shape", "dialect:test_a_404_names_what_was_asked_for"),
    ),
    (
        "8.2",
        "a code is a text or a number, a pointer may name several fields",
        ("dialect:test_a_refusal_is_read_in_each_shape",),
    ),
    (
        "8.3",
        "JSON calls itself text",
        ("dialect:test_json_that_calls_itself_text_is_json", "simulator:test_secondary_contacts"),
    ),
    (
        "8.4",
        "403 means many things",
        ("dialect:test_a_403_says_what_it_may_mean", "client:test_a_wrong_key_is_not_tried_again"),
    ),
    (
        "8.5",
        "successes without a body",
        ("dialect:test_a_deletion_may_answer_nothing",),
    ),
    (
        "8.6",
        "a page in the place of JSON",
        (
            "dialect:test_a_page_in_the_place_of_json_questions_the_address",
            "dialect:test_every_status_has_its_error_whatever_the_body",
        ),
    ),
    (
        "8.7",
        "work may be done though its answer cannot be read",
        ("bulk:test_a_lost_answer_leaves_rows_unknown", "bulk:test_a_deal_is_never_made_twice"),
    ),
    (
        "8.8",
        "any 2xx is a success",
        ("dialect:test_any_2xx_is_a_success",),
    ),
    (
        "9.1",
        "no key makes a POST safe to repeat",
        (
            "bulk:test_a_deal_is_never_made_twice",
            "bulk:test_a_refusal_for_rate_is_repeated",
            "catalog:test_what_may_be_repeated_is_decided",
        ),
    ),
    (
        "9.2",
        "a pipeline takes its stages and deals along",
        ("simulator:test_pipelines_and_stages", "catalog:test_what_may_be_repeated_is_decided"),
    ),
    (
        "9.3",
        "types of tasks cannot be deleted",
        ("dialect:test_the_dead_deletion_says_what_to_do", "simulator:test_task_types_move_and_stay"),
    ),
    (
        "9.4",
        "a stage moves whole, within its pipeline",
        ("simulator:test_all_deals_of_a_stage_move_within_their_pipeline",),
    ),
    (
        "9.5",
        "a neighbour's path is misspelled",
        ("simulator:test_what_is_in_no_table_is_404",),
    ),
]


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the names of the tests in a file."""
    tree = ast.parse((ROOT / "tests" / FILES[file]).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(
        node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_")
    )


@pytest.mark.parametrize(("place", "trap", "shown_by"), TRAPS, ids=[place for place, *_ in TRAPS])
def test_each_trap_has_tests_that_exist(place, trap, shown_by):
    """A trap that no test walks into is one that nobody has fallen into yet."""
    assert trap
    assert shown_by
    for shown in shown_by:
        file, _, name = shown.partition(":")
        assert name in names_in(file), f"{place}: {shown}"


def test_the_table_has_every_item_of_the_notes():
    """Where the notes are at hand: sections 2 to 9, each item once."""
    if not NOTES.exists():
        pytest.skip("the notes are not at hand")
    found: list[str] = []
    section = item = 0
    for line in NOTES.read_text("utf-8").splitlines():
        if heading := re.match(r"## (\d+)\.", line):
            section, item = int(heading[1]), 0
        elif line.startswith("- ") and 2 <= section <= 9:
            item += 1
            found.append(f"{section}.{item}")
    assert [place for place, *_ in TRAPS] == found


async def test_no_link_of_an_answer_is_followed():
    """Links lead to other hosts or nowhere: reading a deal and all it brings sends one request."""
    links = {"contact": "https://elsewhere.example/contacts/8", "stage": "/1/stages"}
    client, recorder = connect(lambda sent: {"deal": {"id": "1", "contact": "8", "links": links}})
    async with client:
        deal = await client.deals.get("1")
        assert (deal.contact, deal.stage, deal.custom_values) == (None, None, ())
    assert len(recorder.sent) == 1


def test_what_no_call_can_do_is_said_where_people_look():
    """Two traps are the vendor's meaning alone; the docstrings that editors show say it."""
    assert "a deletion is no change and never shows" in (inspect.getdoc(Deals.list) or "")
    assert "next task" in inspect.getsource(Deal)
