"""Faults that were found in the running daemon, each with the tests that would find it again.

A fault is named by its subject. Its tests go through HTTP or the command line. Those of records and
their lists are in `faults_of_records`.
"""

from __future__ import annotations

import ast
import functools
import pathlib

import pytest

from . import faults_of_records

TESTS = pathlib.Path(__file__).parent.parent
FAULTS = {
    # What a stranger or one bad terminal can make the server spend.
    "a run of spaces in a line": ["test_a_run_of_spaces_takes_time_in_proportion"],
    "a small packet of many bad lines": [
        "test_rubbish_costs_about_what_a_plain_upload_does",
        "test_a_gzip_bomb_is_decoded_in_parts_and_charged",
    ],
    "declared bodies of invented serial numbers": [
        "test_strangers_that_hold_bodies_open_take_nothing_from_terminals"
    ],
    "long bodies of one terminal at once": ["test_long_bodies_are_decoded_one_after_the_other"],
    "polls with serial numbers that nobody knows": [
        "test_many_strangers_share_one_look_at_the_store",
        "test_beyond_the_limit_strangers_reach_the_store_no_more",
    ],
    "bodies and heads without a token at the management port": [
        "test_bodies_of_strangers_take_no_memory",
        "test_slow_strangers_take_nothing_from_terminals",
    ],
    "pings in the name of a terminal": ["test_a_flood_from_elsewhere_does_not_silence_a_terminal"],
    "a push of a hundred thousand options": ["test_the_options_of_a_terminal_are_bounded"],
    "thousands of results in one answer": ["test_thousands_of_answers_hold_up_nobody"],
    "few file descriptors": ["test_a_daemon_with_too_few_descriptors_does_not_start"],
    "readers of events that are far behind": ["test_readers_at_the_same_place_cost_what_one_costs"],
    "many short records": ["test_a_dense_upload_is_stored_in_the_background"],
    "connections of many addresses": [
        "test_strangers_at_many_addresses_displace_no_upload_of_the_terminal"
    ],
    # What knowing a serial number gives.
    "a path of a file that can be guessed": ["test_a_guessed_path_gives_nothing"],
    "a pushcommkey of a stranger": ["test_a_stranger_s_key_locks_nobody_out"],
    "polls of a stranger, and an invented token": [
        "test_a_stranger_gets_no_secret_of_a_terminal_that_returns_tokens",
        "test_require_with_no_token_refuses",
    ],
    "a cookie of another server": ["test_a_cookie_of_another_server_is_served"],
    "a page in a browser": ["test_a_browser_is_refused_at_the_terminals_port"],
    "settings with the scope write": [
        "test_every_attribute_of_a_terminal_asks_for_its_scope",
        "test_every_command_asks_for_its_scope",
    ],
    "a package of people without biometrics": ["test_a_package_needs_the_scope_of_what_is_in_it"],
    "a sealed poll that is sent again": ["test_a_sealed_poll_is_taken_once"],
    "a plain exchange before a sealed upload": ["test_a_downgrade_loses_nothing"],
    "a trusted proxy in the audit log": [
        "test_the_audit_log_names_the_client_behind_a_trusted_proxy"
    ],
    # Secrets.
    "values of SET OPTION": ["test_no_route_shows_what_a_caller_may_not_see"],
    "text and output of SHELL": ["test_no_route_shows_what_a_caller_may_not_see"],
    "passwords in options and INFO": ["test_no_route_shows_what_a_caller_may_not_see"],
    "unknown columns of users and work codes": ["test_no_route_shows_what_a_caller_may_not_see"],
    "bytes and reasons of rejects": ["test_no_route_shows_what_a_caller_may_not_see"],
    "MD5 of files": ["test_no_route_shows_what_a_caller_may_not_see"],
    "templates in unknown columns": ["test_an_unknown_column_that_may_be_a_template_is_dropped"],
    "photos that are exchanged in the database": [
        "test_attendance_photos_cannot_be_exchanged_unnoticed"
    ],
    "one damaged value in a list": ["test_a_damaged_value_does_not_hide_the_others"],
    "escape sequences in CSV and on the screen": [
        "test_no_command_prints_what_steers_a_screen",
        "test_csv_holds_no_formula_and_no_control_character",
    ],
    "a token that expires too late": ["test_a_far_expiry_stores_nothing"],
    "modes that are too wide": [
        "test_a_mode_that_is_too_wide_is_narrowed",
        "test_a_key_file_that_others_may_read_is_refused",
    ],
    "a cursor beyond 64 bits": ["test_a_cursor_out_of_range_is_400_on_every_list"],
    # The store's guard.
    "a database file that is deleted": ["test_a_deleted_database_stores_nothing"],
    "a URL with a slash too few": ["test_a_slip_in_a_url_is_answered_with_what_was_meant"],
    "a database that is missing": ["test_a_lost_database_is_not_begun_anew"],
    "a full disk, a size limit, a missing folder": [
        "test_a_full_disk",
        "test_a_file_size_limit",
        "test_a_missing_folder_of_pictures",
    ],
    "a clock that is set back": ["test_idle_connections_are_ended", "test_a_jump_is_a_problem"],
    "a database server that hangs": ["test_a_database_server_that_hangs_does_not_hold_up_the_end"],
    "a log that nobody reads": ["test_a_log_that_nobody_reads_does_not_stop_the_daemon"],
    "pictures that nothing names": ["test_what_nothing_names_goes_within_a_day"],
    "a second daemon": ["test_a_second_daemon_on_a_data_directory_is_refused"],
    "the command line on a copy": ["test_the_cli_does_not_reach_production_by_a_copy"],
    # Plugins.
    "a handler that rolls back": [
        "test_what_was_acknowledged_is_stored_whenever_the_plug_is_pulled",
        "test_a_handler_that_ends_the_transaction_is_left_out",
    ],
    "a handler that raises": ["test_one_bad_line_of_a_mixed_body_is_kept_and_the_rest_stored"],
    "a handler that exits": ["test_an_exit_of_a_plugin_is_answered_and_the_daemon_stops"],
    "an admission policy of a package": ["test_an_admission_policy_of_a_package_decides"],
    "a store of a package": ["test_a_store_of_a_package_works_in_the_daemon_and_in_maintenance"],
    "messages of plugins": ["test_messages_of_plugins_are_logged_where_that_is_switched_on"],
}


@functools.cache
def names() -> frozenset[str]:
    """The names of all tests, each also as `file::name`."""
    return frozenset(
        name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for name in (node.name, f"{path.relative_to(TESTS)}::{node.name}")
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_known_fault_keeps_its_test(fault: str) -> None:
    """What was found once has a test as long as there is the promise."""
    assert names().issuperset(FAULTS[fault])


@pytest.mark.parametrize("fault", faults_of_records.FAULTS)
def test_a_known_fault_of_records_keeps_its_test(fault: str) -> None:
    """What was found once has a test as long as there is the promise."""
    assert names().issuperset(faults_of_records.FAULTS[fault])
