"""Claims of docs/security.md about strangers, each with its tests as `file::name`.

The claims are sentences of the page up to "Secrets at rest", in its order.
"""

from __future__ import annotations

MODEL, STRANGERS = "promises/test_threat_model.py", "promises/test_strangers.py"
SESSIONS, KEYS = "promises/test_identity_of_sessions.py", "promises/test_identity_of_keys.py"
AREAS = "promises/test_limited_tokens.py"
FILES, POLLS = "promises/test_identity_of_files.py", "promises/test_repeated_polls.py"
FLOODS, GATE = "promises/test_floods.py", "promises/test_cost_at_the_gate.py"
REFUSED, PAGES = "promises/test_cost_of_refused_terminals.py", "promises/test_web_pages.py"
DENSE, LIMITS, TOKENS = (
    "server/test_dense_uploads.py",
    "server/test_limits.py",
    "server/test_tokens.py",
)
CLAIMS = {
    "The API is not at the terminals' port.": [
        f"{MODEL}::test_the_api_is_not_at_the_terminals_port",
    ],
    "nobody passes on a scope that they lack": [
        f"{TOKENS}::test_nobody_gives_away_what_they_do_not_have",
    ],
    "Unknown, pending and blocked terminals get nothing, and the server stores none of their "
    "uploads.": [f"{MODEL}::test_who_is_not_approved_gets_nothing"],
    "Under `--admission closed` it records none of these of unknown terminals.": [
        "server/test_admission.py::test_closed_records_nothing_of_an_unknown_terminal",
    ],
    "Under `--admission open` a stranger can invent a serial number.": [
        f"{MODEL}::test_an_invented_serial_number_speaks_for_itself",
    ],
    "none of these works.": [
        f"{MODEL}::test_what_a_stranger_can_do",
        f"{MODEL}::test_the_page_says_what_was_tried",
    ],
    "A terminal that has returned a token is served with a token only.": [
        f"{SESSIONS}::test_a_terminal_that_has_returned_a_token_goes_on",
        f"{SESSIONS}::test_a_stranger_s_exchanges_do_not_lock_the_terminal_out",
    ],
    "A stranger at the terminal's own address": [
        f"{MODEL}::test_some_settings_hold_at_the_terminals_own_address",
        f"{STRANGERS}::test_at_one_address_the_last_exchange_counts",
    ],
    "the stranger can lock it out by returning one, with the problem `token not returned`": [
        f"{STRANGERS}::test_a_returned_token_locks_out_a_terminal_that_returns_none",
    ],
    "take a command away from the terminal?": [f"{MODEL}::test_what_a_stranger_can_do"],
    "hold a command back?": [
        f"{STRANGERS}::test_a_sealed_session_of_a_stranger_holds_secrets_back",
    ],
    "make the terminal leave records out?": [f"{MODEL}::test_what_a_stranger_can_do"],
    "speak for the terminal in an exchange?": [
        f"{MODEL}::test_whose_exchange_counts_for_the_terminal",
    ],
    "lock out a terminal that is at work?": [
        f"{SESSIONS}::test_a_stranger_s_exchanges_do_not_lock_the_terminal_out",
        f"{GATE}::test_a_flood_from_elsewhere_does_not_silence_a_terminal",
    ],
    "lock out a terminal that has not connected yet?": [
        f"{STRANGERS}::test_a_returned_token_locks_out_a_terminal_that_returns_none",
    ],
    "have its own pushcommkey pinned?": [
        f"{KEYS}::test_a_stranger_s_key_locks_nobody_out",
        f"{KEYS}::test_approval_pins_none_of_several",
        f"{KEYS}::test_approval_again_pins_no_key_of_a_stranger",
    ],
    "fetch a file or a package of people?": [
        f"{FILES}::test_a_guessed_path_gives_nothing",
        f"{FILES}::test_a_url_is_a_secret_of_one_command",
        f"{STRANGERS}::test_the_url_of_a_file_is_enough",
    ],
    "send a captured request again?": [
        f"{POLLS}::test_a_sealed_poll_repeated_at_once_takes_a_command_and_cannot_read_it",
        f"{POLLS}::test_a_sealed_poll_repeated_after_five_seconds_takes_nothing",
        f"{STRANGERS}::test_a_sealed_upload_is_taken_once_over_all_nodes",
    ],
    "make a sealed upload get lost by a plain exchange?": [
        f"{SESSIONS}::test_a_downgrade_loses_nothing",
    ],
    "learn who works here?": [f"{MODEL}::test_what_a_stranger_can_do"],
    "It cannot forge a punch, nor store anything else by POST": [
        f"{PAGES}::test_a_page_forges_no_punch",
    ],
    "So links, images and forms of a page reach nothing either.": [
        f"{PAGES}::test_a_page_gets_nothing_by_links_and_images",
    ],
    "The page is then a stranger at the address of that computer": [
        f"{PAGES}::test_a_page_behind_a_rebound_name_is_a_stranger_where_it_is",
    ],
    "6,000 pings in B's name in a few seconds": [
        f"{FLOODS}::test_pings_in_a_terminal_s_name_are_counted_against_the_stranger",
        f"{STRANGERS}::test_a_flood_in_a_terminal_s_name_is_the_same_under_each_mode",
    ],
    "1,000 new serial numbers a second": [
        f"{FLOODS}::test_new_serial_numbers_delay_new_terminals_only",
        f"{STRANGERS}::test_new_serial_numbers_are_recorded_at_a_pace",
    ],
    "the heads of eight uploads of 50 MB in B's name, without the bodies": [
        f"{FLOODS}::test_large_bodies_in_a_terminal_s_name_hold_up_its_own_large_ones",
    ],
    "the same in the names of new terminals": [
        f"{FLOODS}::test_large_bodies_of_invented_terminals_are_refused_at_the_head",
        f"{FLOODS}::test_large_bodies_of_invented_terminals_hold_a_share_where_all_are_admitted",
    ],
    "a packet of 1 KB that expands to 1 MiB, in B's name": [
        f"{FLOODS}::test_a_bomb_in_a_terminal_s_name_is_a_reject",
    ],
    "A terminal that returns its trusted token is not affected by having moved.": [
        f"{GATE}::test_the_right_token_gets_through_a_flood",
        f"{SESSIONS}::test_a_terminal_is_known_by_its_token_where_it_moves",
    ],
    "They are answered from memory; the database is asked once a second for each terminal": [
        f"{REFUSED}::test_a_flood_of_refused_requests_asks_the_store_once_a_second",
        f"{REFUSED}::test_a_token_of_another_node_is_good_within_a_second",
    ],
    "An upload from the terminal's usual address, or with its token, ends last": [
        f"{LIMITS}::test_strangers_at_many_addresses_displace_no_upload_of_the_terminal",
        f"{LIMITS}::test_a_terminal_that_moves_is_displaced_last_by_its_token",
    ],
    "heads and bodies that trickle": [
        f"{LIMITS}::test_a_head_that_trickles_is_as_good_as_silence",
        f"{LIMITS}::test_a_body_that_trickles_is_ended_in_time",
    ],
    "A body is judged by its headers before it is read.": [
        f"{GATE}::test_a_terminal_that_is_not_served_is_refused_at_the_head",
    ],
    "bodies of up to 4 KiB do not": [
        f"{STRANGERS}::test_a_terminal_without_its_share_of_memory_still_sends_punches",
    ],
    "a small packet that expands to a large one": [
        f"{GATE}::test_a_gzip_bomb_is_decoded_in_parts_and_charged",
        f"{GATE}::test_a_long_body_of_bad_lines_makes_a_bounded_number_of_rejects",
    ],
    "An upload is *dense* if more than 100 of its records are shorter than their table says": [
        f"{DENSE}::test_a_dense_upload_is_stored_in_the_background",
        f"{DENSE}::test_a_few_short_records_are_stored_at_once",
    ],
    "the terminals take turns": [
        f"{DENSE}::test_the_background_is_paced_and_terminals_take_turns",
    ],
    "If an upload has too many short ones, all of its errors, or of its identity cards, become one "
    "reject.": [f"{DENSE}::test_too_many_short_errors_are_one_reject_that_a_retry_stores"],
    "Lines of this length are never deferred": [
        f"{STRANGERS}::test_the_page_names_the_lengths_of_the_tables",
    ],
    "a stranger gets no further than the handshake": [
        "daemon/test_tls.py::test_a_terminal_without_a_certificate_gets_no_further_than_the_handshake",
    ],
    "approval pins the offered pushcommkey if it is the only one and no exchange came without a "
    "key.": [
        f"{KEYS}::test_approval_pins_the_only_key",
        f"{KEYS}::test_a_sole_key_beside_exchanges_without_one_is_not_pinned",
    ],
    "makes a token that sees and changes only the terminals and people of these areas, and the "
    "records of these terminals.": [
        f"{AREAS}::test_no_route_shows_or_changes_anything_of_another_area",
        f"{AREAS}::test_what_is_of_the_area_is_seen_and_changed",
    ],
    "is answered like something that does not exist.": [
        f"{AREAS}::test_another_area_is_as_if_it_were_not",
    ],
    "a terminal that moves away is gone at once, with its records.": [
        f"{AREAS}::test_who_moves_out_of_the_area_is_gone_at_once",
    ],
    "A new path is refused until it says how it is limited.": [
        f"{AREAS}::test_a_new_route_is_refused_until_it_says_how_it_is_limited",
    ],
    "Older tokens from the same address stop working then": [
        f"{SESSIONS}::test_an_old_token_ends_once_the_new_one_came_back",
    ],
    "or the exchange that issued it came from the address of a trusted token": [
        f"{STRANGERS}::test_the_first_token_that_is_returned_is_trusted",
        f"{SESSIONS}::test_a_pinned_key_makes_a_token_worth_more",
    ],
    "is told to begin again, from the first on.": [
        f"{SESSIONS}::test_require_judges_from_the_first_request",
        f"{SESSIONS}::test_require_with_no_token_refuses",
    ],
    "`ignore` | is served": [f"{STRANGERS}::test_ignored_tokens_protect_nothing"],
    "that begins anew, and forgets what tokens have shown.": [
        f"{SESSIONS}::test_an_operator_begins_anew_with_tokens",
    ],
    "They wait until a session proves itself.": [
        f"{SESSIONS}::test_a_stranger_gets_no_secret_of_a_terminal_that_returns_tokens",
        f"{SESSIONS}::test_secrets_wait_for_the_encrypted_session",
        f"{SESSIONS}::test_a_terminal_that_can_prove_nothing_is_served_as_ever",
    ],
    "A terminal that encrypts and returns tokens needs both": [
        f"{STRANGERS}::test_a_terminal_that_seals_and_returns_tokens_proves_itself",
    ],
}
