"""Faults that were found around commands: what happens late, twice, unseen, or not at all.

Each has the tests that would find it again, as `file::name`. They go through HTTP or the command
line.
"""

from __future__ import annotations

_CLI = "cli/test_commands.py"
_EFFECTS = "server/test_effects.py"
_JOBS = "server/test_jobs.py"
_LIFE = "server/test_command_life.py"
_OUT = "server/test_ways_out.py"
_PACKAGES = "server/test_packages.py"
_REFUSED = "server/test_refused_commands.py"
_QUEUE = "server/test_queue.py"

FAULTS = {
    # When a command is carried out.
    "a door that opens late": [
        f"{_LIFE}::test_a_door_does_not_open_late",
        f"{_LIFE}::test_a_caller_says_how_long_a_command_waits",
    ],
    "a command that is carried out twice": [
        f"{_LIFE}::test_what_must_not_happen_twice_is_sent_once",
        "promises/test_command_machine.py::test_commands_live_by_their_table",
        "nodes/test_command_life.py::test_a_door_opens_once_whatever_node_is_asked",
    ],
    # What the server knows of it.
    "a cancelled or expired command that the terminal did": [
        f"{_LIFE}::test_a_cancelled_command_is_not_sent_again_and_says_what_was_done",
        f"{_QUEUE}::test_an_answer_after_the_end_is_recorded",
    ],
    "an end without a reason": [f"{_LIFE}::test_each_end_has_its_own_words"],
    "an answer in the query, with an empty body": [
        f"{_LIFE}::test_an_answer_counts_in_every_form",
        f"{_LIFE}::test_an_answer_in_the_query_goes_on_in_the_body",
        f"{_LIFE}::test_an_answer_that_names_no_command_is_kept_and_shown",
    ],
    "a done command that changes nothing the server knows": [
        f"{_EFFECTS}::test_an_option_that_was_set_shows_on_the_terminal",
        f"{_OUT}::test_an_option_that_is_asked_for_is_kept_with_the_terminal",
        f"{_EFFECTS}::test_a_person_that_a_command_added_is_known",
        f"{_EFFECTS}::test_templates_and_photos_that_commands_added_are_known",
        f"{_EFFECTS}::test_a_command_does_not_undo_what_is_newer",
    ],
    "a file that is cut short": [f"{_EFFECTS}::test_a_file_that_is_cut_short_is_kept_and_failed"],
    "a package of two of which one was done": [
        f"{_EFFECTS}::test_a_package_that_is_carried_out_in_part_is_failed"
    ],
    # Done on the commit of the list, as GetFile and SyncData were: 3 announced, 1 arrived.
    "a query with fewer records than announced": [
        f"{_EFFECTS}::test_a_query_with_fewer_records_than_announced_is_failed"
    ],
    "a leaver who is still admitted": [
        f"{_EFFECTS}::test_a_person_who_was_removed_from_a_terminal_is_not_admitted_there"
    ],
    # Files and packages.
    "a package that is made in the writer, and is no tar": [
        f"{_PACKAGES}::test_a_package_is_a_tar_that_is_made_when_it_is_fetched",
        f"{_PACKAGES}::test_a_package_is_read_in_parts_and_nothing_is_written",
        f"{_PACKAGES}::test_a_package_in_the_plain_form",
    ],
    "leavers who come back": [
        f"{_PACKAGES}::test_leavers_do_not_come_back",
        f"{_PACKAGES}::test_removed_templates_do_not_come_back",
    ],
    "a package that is always everybody": [f"{_PACKAGES}::test_a_package_of_chosen_people"],
    "If-Range": ["server/test_file_ranges.py::test_a_range_of_another_content_is_ignored"],
    # Many terminals.
    "500 requests for 500 terminals": [
        f"{_JOBS}::test_a_job_queues_its_commands_for_all_terminals",
        f"{_JOBS}::test_a_killed_process_leaves_no_command_out_and_none_twice",
        "promises/test_job_of_many_terminals.py"
        "::test_the_counts_of_a_job_are_what_the_terminals_did",
        "cli/test_jobs.py::test_a_job_for_two_terminals",
    ],
    "no filter by state, no list of all terminals": [
        "server/test_command_list.py::test_commands_of_all_terminals_with_filters",
        f"{_CLI}::test_list_of_all_terminals",
    ],
    "no cancel and no retry of many": [
        f"{_JOBS}::test_a_cancelled_job_ends_what_is_open",
        f"{_JOBS}::test_a_retry_queues_again_what_did_not_succeed",
    ],
    "a door that waits behind 5,000 updates": [
        f"{_LIFE}::test_urgent_commands_overtake",
        f"{_JOBS}::test_an_urgent_job_overtakes",
    ],
    "updates of one person, one behind the other": [
        f"{_LIFE}::test_a_later_update_replaces_one_that_was_not_sent",
        f"{_JOBS}::test_a_later_job_replaces_what_was_not_sent",
    ],
    "an upgrade of all terminals at once": [
        f"{_JOBS}::test_a_wave_waits_for_the_one_before",
        f"{_JOBS}::test_a_failure_stops_the_next_wave_until_somebody_lets_it_go_on",
        f"{_JOBS}::test_a_window_is_by_the_clock_of_each_terminal",
    ],
    "a window that a terminal misses": [
        f"{_JOBS}::test_a_window_that_a_terminal_misses_is_followed_by_the_next"
    ],
    # Ways out.
    "all users of a terminal": [f"{_OUT}::test_all_users_of_a_terminal_can_be_asked_for"],
    "a line that the catalogue does not know": [
        f"{_OUT}::test_a_raw_line_is_sent_as_it_is_and_any_answer_ends_it"
    ],
    "templates in parameters that a site defines": [
        "server/test_site_commands.py::test_a_server_without_templates_refuses_those_of_the_site",
        "server/test_site_commands.py::test_templates_in_commands_of_the_site_are_forgotten",
    ],
    "a command and a parameter that only the firmware of a site has": [
        "server/test_site_commands.py::test_a_site_defined_command_is_a_command",
        "server/test_site_commands.py::test_a_parameter_that_a_site_adds",
        "server/test_site_commands.py::test_a_mistake_in_the_definition_is_told_at_the_start",
    ],
    "a mistyped command": [f"{_CLI}::test_mistakes"],
    # Values.
    "an empty value": [
        f"{_OUT}::test_empty_values_are_sent_and_count_as_absent_where_one_is_needed"
    ],
    "a photo of more than a megabyte": [
        f"{_OUT}::test_a_large_photo_fits_and_the_limit_is_a_setting"
    ],
    "values that can only fail": [f"{_REFUSED}::test_a_value_that_can_only_fail_is_refused"],
    "a face for a terminal without faces, a PIN that is too long": [
        f"{_REFUSED}::test_what_a_terminal_has_not_is_refused"
    ],
    # Small ones.
    "relative URLs": [f"{_REFUSED}::test_urls_in_commands_begin_with_the_public_url"],
    "codes of enrolments with the words of others": [
        f"{_REFUSED}::test_codes_of_enrolments_have_their_own_words"
    ],
    "a command that is not in the very next poll": [
        f"{_LIFE}::test_a_command_is_in_the_very_next_poll"
    ],
    "a command that is sent after its lifetime": [f"{_QUEUE}::test_a_command_has_a_lifetime"],
    "a long past that slows a poll": [f"{_LIFE}::test_past_commands_do_not_slow_a_poll"],
}
