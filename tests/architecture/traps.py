"""The traps of the vendor's API, each with the tests that hold it: `number -> (trap, tests)`.

The numbers are those of the vendor's notes: section, then point inside the section. A point that is no
behaviour (where to ask for a key, what nobody found) has no test and says why after a dash.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["TRAPS"]

_AIO, _SANSIO, _NIMBLE, _TESTING = "tests/aio/", "tests/sansio/", "tests/nimble/", "tests/testing/"
_CALLS = "tests/architecture/test_calls.py::test_what_is_sent_is_what_the_vendor_describes"
_BODIES = "tests/architecture/test_calls.py::test_a_body_goes_out_with_deletes_too"
_SENT = f"{_NIMBLE}test_contact_operations.py::test_each_call_is_sent_as_documented"
_FORMS = f"{_SANSIO}test_grants.py::"
_ADDRESS = f"{_SANSIO}test_login.py::"
_LOGIN = f"{_AIO}test_credentials_login.py::"
_RENEWAL = f"{_AIO}test_credentials.py::"
_EXECUTOR = f"{_AIO}test_executor.py::"
_DIALECT = f"{_NIMBLE}test_dialect.py::"
_RESOURCES = f"{_NIMBLE}test_resources.py::"
_ARGUMENTS = f"{_NIMBLE}test_arguments.py::"
_MODELS = f"{_NIMBLE}test_models.py::"
_CONTACTS = f"{_NIMBLE}test_contact_operations.py::"
_DRAFTS = f"{_NIMBLE}test_contact_drafts.py::"
_DEALS = f"{_NIMBLE}test_deal_resources.py::"
_DEAL_DRAFTS = f"{_NIMBLE}test_deal_drafts.py::"
_DEAL_MODELS = f"{_NIMBLE}test_deal_models.py::"
_QUERY = f"{_NIMBLE}test_query.py::"
_METADATA = f"{_NIMBLE}test_metadata.py::"
_SIMULATOR = f"{_TESTING}test_simulator.py::"
_SEARCH = f"{_TESTING}test_search.py::"
_LISTED = f"{_TESTING}test_contacts.py::"
_CHANGED = f"{_TESTING}test_contact_changes.py::"
_DEALT = f"{_TESTING}test_deal_changes.py::"

TRAPS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "1.1": ("two hosts", (f"{_NIMBLE}test_client.py::test_the_default_host_is_the_vendors",)),
        "1.2": ("three spellings of the version", (_CALLS,)),
        "1.3": (
            "one contact is singular, what hangs under it plural",
            (
                f"{_CONTACTS}test_notes_of_a_contact_are_paged_under_the_plural",
                _CALLS,
            ),
        ),
        "1.4": (
            "words of a path beside ids",
            (
                f"{_SIMULATOR}test_segments_spelled_out_win_over_ids",
                f"{_SIMULATOR}test_older_and_ambiguous_paths_find_their_operation",
            ),
        ),
        "1.5": ("bodies of deletes", (_BODIES,)),
        "1.6": (
            "no key of idempotency",
            ("tests/architecture/test_calls.py::test_only_posts_are_never_repeated",),
        ),
        "2.1": ("the key is a Bearer", (f"{_RENEWAL}test_key_is_a_header",)),
        "2.2": ("a header of another name is documented too", (f"{_RENEWAL}test_key_is_a_header",)),
        "2.3": ("never in the address", (f"{_EXECUTOR}test_no_secret_reaches_a_record_or_the_log", _CALLS)),
        "2.4": (
            "the token request is a form",
            (
                f"{_FORMS}test_exchange_request_is_a_form",
                f"{_LOGIN}test_address_of_the_consent_page_follows_the_client",
                f"{_TESTING}test_oauth.py::test_the_older_token_path_answers",
            ),
        ),
        "2.5": ("scopes", (f"{_ADDRESS}test_login_sends_a_fresh_challenge_and_state",)),
        "2.6": ("how a client id comes - by e-mail: nothing of ours", ()),
        "2.7": (
            "the redirect address goes with every token request",
            (
                f"{_FORMS}test_refresh_request_is_a_form",
                f"{_FORMS}test_exchange_request_is_a_form",
            ),
        ),
        "2.8": (
            "ten minutes",
            (
                f"{_RENEWAL}test_renewal_begins_at_four_fifths",
                f"{_RENEWAL}test_due_token_is_renewed_behind_ten_thousand_callers",
            ),
        ),
        "2.9": ("only the access token is sure", (f"{_FORMS}test_only_the_access_token_is_mandatory",)),
        "2.10": (
            "rotation",
            (
                f"{_FORMS}test_new_pair_follows_the_old_one",
                f"{_RENEWAL}test_new_pair_is_durable_before_its_first_use",
            ),
        ),
        "2.11": (
            "nobody says how long a refresh token lives",
            (
                f"{_RENEWAL}test_invalid_grant_is_held_against_the_store",
                f"{_LOGIN}test_code_is_sent_once",
            ),
        ),
        "2.12": ("a misspelt member of a refusal", (f"{_ADDRESS}test_redirect_that_is_no_login_is_refused",)),
        "2.13": (
            "401 in two ages",
            (
                f"{_DIALECT}test_expired_tokens_of_both_ages",
                f"{_EXECUTOR}test_a_401_is_replayed_once_with_a_new_token",
                f"{_EXECUTOR}test_a_second_401_is_final",
            ),
        ),
        "3.1": ("no limit is published", (f"{_SIMULATOR}test_rates_refuse_with_429",)),
        "3.2": (
            "patience of one's own",
            (
                f"{_SANSIO}test_retrying.py::test_what_is_repeated",
                f"{_SANSIO}test_retrying.py::test_a_server_that_names_a_time_is_obeyed",
            ),
        ),
        "3.3": (
            "402 is final",
            (
                f"{_SANSIO}test_retrying.py::test_what_is_repeated",
                f"{_DIALECT}test_quota_in_both_shapes",
                f"{_CHANGED}test_the_plan_has_an_end",
            ),
        ),
        "3.4": (
            "a repeated creation makes two",
            (
                f"{_EXECUTOR}test_an_ambiguous_failure_is_repeated_for_a_read_alone",
                f"{_EXECUTOR}test_a_post_is_repeated_after_a_refused_connection",
                f"{_CONTACTS}test_a_lost_answer_to_a_creation_is_told_not_repeated",
            ),
        ),
        "4.1": ("401", (f"{_DIALECT}test_expired_tokens_of_both_ages",)),
        "4.2": ("402 in two shapes", (f"{_DIALECT}test_quota_in_both_shapes",)),
        "4.3": (
            "403",
            (
                f"{_DIALECT}test_every_status_has_its_error_whatever_the_body",
                f"{_CHANGED}test_privacy_decides_what_can_be_done",
            ),
        ),
        "4.4": (
            "404 without a message, or without a body",
            (
                f"{_DIALECT}test_not_found_says_what",
                f"{_CONTACTS}test_an_empty_404_is_filled_in",
                f"{_TESTING}test_contact_fields.py::test_unknown_leads_are_404_without_a_body",
            ),
        ),
        "4.5": ("406 in three shapes", (f"{_DIALECT}test_refusals_in_three_shapes",)),
        "4.6": (
            "409 is validation",
            (
                f"{_DIALECT}test_validation_by_field",
                f"{_SANSIO}test_retrying.py::test_what_is_repeated",
            ),
        ),
        "4.7": ("500", (f"{_DIALECT}test_every_status_has_its_error_whatever_the_body",)),
        "4.8": (
            "errors by field and by path",
            (
                f"{_DIALECT}test_validation_by_field",
                f"{_DIALECT}test_validation_by_path",
            ),
        ),
        "4.9": (
            "the code is not to be relied on",
            (
                f"{_DIALECT}test_code_is_kept_as_it_came",
                f"{_SANSIO}test_outcome.py::test_status_decides_the_error",
            ),
        ),
        "4.10": ("names of refusals", (f"{_DIALECT}test_refusals_in_three_shapes",)),
        "4.11": (
            "200 and 201",
            (
                f"{_CONTACTS}test_created_is_200_and_201",
                f"{_SANSIO}test_outcome.py::test_any_2xx_is_a_success",
            ),
        ),
        "4.12": (
            "200 with nothing in it",
            (
                f"{_EXECUTOR}test_an_empty_list_for_one_record_is_not_found",
                f"{_LISTED}test_one_contact_by_id",
            ),
        ),
        "4.13": (
            "empty bodies, and bodies that are no JSON",
            (
                f"{_EXECUTOR}test_an_operation_without_an_answer_reads_none",
                f"{_DIALECT}test_every_status_has_its_error_whatever_the_body",
            ),
        ),
        "5.1": (
            "pages from 1",
            (
                f"{_SANSIO}test_paging.py::test_first_cursor_of_each_style",
                f"{_LISTED}test_pages_are_numbered_from_one",
                f"{_TESTING}test_contact_notes.py::test_notes_come_in_pages_of_five",
            ),
        ),
        "5.2": ("pages from 0", (f"{_DEALS}test_draft_messages_are_counted_from_0",)),
        "5.3": (
            "arguments of the next page",
            (
                f"{_CONTACTS}test_proceedings_follow_the_arguments_of_the_next_page",
                f"{_CONTACTS}test_activities_join_their_lists_and_follow_the_next_page",
                f"{_CONTACTS}test_activities_up_to_a_moment_send_no_limit",
            ),
        ),
        "5.4": (
            "an address for each group, on the same origin only",
            (
                f"{_RESOURCES}test_deals_of_a_pipeline_follow_each_stage",
                f"{_AIO}test_paginator.py::test_an_address_elsewhere_is_not_followed",
                f"{_DEALS}test_deals_of_owners_are_not_followed_elsewhere",
            ),
        ),
        "5.5": ("deals come in one answer", (f"{_RESOURCES}test_deals_are_listed_in_one_page",)),
        "5.6": ("a hundred sorted records a page", (f"{_ARGUMENTS}test_pages_that_cannot_be",)),
        "5.7": (
            "thirty ids, ten contacts, five tags",
            (
                f"{_NIMBLE}test_client.py::test_get_many_keeps_order_in_chunks_side_by_side",
                f"{_CONTACTS}test_a_note_is_on_one_to_ten_contacts",
                f"{_DRAFTS}test_drafts_that_the_vendor_would_refuse",
            ),
        ),
        "5.8": (
            "inserts move pages",
            ("tests/jobs/test_export.py::test_everything_is_delivered_once_in_the_order_of_dates",),
        ),
        "6.1": ("samples of deletes that are errors", (f"{_CONTACTS}test_success_of_a_delete_is_any_body",)),
        "6.2": (
            "tags are replaced, and answered in two ways",
            (
                f"{_CONTACTS}test_tags_are_set_whether_or_not_the_contact_comes_back",
                f"{_CHANGED}test_tags_are_replaced_as_a_set",
            ),
        ),
        "6.3": (
            "the switch that replaces",
            (
                _SENT,
                f"{_CONTACTS}test_a_change_never_extends",
                f"{_CHANGED}test_an_update_extends_or_replaces",
            ),
        ),
        "6.4": (
            "two names for the kind of a contact",
            (f"{_CHANGED}test_the_older_type_names_the_kind_too",),
        ),
        "6.5": (
            "names of a deal's fields",
            (
                f"{_DEAL_DRAFTS}test_names_are_resolved_to_ids",
                f"{_DEAL_DRAFTS}test_a_deal_needs_a_name",
            ),
        ),
        "6.6": (
            "values of deals in every shape",
            (
                f"{_MODELS}test_fields_of_a_deal_in_every_shape",
                f"{_MODELS}test_fields_of_a_deal_in_no_shape",
            ),
        ),
        "6.7": ("a misspelt pipeline", (f"{_MODELS}test_pipelines_with_both_spellings",)),
        "6.8": (
            "tags in two shapes, flags in three",
            (
                f"{_MODELS}test_tags_in_both_shapes",
                f"{_MODELS}test_rare_members_of_a_contact",
                f"{_MODELS}test_last_contacted_of_nobody",
            ),
        ),
        "6.9": (
            "values with more and with fewer members",
            (
                f"{_MODELS}test_both_documented_shapes_of_a_contact",
                f"{_MODELS}test_values_without_a_value",
                f"{_LISTED}test_field_values_come_in_the_documented_shapes",
            ),
        ),
        "6.10": (
            "addresses as a Python dictionary",
            (
                f"{_MODELS}test_address_is_parsed_or_kept",
                f"{_DRAFTS}test_an_address_goes_back_as_json",
            ),
        ),
        "6.11": ("notes that may be encoded", (f"{_CONTACTS}test_note_text_comes_as_it_was_sent",)),
        "6.12": (
            "lists in queries: joined or repeated",
            (
                f"{_CONTACTS}test_activities_join_their_lists_and_follow_the_next_page",
                f"{_DEALS}test_types_of_overdue_activities_are_repeated",
                _SENT,
            ),
        ),
        "6.13": (
            "how true is spelled",
            (
                f"{_DIALECT}test_how_nimble_is_spelled",
                f"{_SANSIO}test_outcome.py::test_dialect_spells_flags_and_the_agent",
            ),
        ),
        "6.14": (
            "remarks inside names of parameters",
            (_CALLS, f"{_RESOURCES}test_contacts_list_sends_every_argument"),
        ),
        "6.15": (
            "work in the background",
            (
                f"{_DEALT}test_background_work_takes_its_time",
                f"{_DEALS}test_deals_are_tagged_by_a_search_as_an_object",
                f"{_CHANGED}test_many_are_deleted_by_a_search",
            ),
        ),
        "7.1": (
            "a search is text in a query, an object in a body",
            (
                f"{_RESOURCES}test_search_is_sent_as_json",
                f"{_DEALS}test_deals_are_tagged_by_a_search_as_an_object",
            ),
        ),
        "7.2": (
            "eleven terms, twenty levels, two members",
            (
                f"{_QUERY}test_eleven_terms_are_the_most",
                f"{_QUERY}test_twenty_levels_are_the_most",
                f"{_ARGUMENTS}test_searches_the_vendor_refuses",
                f"{_SEARCH}test_strictness_is_a_switch",
            ),
        ),
        "7.3": (
            "operators of texts",
            (
                f"{_QUERY}test_terms_say_what_the_vendor_reads",
                f"{_SEARCH}test_text_is_what_a_plain_reading_finds",
                f"{_LISTED}test_text_is_folded_and_matched_by_words",
            ),
        ),
        "7.4": (
            "operators of dates",
            (
                f"{_QUERY}test_terms_say_what_the_vendor_reads",
                f"{_LISTED}test_dates_and_relative_ranges",
                f"{_SEARCH}test_birthdays_are_found_by_day_and_month",
            ),
        ),
        "7.5": ("operators of numbers", (f"{_QUERY}test_terms_say_what_the_vendor_reads",)),
        "7.6": (
            "fields and what each of them knows",
            (
                f"{_QUERY}test_a_field_has_the_operators_it_knows",
                f"{_SEARCH}test_what_a_field_does_not_know_is_refused",
                f"{_SEARCH}test_one_person_is_found_in_many_ways",
            ),
        ),
        "7.7": (
            "custom choices go by their id",
            (
                f"{_TESTING}test_contact_fields.py::test_a_new_field_can_be_used_searched_renamed_and_deleted",
                f"{_QUERY}test_terms_say_what_the_vendor_reads",
            ),
        ),
        "7.8": (
            "keyword beside a query, record type beside a query",
            (
                f"{_ARGUMENTS}test_keyword_beside_a_search_is_refused",
                f"{_ARGUMENTS}test_record_type_becomes_a_term",
                f"{_LISTED}test_a_query_overrules_the_record_type",
            ),
        ),
        "7.9": (
            "the index lags",
            (
                f"{_TESTING}test_world.py::test_index_lag_hides_a_new_contact_for_a_while",
                f"{_NIMBLE}test_find.py::test_a_second_look_can_be_waited_for",
                "tests/jobs/test_export.py::test_nothing_is_read_before_the_index_must_show_it",
            ),
        ),
        "8.1": (
            "one field and its direction",
            (
                f"{_ARGUMENTS}test_sort_without_a_direction",
                f"{_LISTED}test_sorting_orders_the_whole_listing",
                f"{_LISTED}test_what_looks_for_words_can_be_sorted_by_relevance",
            ),
        ),
        "8.2": (
            "what deals are not sorted by",
            (f"{_TESTING}test_deals.py::test_what_the_vendor_refuses_is_a_409",),
        ),
        "9.1": (
            "moments in every spelling",
            (
                f"{_SANSIO}test_record.py::test_dates_of_the_vendor_are_read",
                f"{_METADATA}test_tasks_have_moments_with_and_without_zone",
                f"{_DEAL_MODELS}test_notes_have_their_moments",
            ),
        ),
        "9.2": (
            "tasks are due without a zone, employments by month",
            (
                f"{_CONTACTS}test_moments_of_tasks_have_no_zone_and_no_fraction",
                f"{_DRAFTS}test_employments",
            ),
        ),
        "9.3": (
            "ids are texts of any form",
            (
                f"{_SANSIO}test_operation.py::test_odd_ids_are_no_error",
                f"{_MODELS}test_rare_members_of_a_contact",
            ),
        ),
        "10.1": (
            "the fields that every account has",
            (
                f"{_DRAFTS}test_a_person_with_natural_names",
                f"{_CHANGED}test_wrong_fields_are_refused_under_their_names",
            ),
        ),
        "10.2": (
            "values are texts, some of them JSON",
            (
                f"{_DRAFTS}test_employments",
                f"{_CHANGED}test_addresses_come_back_as_they_were_sent",
                f"{_MODELS}test_company_and_title",
            ),
        ),
        "10.3": ("a domain belongs to one company", (f"{_CHANGED}test_a_domain_belongs_to_one_company",)),
        "10.4": (
            "kinds, presentations, names",
            (
                f"{_CONTACTS}test_numbers_and_dates_have_a_presentation_and_others_none",
                f"{_CONTACTS}test_names_have_1_to_50_characters",
                f"{_METADATA}test_each_presentation_is_read_and_written",
                f"{_METADATA}test_a_kind_that_is_not_known_keeps_its_members",
            ),
        ),
        "10.5": (
            "the stored value of a choice is its id",
            (
                f"{_TESTING}test_contact_fields.py::test_choices_decide_which_values_are_taken",
                f"{_NIMBLE}test_fieldtypes.py::test_a_view_writes_what_the_vendor_stores",
            ),
        ),
        "10.6": (
            "null and empty privacy",
            (
                f"{_CHANGED}test_privacy_decides_what_can_be_done",
                f"{_CHANGED}test_who_may_edit_is_not_named_again",
            ),
        ),
        "10.7": ("commas in names", (f"{_ARGUMENTS}test_names_are_joined",)),
        "11.1": (
            "tasks and their older key",
            (
                f"{_TESTING}test_contact_notes.py::test_wrong_tasks_are_refused",
                f"{_TESTING}test_contact_notes.py::test_the_older_route_takes_the_older_key",
                f"{_CONTACTS}test_subjects_of_tasks",
            ),
        ),
        "11.2": (
            "tasks are read back as activities",
            (
                f"{_NIMBLE}test_contact_round_trips.py::test_a_task_shows_among_the_activities",
                f"{_TESTING}test_agenda.py::test_calls_events_and_tasks_are_listed_together",
            ),
        ),
        "12.1": (
            "no upsert",
            (
                f"{_NIMBLE}test_find.py::test_found_contacts_are_not_created",
                f"{_NIMBLE}test_contact_round_trips.py::test_a_contact_is_found_or_created",
            ),
        ),
        "12.2": ("no webhooks - there is nothing to call", ()),
        "12.3": ("nothing was found in forums - nothing to hold", ()),
        "12.4": (
            "the API changes without notice",
            (
                f"{_SANSIO}test_record.py::test_no_optional_member_rejects_a_row",
                f"{_NIMBLE}test_client.py::test_the_escape_hatch_gives_status_headers_and_body",
            ),
        ),
        "12.5": ("a lead is a contact", (f"{_NIMBLE}test_contact_round_trips.py::test_a_lead_goes_its_way",)),
        "12.6": (
            "deleting a pipeline deletes its deals",
            (
                f"{_DEALT}test_a_new_pipeline_takes_deals_and_dies_with_them",
                f"{_DEALT}test_stages_are_added_changed_and_archived",
                "tests/architecture/test_calls.py::test_what_destroys_is_marked",
            ),
        ),
        "12.7": (
            "an upload that nobody documents",
            (
                f"{_DEALS}test_the_upload_is_a_guess_and_says_so",
                f"{_DEALS}test_files_of_both_kinds_are_added",
                f"{_DEALS}test_download_addresses_never_get_the_key",
            ),
        ),
    }
)
"""Every trap by its number, in the notes' order."""
