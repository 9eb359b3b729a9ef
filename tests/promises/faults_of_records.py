"""Faults that were found in records and their lists: their identity, meaning, time and words.

Each has the tests that would find it again, as `file::name`. They go through HTTP or the command
line.
"""

from __future__ import annotations

_API = "server/test_api.py"
_DIALECTS = "server/test_dialects.py"
_IDENTITY = "server/test_identity.py"
_LISTS = "server/test_lists.py"
_MESSAGES = "cli/test_messages.py"
_REJECTS = "promises/test_rejects.py"
_READ_AGAIN = "promises/test_rejects_read_again.py"
_UNKNOWN = "server/test_unknown_requests.py"
_WATCH = "promises/test_watch.py"
_WORDS = "server/test_words.py"
_ZONES = "server/test_zones.py"

FAULTS = {
    # Two facts taken for one.
    "two record types of one second": [
        f"{_IDENTITY}::test_records_of_one_second_that_differ_are_two",
        f"{_IDENTITY}::test_any_facts_are_as_many_records_however_they_are_sent",
    ],
    "two work codes of one second": [
        f"{_IDENTITY}::test_records_of_one_second_that_differ_are_two"
    ],
    "an error that happens again, an identity card that is read again": [
        f"{_IDENTITY}::test_a_record_without_a_time_is_another_after_ten_minutes",
        f"{_IDENTITY}::test_equal_records_of_an_upload_are_told_apart_again_a_day_later",
    ],
    # Bare numbers.
    "codes without their meaning": [
        f"{_WORDS}::test_coded_values_are_in_words",
        f"{_WORDS}::test_every_view_has_the_words_of_its_coded_fields",
        f"{_WORDS}::test_csv_of_rows_is_csv_of_the_views",
        "cli/test_attendance.py::test_table",
        "cli/test_users.py::test_table",
    ],
    "an alarm whose reason is in another column": [f"{_WORDS}::test_coded_values_are_in_words"],
    "functions and biometric types of a terminal": [
        f"{_WATCH}::test_what_a_terminal_is_is_one_truth",
        f"{_DIALECTS}::test_what_a_terminal_says_of_itself_is_one_truth",
    ],
    "a person who was refused, listed as a punch": [
        f"{_WORDS}::test_the_status_of_a_verification_has_words_of_its_own",
        f"{_WORDS}::test_verifications_are_events_only_for_those_who_ask",
        f"{_LISTS}::test_verifications_are_listed_only_where_they_are_asked_for",
    ],
    # Set aside and unseen.
    "a punch with a time that is none": [
        f"{_REJECTS}::test_an_attendance_line_with_a_bad_time_is_a_problem_of_its_terminal",
        f"{_READ_AGAIN}::test_rejects_that_can_be_read_now_become_records_and_are_gone",
        f"{_READ_AGAIN}::test_rejects_are_read_by_themselves_after_an_upgrade",
        f"{_READ_AGAIN}::test_rejects_are_read_by_themselves_when_a_plugin_is_installed",
        f"{_REJECTS}::test_rejects_are_counted_by_table",
        "cli/test_rejects.py::test_rejects_are_listed",
        "cli/test_rejects.py::test_the_bytes_of_a_reject_are_shown",
        "cli/test_rejects.py::test_rejects_are_read_again",
    ],
    "a body of which nothing is understood": [
        f"{_UNKNOWN}::test_a_body_of_which_nothing_is_understood_is_kept_whole_and_once"
    ],
    "a compressed body that does not say so": [
        f"{_UNKNOWN}::test_a_compressed_body_is_recognized_by_its_first_bytes"
    ],
    "requests that are refused as 404, 405 and 400": [
        f"{_UNKNOWN}::test_an_unknown_request_is_a_problem_and_its_body_a_reject",
        f"{_UNKNOWN}::test_each_kind_of_request_is_logged_once",
        f"{_UNKNOWN}::test_an_upload_that_names_no_table_is_kept",
    ],
    "TLS on a plain port": [
        f"{_UNKNOWN}::test_tls_on_a_plain_port_is_a_problem_of_the_terminal_of_that_address",
        f"{_UNKNOWN}::test_tls_of_nobody_is_a_problem_of_the_server",
    ],
    "a terminal in access-control mode": [
        f"{_WATCH}::test_a_terminal_in_access_control_mode_is_named_with_the_way_out",
        f"{_WATCH}::test_a_request_of_the_access_control_protocol_shows_it_too",
        f"{_WATCH}::test_people_of_access_control_are_kept_and_not_read",
        f"{_WATCH}::test_the_last_state_of_doors_is_kept_and_not_each",
    ],
    "a body in the form LZO1": [
        f"{_UNKNOWN}::test_an_encoded_body_of_old_firmware_is_a_problem_that_names_the_setting"
    ],
    # Time.
    "a zone that nobody set": [
        f"{_ZONES}::test_a_terminal_without_a_zone_is_told_no_time",
        f"{_ZONES}::test_a_missing_zone_is_a_problem",
        "cli/test_devices.py::test_approve_with_a_zone",
    ],
    "a zone that is set later": [
        f"{_ZONES}::test_records_get_their_instants_with_the_zone",
        f"{_ZONES}::test_instants_are_reckoned_anew",
        "cli/test_devices.py::test_recompute",
    ],
    "a clock that is wrong": [
        f"{_ZONES}::test_a_wrong_clock_is_measured",
        f"{_ZONES}::test_attendance_is_found_by_doubt_and_by_when_it_came",
    ],
    # Another dialect.
    "the word null": [f"{_DIALECTS}::test_null_is_empty"],
    "versions, firmware and counts in options": [
        f"{_DIALECTS}::test_what_a_terminal_says_of_itself_is_one_truth",
        f"{_DIALECTS}::test_a_template_has_the_version_that_the_terminal_names",
    ],
    "an exchange without options, an upload without a table": [
        f"{_DIALECTS}::test_an_exchange_needs_no_options",
        f"{_DIALECTS}::test_attendance_is_recognized_without_a_table",
        f"{_DIALECTS}::test_a_table_may_be_named_as_type",
    ],
    "a photo whose first line is not its name": [
        f"{_DIALECTS}::test_the_lines_of_a_photo_have_any_order"
    ],
    "times in other forms": [
        f"{_DIALECTS}::test_a_time_in_another_form_is_the_same_time",
        f"{_DIALECTS}::test_a_time_may_have_no_seconds",
    ],
    "a field that is there twice": [f"{_DIALECTS}::test_the_last_of_two_values_counts"],
    "spaces and a last comma in options": [
        f"{_DIALECTS}::test_options_may_have_spaces_and_a_last_comma"
    ],
    "a version below the lowest": [
        f"{_DIALECTS}::test_the_lowest_version_is_2_2_14",
        f"{_DIALECTS}::test_an_operator_may_set_the_version",
    ],
    # Nobody is told.
    "a terminal that is silent": [
        f"{_WATCH}::test_a_terminal_that_is_silent_for_a_day_is_a_problem"
    ],
    "a terminal whose storage is nearly full": [
        f"{_WATCH}::test_a_terminal_whose_storage_is_nearly_full_is_a_problem"
    ],
    "commands that are given up": [
        f"{_WATCH}::test_commands_that_are_given_up_are_a_problem_for_a_week"
    ],
    "a plugin that fails": [
        "promises/test_plugins.py::test_a_plugin_that_does_not_return_holds_up_nobody",
        "promises/test_plugins.py::test_a_plugin_that_cannot_make_its_tables_has_its_lines_wait",
    ],
    "figures that are missing in the metrics": [
        "promises/test_alerts.py::test_figures_of_terminals_commands_and_attendance",
        "promises/test_alerts.py::test_every_problem_in_the_rules_exists_and_most_are_named",
    ],
    # Refused plainly.
    "a serial number of no terminal": ["cli/test_attendance.py::test_unknown_terminal"],
    "a port that there is not": [f"{_MESSAGES}::test_a_daemon_does_not_start_on_such_a_port"],
    "an admission that there is not": [
        "promises/test_plugins.py::test_an_admission_policy_that_is_not_there_is_named"
    ],
    "a command of several words, not quoted": ["cli/test_commands.py::test_mistakes"],
    "commands and parameters that are mistyped": [
        "server/test_commands.py::test_a_command_that_the_protocol_does_not_have_is_refused"
    ],
    "several wrong parameters": [f"{_LISTS}::test_all_mistakes_of_a_query_are_named_at_once"],
    "a plus in a URL, a limit that is too high": [
        f"{_LISTS}::test_a_wrong_parameter_is_named_with_what_is_allowed"
    ],
    "an https URL at a port without TLS": [f"{_MESSAGES}::test_a_url_with_tls_at_a_port_without"],
    "the data directory of another user": [
        "test_datadir.py::test_a_directory_of_another_user_is_not_to_be_made_writable",
        "cli/test_target.py::test_data_of_another_user",
    ],
    "simulated terminals at a dead port": [
        "simulator/test_fleet.py::test_a_plan_of_punches_ends_where_no_server_ever_replies"
    ],
    "CLEAR and SHELL that ask nobody": [
        f"{_MESSAGES}::test_what_cannot_be_taken_back_asks_first",
        f"{_MESSAGES}::test_what_deletes_for_good_asks_first",
    ],
    # Numbers as names.
    "zeros of a terminal that does not measure": [
        f"{_DIALECTS}::test_what_is_not_measured_is_null"
    ],
    # Interfaces.
    "cursors of two types": [
        f"{_LISTS}::test_every_list_has_the_same_cursors_orders_and_forms",
        f"{_LISTS}::test_a_poller_goes_on_from_its_last_cursor_for_ever",
    ],
    "operations without names, replies without schema": [
        "openapi/test_description.py::test_every_operation_has_a_name_a_tag_and_its_statuses",
        "openapi/test_description.py::test_every_operation_succeeds_as_described",
        "openapi/test_clients.py::test_a_python_client_is_generated_and_works",
        "openapi/test_clients.py::test_a_typescript_client_is_generated_and_works",
    ],
    "a method that is not allowed": [
        f"{_API}::test_a_wrong_method_is_answered_with_the_right_ones"
    ],
    "a terminal with records that is removed": [
        "server/test_admission.py::test_a_terminal_without_records_can_be_forgotten"
    ],
    "an event without data": ["server/test_events.py::test_every_block_has_data"],
    # The simulator.
    "replies that real terminals live with": [
        "simulator/test_fleet.py::test_a_terminal_lives_with_what_real_firmware_lives_with"
    ],
}
