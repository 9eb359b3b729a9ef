"""Claims of docs/security.md about secrets at rest, each with its tests as `file::name`.

The claims are sentences of the page, from "Secrets at rest" on, in its order.
"""

from __future__ import annotations

VAULT, ROTATION = "persist/test_vault.py", "persist/test_rotation.py"
DISK, DAMAGE = "daemon/test_secrets_on_disk.py", "promises/test_damage.py"
SECRETS, MODES = "promises/test_secrets.py", "promises/test_permissions.py"
ROTATED, CHAIN = "promises/test_rotated_keys.py", "promises/test_audit_chain.py"
AUDIT_NAMES = "promises/test_audit_names.py"
RETENTION = "promises/test_audit_retention.py"
CHECK, PRIVACY = "promises/test_database_check.py", "server/test_privacy.py"
UPGRADE, LAST_RELEASE = "persist/test_sealing_upgrade.py", "persist/test_last_release.py"
ACTS, RANGES = "server/test_acts.py", "server/test_file_ranges.py"
CLAIMS = {
    "The database, its write-ahead log and its backups reveal nothing that the table names as "
    "sealed without the key.": [
        f"{DISK}::test_secrets_are_nowhere_on_disk",
        f"{DISK}::test_secrets_are_nowhere_in_a_postgresql_server",
        f"{DISK}::test_another_data_directory_does_not_open_the_database",
    ],
    "By default it is in `DIR/key`, on the same disk.": [
        f"{DISK}::test_the_first_start_creates_the_key",
    ],
    "the disk, and the key is elsewhere (`ZKPUSH_KEY_FILE`)": [
        f"{DISK}::test_another_data_directory_does_not_open_the_database",
    ],
    "| Forwarders | their settings, URLs and credentials |": [
        "forward/test_secrecy.py::test_credentials_of_forwarders_are_sealed_on_disk",
    ],
    "| Accounts of the console | the secret of the second factor |": [
        "console/test_frame.py::test_the_secret_of_a_second_factor_is_sealed_on_disk",
    ],
    "Events, and those that wait for a forwarder | They hold what the scope `read` shows": [
        "forward/test_secrecy.py::test_pending_events_hold_no_secret",
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
    "its item is shown with null for the field and the name of the field in `damaged`": [
        f"{DAMAGE}::test_a_damaged_value_does_not_hide_the_others",
    ],
    "the picture is not served (410)": [
        f"{DAMAGE}::test_attendance_photos_cannot_be_exchanged_unnoticed",
    ],
    "a damaged command fails": [f"{DAMAGE}::test_a_damaged_command_fails_and_the_next_one_is_sent"],
    "The upgrade that introduced this binding cannot find pictures that were exchanged before "
    "it.": [
        "persist/test_last_release_lengths.py::test_long_tables_are_upgraded_to_their_ends",
    ],
    "Large files are sealed in parts of 64 KiB, so that terminals still get ranges of them.": [
        f"{VAULT}::test_a_part_is_read_without_the_rest",
        f"{RANGES}::test_a_range_of_a_large_file_is_served",
    ],
    "The server recognizes equal values": [
        f"{VAULT}::test_an_index_tells_equality_and_nothing_else",
    ],
    "Sizes are visible": [
        "persist/test_picture_files.py::test_a_sealed_picture_is_about_as_long_as_the_picture",
    ],
    "**Every undeclared value is a secret**": [
        f"{SECRETS}::test_no_route_shows_what_a_caller_may_not_see",
        f"{SECRETS}::test_no_change_is_answered_with_what_a_caller_may_not_see",
        f"{SECRETS}::test_the_command_line_shows_no_more_than_the_token",
    ],
    "Events are the same for all listeners, so they hold only what `read` shows.": [
        f"{SECRETS}::test_no_route_shows_what_a_caller_may_not_see",
    ],
    "The audit log names secret parameters and leaves their values out.": [
        f"{ACTS}::test_commands_are_recorded_without_their_secrets",
    ],
    "A caller who is shown secrets is recorded in the audit log": [
        f"{SECRETS}::test_a_caller_who_is_shown_secrets_is_in_the_audit_log",
        f"{SECRETS}::test_no_change_is_answered_with_what_a_caller_may_not_see",
        f"{ACTS}::test_the_secrets_of_a_command_that_is_queued_again_are_shown_on_record",
    ],
    "repeated access is recorded at most once a minute.": [
        f"{ACTS}::test_who_is_shown_secrets_is_recorded",
    ],
    "Logs and metrics hold no secret.": [
        f"{SECRETS}::test_logs_and_files_hold_no_secret",
        f"{SECRETS}::test_metrics_and_health_hold_no_needle",
    ],
    "The first start creates it.": [f"{DISK}::test_the_first_start_creates_the_key"],
    "A node with another key does not start.": [
        f"{DISK}::test_a_node_with_another_key_does_not_start",
    ],
    "The error names the key of the database and the one it found": [
        f"{VAULT}::test_a_database_of_another_key_is_not_opened",
    ],
    "It consists of 32 random bytes in hexadecimal, with or without a newline.": [
        f"{DISK}::test_the_first_start_creates_the_key",
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
    "the old key decrypts nothing in this database that rotation could read.": [
        f"{ROTATION}::test_everything_is_sealed_anew",
        f"{ROTATED}::test_nothing_sealed_under_the_old_key_is_left_in_tables_of_postgresql",
    ],
    "Rotation replaces the data key and the header of each value": [
        f"{VAULT}::test_a_renewed_head_opens_under_the_new_key_only",
        f"{LAST_RELEASE}::test_all_that_is_sealed_can_be_sealed_anew",
    ],
    "The key of the HMACs stays, because pictures are found by them.": [
        f"{ROTATED}::test_people_and_pictures_are_found_after_a_rotation",
    ],
    "Damaged values are reported and left unchanged; the others are rotated.": [
        f"{ROTATION}::test_what_is_damaged_does_not_stop_a_rotation",
    ],
    "the daemon may run meanwhile.": [f"{CHECK}::test_a_running_daemon_is_checked"],
    "| A row was changed, inserted, moved or renumbered | yes |": [
        f"{CHAIN}::test_tampering_with_the_audit_log_is_found",
    ],
    "the server records that it found the log tampered with, and goes on": [
        f"{CHAIN}::test_a_server_that_goes_on_covers_nothing_up",
    ],
    "Then only a head that was noted before shows that rows up to it were changed": [
        "promises/test_noted_heads.py::test_a_log_that_was_written_anew_is_found_by_a_noted_head",
    ],
    "Note the head that a check prints on another machine": [
        f"{CHAIN}::test_an_older_copy_of_everything_is_found_by_a_noted_head",
    ],
    "nobody can add rows with a key that was rotated away.": [
        f"{ROTATED}::test_a_key_that_was_rotated_away_signs_no_row",
    ],
    "Rows from before the chain were chained when the database was upgraded": [
        f"{AUDIT_NAMES}::test_rows_from_before_are_kept_without_names_and_chained",
    ],
    "The log is kept for ever unless `audit.keep_days` is set.": [
        f"{RETENTION}::test_the_log_is_kept_for_ever_unless_configured",
    ],
    "a row `checkpoint` says up to which id": [f"{RETENTION}::test_retention_ends_at_a_checkpoint"],
    "A log that does not verify is never shortened.": [
        f"{RETENTION}::test_retention_removes_no_evidence",
    ],
    "On PostgreSQL the check looks at all indexes if the extension `amcheck` is installed": [
        f"{CHECK}::test_a_damaged_index_of_postgresql_is_found_with_amcheck",
    ],
    "at failed checksums of pages.": [f"{CHECK}::test_a_page_with_a_wrong_checksum_is_damage"],
    "The first start of this version on an unsealed database seals it, rewrites it, and removes "
    "plain pictures from their folder.": [
        f"{UPGRADE}::test_secrets_of_an_old_database_are_sealed",
        f"{UPGRADE}::test_a_purge_that_did_not_happen_is_made_good",
    ],
    "(`….before-REVISION-…`, 0600) **is not sealed, and stays**. The log names it": [
        f"{UPGRADE}::test_secrets_of_an_old_database_are_sealed",
        "persist/test_migrations.py::test_a_file_that_is_behind_is_backed_up_first",
    ],
    "It contains no pictures": [f"{UPGRADE}::test_secrets_of_an_old_database_are_sealed"],
    "No template and no comparison photo that a terminal sends is stored from then on": [
        f"{PRIVACY}::test_nothing_of_a_template_is_on_disk",
        "promises/test_templates_nowhere.py::test_no_template_is_in_any_table_or_file",
    ],
    "Terminals are not asked for them": [f"{PRIVACY}::test_terminals_are_not_asked_for_templates"],
    "What they send all the same is acknowledged": [
        f"{PRIVACY}::test_templates_are_acknowledged_and_not_stored",
    ],
    "so are the fingerprints of identity cards.": [
        f"{PRIVACY}::test_an_identity_card_is_kept_without_fingerprints",
    ],
    "Unknown columns and options are dropped if their name is that of a template": [
        "promises/test_no_templates.py::test_an_unknown_column_that_may_be_a_template_is_dropped",
    ],
    "the reason is kept and not the bytes.": [
        f"{PRIVACY}::test_what_may_be_a_template_is_kept_without_its_bytes",
    ],
    "Commands that take templates to a terminal or ask for them are refused.": [
        f"{PRIVACY}::test_commands_with_templates_are_refused",
    ],
    "So are `RAW`, and base64 parameters that the site or a plugin [defines](commands.md).": [
        "server/test_site_commands.py::test_a_server_without_templates_refuses_those_of_the_site",
    ],
    "It applies the same rules to everything that is stored": [
        "server/test_site_commands.py::test_templates_in_commands_of_the_site_are_forgotten",
        "promises/test_templates_nowhere.py::test_templates_are_forgotten_wherever_they_are",
    ],
    "`tx.vault.seal(value, about)` returns bytes for a column of bytes.": [
        f"{ROTATION}::test_everything_is_sealed_anew",
    ],
    "the value then decrypts in its own place only.": [
        f"{VAULT}::test_it_opens_in_its_own_place_only",
    ],
    "`tx.vault.index(value)` finds equal values.": [
        f"{VAULT}::test_an_index_tells_equality_and_nothing_else",
    ],
    "Rotation finds sealed values in every column of bytes of every table": [
        f"{ROTATED}::test_nothing_sealed_under_the_old_key_is_left_in_tables_of_postgresql",
        f"{ROTATION}::test_everything_is_sealed_anew",
    ],
}
