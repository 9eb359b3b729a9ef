"""Faults at the door, in the store and in plugins, each with its tests as `file::name`.

Every row of the list of faults stands here by its subject, in the order of the list, under the
heading of the list.
"""

from __future__ import annotations

DISCLOSURE = [
    "promises/test_secrets.py::test_no_route_shows_what_a_caller_may_not_see",
    "promises/test_secrets.py::test_needles_are_where_secrets_were_shown",
]
GATE, DECODING = "promises/test_cost_at_the_gate.py", "promises/test_cost_of_decoding.py"
LONG_BODIES = "promises/test_long_bodies.py"
DESCRIPTORS = "promises/test_descriptors.py"
SESSIONS = "promises/test_identity_of_sessions.py"
PLUGINS, DATABASE = "promises/test_plugins.py", "promises/test_the_right_database.py"
FAULTS = {
    "what a stranger or one bad terminal can make the server spend": {
        "a run of spaces in a line": [f"{DECODING}::test_a_run_of_spaces_takes_time_in_proportion"],
        "a small packet of many bad lines": [
            f"{DECODING}::test_rubbish_costs_about_what_a_plain_upload_does",
            f"{DECODING}::test_rejects_are_not_sealed_while_others_wait_to_write",
            f"{LONG_BODIES}::test_a_gzip_bomb_is_decoded_in_parts_and_charged",
        ],
        "declared bodies of invented serial numbers": [
            f"{GATE}::test_strangers_that_hold_bodies_open_take_nothing_from_terminals",
            f"{GATE}::test_a_terminal_that_is_not_served_is_refused_at_the_head",
        ],
        "long bodies of one terminal at once": [
            "promises/test_memory_of_bodies.py"
            "::test_long_bodies_at_once_take_a_bounded_amount_of_memory",
            f"{LONG_BODIES}::test_long_bodies_are_decoded_one_after_the_other",
        ],
        "polls with serial numbers that nobody knows": [
            f"{GATE}::test_many_strangers_share_one_look_at_the_store",
            f"{GATE}::test_beyond_the_limit_strangers_reach_the_store_no_more",
        ],
        "bodies and heads without a token at the management port": [
            "promises/test_management_attackers.py::test_bodies_of_strangers_take_no_memory",
            "promises/test_management_attackers.py::test_slow_strangers_take_nothing_from_terminals",
        ],
        "pings in the name of a terminal": [
            f"{GATE}::test_a_flood_from_elsewhere_does_not_silence_a_terminal"
        ],
        "a push of a hundred thousand options": [
            f"{DECODING}::test_the_options_of_a_terminal_are_bounded"
        ],
        "thousands of results in one answer": [
            f"{DECODING}::test_thousands_of_answers_hold_up_nobody",
            f"{DECODING}::test_others_are_served_while_thousands_of_answers_are_read",
            f"{DECODING}::test_many_answers_take_no_longer_turn_of_the_reactor_than_few",
        ],
        "few file descriptors": [
            f"{DESCRIPTORS}::test_a_daemon_with_few_descriptors_says_so_and_serves",
            f"{DESCRIPTORS}::test_a_daemon_with_too_few_descriptors_does_not_start",
        ],
        "readers of events that are far behind": [
            "promises/test_shared_events.py::test_readers_at_the_same_place_cost_what_one_costs"
        ],
    },
    "what knowing a serial number gives": {
        "a path of a file that can be guessed": [
            "promises/test_identity_of_files.py::test_a_guessed_path_gives_nothing"
        ],
        "a pushcommkey of a stranger": [
            "promises/test_identity_of_keys.py::test_a_stranger_s_key_locks_nobody_out"
        ],
        "polls of a stranger, and an invented token": [
            f"{SESSIONS}::test_a_stranger_gets_no_secret_of_a_terminal_that_returns_tokens",
            f"{SESSIONS}::test_require_with_no_token_refuses",
        ],
        "a cookie of another server": [f"{SESSIONS}::test_a_cookie_of_another_server_is_served"],
        "a page in a browser": [f"{GATE}::test_a_browser_is_refused_at_the_terminals_port"],
        "settings with the scope write": [
            "promises/test_scopes.py::test_every_attribute_of_a_terminal_asks_for_its_scope",
            "promises/test_scopes.py::test_every_command_asks_for_its_scope",
        ],
        "a package of people without biometrics": [
            "promises/test_identity_of_files.py::test_a_package_needs_the_scope_of_what_is_in_it"
        ],
        "a sealed poll that is sent again": [f"{SESSIONS}::test_a_sealed_poll_is_taken_once"],
        "a plain exchange before a sealed upload": [f"{SESSIONS}::test_a_downgrade_loses_nothing"],
        "a trusted proxy in the audit log": [
            "promises/test_management_connections.py"
            "::test_the_audit_log_names_the_client_behind_a_trusted_proxy"
        ],
    },
    "secrets": {
        "values of SET OPTION": DISCLOSURE,
        "text and output of SHELL": DISCLOSURE,
        "passwords in options and INFO": DISCLOSURE,
        "unknown columns of users": DISCLOSURE,
        "unknown columns of work codes": DISCLOSURE,
        "bytes and reasons of rejects": DISCLOSURE,
        "MD5 of files": DISCLOSURE,
        "templates in unknown columns": [
            "promises/test_no_templates.py::test_an_unknown_column_that_may_be_a_template_is_dropped"
        ],
        "photos that are exchanged in the database": [
            "promises/test_damage.py::test_attendance_photos_cannot_be_exchanged_unnoticed"
        ],
        "one damaged value in a list": [
            "promises/test_damage.py::test_a_damaged_value_does_not_hide_the_others"
        ],
        "escape sequences in CSV and on the screen": [
            "promises/test_screens.py::test_no_command_prints_what_steers_a_screen",
            "promises/test_screens.py::test_csv_holds_no_formula_and_no_control_character",
        ],
        "a token that expires too late": [
            "promises/test_lists_take_any_number.py::test_a_far_expiry_stores_nothing"
        ],
        "modes that are too wide": [
            "promises/test_permissions.py::test_a_mode_that_is_too_wide_is_narrowed",
            "promises/test_permissions.py::test_a_key_file_that_others_may_read_is_refused",
        ],
        "a cursor beyond 64 bits": [
            "promises/test_lists_take_any_number.py"
            "::test_a_cursor_out_of_range_is_400_on_every_list"
        ],
    },
    "the store's guard": {
        "a database file that is deleted": [
            "promises/test_the_open_file.py::test_a_deleted_database_stores_nothing"
        ],
        "a URL with a slash too few": [
            f"{DATABASE}::test_a_daemon_starts_on_no_database_by_accident"
        ],
        "a database that is missing": [f"{DATABASE}::test_a_lost_database_is_not_begun_anew"],
        "a full disk, a size limit, a missing folder": [
            "promises/test_health.py::test_a_full_disk",
            "promises/test_health.py::test_a_file_size_limit",
            "promises/test_health.py::test_a_missing_folder_of_pictures",
        ],
        "a clock that is set back": [
            "promises/test_clock.py::test_idle_connections_are_ended",
            "promises/test_clock.py::test_a_jump_is_a_problem",
        ],
        "a database server that hangs": [
            "promises/test_stopping.py::test_a_database_server_that_hangs_does_not_hold_up_the_end"
        ],
        "a log that nobody reads": [
            "promises/test_logging.py::test_a_log_that_nobody_reads_does_not_stop_the_daemon"
        ],
        "parts of killed writes, and pictures that nothing names": [
            "promises/test_collection.py::test_what_nothing_names_goes_within_a_day"
        ],
        "a second daemon": [f"{DATABASE}::test_a_second_daemon_on_a_data_directory_is_refused"],
        "the command line on a copy": [
            f"{DATABASE}::test_the_cli_does_not_reach_production_by_a_copy"
        ],
    },
    "plugins": {
        "a handler that rolls back": [
            "daemon/test_pulled_plug.py"
            "::test_what_was_acknowledged_is_stored_whenever_the_plug_is_pulled",
        ],
        "a handler that raises": [
            f"{PLUGINS}::test_one_bad_line_of_a_mixed_body_is_kept_and_the_rest_stored"
        ],
        "a handler that exits": [
            f"{PLUGINS}::test_an_exit_of_a_plugin_is_answered_and_the_daemon_stops"
        ],
        "an admission policy of a package": [
            f"{PLUGINS}::test_an_admission_policy_of_a_package_decides"
        ],
        "a store of a package": [
            f"{PLUGINS}::test_a_store_of_a_package_works_in_the_daemon_and_in_maintenance"
        ],
        "messages of plugins": [
            f"{PLUGINS}::test_messages_of_plugins_are_logged_where_that_is_switched_on"
        ],
    },
    "found later": {
        "many short records": [
            "server/test_dense_uploads.py::test_a_dense_upload_is_stored_in_the_background"
        ],
        "connections of many addresses": [
            "server/test_limits.py"
            "::test_strangers_at_many_addresses_displace_no_upload_of_the_terminal"
        ],
    },
}
ROWS = {
    "what a stranger or one bad terminal can make the server spend": 11,
    "what knowing a serial number gives": 10,
    "secrets": 14,
    "the store's guard": 10,
    "plugins": 6,
    "found later": 2,
}
"""How many rows each part of the list has: one that is left out here is missed."""
