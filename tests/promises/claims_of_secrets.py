"""Claims of docs/security.md about secrets at rest, each with its tests as `file::name`.

The claims are sentences of the page, from "Secrets at rest" on, in its order.
"""

from __future__ import annotations

VAULT, ROTATION = "persist/test_vault.py", "persist/test_rotation.py"
DISK, DAMAGE = "daemon/test_secrets_on_disk.py", "promises/test_damage.py"
SECRETS, MODES = "promises/test_secrets.py", "promises/test_permissions.py"
ROTATED, CHAIN = "promises/test_rotated_keys.py", "promises/test_audit_chain.py"
CHECK, PRIVACY = "promises/test_database_check.py", "server/test_privacy.py"
UPGRADE = "persist/test_sealing_upgrade.py"
CLAIMS = {
    "The database, its write-ahead log and its backups reveal no secret without the key.": [
        f"{DISK}::test_secrets_are_nowhere_on_disk",
        f"{DISK}::test_secrets_are_nowhere_in_a_postgresql_server",
        f"{DISK}::test_another_data_directory_does_not_open_the_database",
    ],
    "The data directory is accessible to its owner only (0700), and so are the files in it.": [
        f"{MODES}::test_a_mode_that_is_too_wide_is_narrowed",
    ],
    "a value opens only in its own row and column, and only whole.": [
        f"{VAULT}::test_it_opens_in_its_own_place_only",
        f"{VAULT}::test_what_is_cut_is_noticed",
    ],
    "A value that somebody copied to another user, cut or put together otherwise is damaged.": [
        f"{VAULT}::test_chunks_in_another_order_are_noticed",
        f"{VAULT}::test_one_of_several_that_is_cut_or_grown_is_noticed",
    ],
    "Each attendance photo, photo of a user and file is bound to its content": [
        f"{DAMAGE}::test_attendance_photos_cannot_be_exchanged_unnoticed",
        f"{DAMAGE}::test_photos_of_people_cannot_be_exchanged_unnoticed",
        f"{DAMAGE}::test_files_cannot_be_exchanged_unnoticed",
    ],
    "A damaged value does not affect anything else": [
        f"{DAMAGE}::test_a_damaged_value_does_not_hide_the_others",
    ],
    "a damaged command fails": [f"{DAMAGE}::test_a_damaged_command_fails_and_the_next_one_is_sent"],
    "Large files are sealed in parts of 64 KiB": [
        f"{VAULT}::test_a_part_is_read_without_the_rest",
    ],
    "The server recognizes equal values": [
        f"{VAULT}::test_an_index_tells_equality_and_nothing_else",
    ],
    "**Every undeclared value is a secret**": [
        f"{SECRETS}::test_no_route_shows_what_a_caller_may_not_see",
        f"{SECRETS}::test_no_change_is_answered_with_what_a_caller_may_not_see",
        f"{SECRETS}::test_the_command_line_shows_no_more_than_the_token",
    ],
    "Events are the same for all listeners, so they hold only what `read` shows.": [
        f"{SECRETS}::test_no_route_shows_what_a_caller_may_not_see",
    ],
    "A caller who is shown secrets is recorded in the audit log": [
        f"{SECRETS}::test_a_caller_who_is_shown_secrets_is_in_the_audit_log",
        f"{SECRETS}::test_no_change_is_answered_with_what_a_caller_may_not_see",
    ],
    "Logs and metrics hold no values that terminals send.": [
        f"{SECRETS}::test_logs_and_files_hold_no_secret",
        f"{SECRETS}::test_metrics_and_health_hold_no_needle",
    ],
    "A node with another key does not start.": [
        f"{DISK}::test_a_node_with_another_key_does_not_start",
    ],
    "The file that `ZKPUSH_KEY_FILE` names must not be readable by others": [
        f"{MODES}::test_a_key_file_that_others_may_read_is_refused",
    ],
    "accept that mode with `ZKPUSH_KEY_FILE_MODE=0444`": [
        f"{MODES}::test_a_mounted_secret_may_be_wider_where_that_is_said",
    ],
    "A file that others may write is never accepted.": [
        f"{MODES}::test_a_mode_that_lets_others_write_cannot_be_accepted",
    ],
    "If it is interrupted, even by a power cut, run it again.": [
        f"{ROTATION}::test_a_rotation_that_was_killed_goes_on",
    ],
    "no daemon starts until it is complete.": [
        f"{VAULT}::test_a_rotation_that_was_interrupted_is_told_of",
        f"{ROTATION}::test_keys_are_not_rotated_under_a_daemon",
    ],
    "the old key decrypts nothing in this database.": [
        f"{ROTATION}::test_everything_is_sealed_anew",
        f"{ROTATED}::test_nothing_sealed_under_the_old_key_is_left_in_tables_of_postgresql",
    ],
    "The key of the HMACs stays, because pictures are found by them.": [
        f"{ROTATED}::test_people_and_pictures_are_found_after_a_rotation",
    ],
    "Damaged values are reported and left unchanged; the others are rotated.": [
        f"{ROTATION}::test_what_is_damaged_does_not_stop_a_rotation",
    ],
    "the daemon may run meanwhile.": [f"{CHECK}::test_a_running_daemon_is_checked"],
    "it records that it found the log tampered with, and goes on": [
        f"{CHAIN}::test_a_server_that_goes_on_covers_nothing_up",
    ],
    "To detect an older copy, note the head that a check prints on another machine": [
        f"{CHAIN}::test_an_older_copy_of_everything_is_found_by_a_noted_head",
    ],
    "nobody can add rows with a key that was rotated away.": [
        f"{ROTATED}::test_a_key_that_was_rotated_away_signs_no_row",
    ],
    "The log is kept for ever unless `audit.keep_days` is set.": [
        f"{CHAIN}::test_the_log_is_kept_for_ever_unless_configured",
    ],
    "A log that does not verify is never shortened.": [
        f"{CHAIN}::test_retention_removes_no_evidence",
    ],
    "at failed checksums of pages.": [f"{CHECK}::test_a_page_with_a_wrong_checksum_is_damage"],
    "The first start of this version on an unsealed database seals it": [
        f"{UPGRADE}::test_secrets_of_an_old_database_are_sealed",
    ],
    "No template and no comparison photo is stored then": [
        f"{PRIVACY}::test_nothing_of_a_template_is_on_disk",
        "promises/test_templates_nowhere.py::test_no_template_is_in_any_table_or_file",
    ],
    "Commands that take templates to a terminal or ask for them are refused.": [
        f"{PRIVACY}::test_commands_with_templates_are_refused",
    ],
    "It applies the same rules to everything that is stored": [
        "promises/test_templates_nowhere.py::test_templates_are_forgotten_wherever_they_are",
    ],
}
