"""Claims of docs/security.md about strangers, each with its tests as `file::name`.

The claims are sentences of the page up to "Secrets at rest", in its order.
"""

from __future__ import annotations

MODEL, STRANGERS = "promises/test_threat_model.py", "promises/test_strangers.py"
SESSIONS, KEYS = "promises/test_identity_of_sessions.py", "promises/test_identity_of_keys.py"
TRUST = "promises/test_trust_in_tokens.py"
CAPTURED = "promises/test_captured_tokens.py"
AREAS = "promises/test_limited_tokens.py"
FILES, POLLS = "promises/test_identity_of_files.py", "promises/test_repeated_polls.py"
FLOODS, GATE = "promises/test_floods.py", "promises/test_cost_at_the_gate.py"
MEMORY = "promises/test_memory_at_the_gate.py"
LONG_BODIES = "promises/test_long_bodies.py"
REFUSED, PAGES = "promises/test_cost_of_refused_terminals.py", "promises/test_web_pages.py"
LIMITS, TOKENS = "server/test_limits.py", "server/test_tokens.py"
LOCKS, LEFT = "promises/test_lock_outs.py", "promises/test_uploads_of_strangers.py"
CONSOLE = "console/test_frame.py"
CLAIMS = {
    "The API and the console are not at the terminals' port.": [
        f"{MODEL}::test_the_api_is_not_at_the_terminals_port",
    ],
    "nobody passes on a scope that they lack": [
        f"{TOKENS}::test_nobody_gives_away_what_they_do_not_have",
    ],
    "The console refuses to work over plain HTTP from another machine.": [
        f"{CONSOLE}::test_no_password_is_taken_over_plain_http",
    ],
    "Pending and blocked terminals get nothing, nor do unknown ones unless `--admission open` is "
    "set. The server stores none of their uploads.": [
        f"{MODEL}::test_who_is_not_approved_gets_nothing",
    ],
    "Under `--admission closed` it records none of these of unknown terminals.": [
        "server/test_admission.py::test_closed_records_nothing_of_an_unknown_terminal",
    ],
    "Under `--admission open` a stranger can invent a serial number.": [
        f"{MODEL}::test_an_invented_serial_number_speaks_for_itself",
    ],
    "If the area `default` distributes people, these commands hold all people of that area": [
        f"{LEFT}::test_an_invented_terminal_gets_the_people_of_the_area_default",
    ],
    "the server demands them then.": [
        f"{SESSIONS}::test_a_terminal_that_has_returned_a_token_goes_on",
    ],
    "none of these works.": [
        f"{MODEL}::test_what_a_stranger_can_do",
        f"{MODEL}::test_the_page_says_what_was_tried",
    ],
    "A stranger who was first reads commands with secrets, under `token=check` and under "
    "`token=require`": [
        f"{TRUST}::test_a_stranger_that_is_first_is_trusted_until_tokens_begin_anew",
    ],
    "An eavesdropper who has a token or a pushcommkey of the terminal gets more": [
        f"{LEFT}::test_a_plain_upload_is_repeated_while_its_token_is_good",
    ],
    "**Commands without secrets** name people: user IDs, names, card numbers.": [
        f"{LEFT}::test_a_command_without_secrets_names_people",
    ],
    "replaces a template of a person, and an option of the terminal: the newest statement counts": [
        f"{LEFT}::test_a_false_template_reaches_other_terminals_of_its_area",
        f"{LEFT}::test_a_plain_upload_is_repeated_while_its_token_is_good",
    ],
    "changes the name, card or password of a person if this terminal stated it": [
        f"{LEFT}::test_a_stranger_changes_what_its_terminal_stated",
    ],
    "does not raise the privilege of a known person": [
        f"{LEFT}::test_a_stranger_changes_what_its_terminal_stated",
    ],
    "adds a new person, also as an administrator. The server sends this privilege to no other "
    "terminal.": [
        f"{LEFT}::test_a_new_person_of_a_stranger_has_its_privilege_here_only",
    ],
    "They open doors there.": [
        f"{LEFT}::test_a_new_person_of_a_stranger_has_its_privilege_here_only",
        f"{LEFT}::test_a_false_template_reaches_other_terminals_of_its_area",
    ],
    "A terminal that returns tokens is served with a token only.": [
        f"{SESSIONS}::test_a_terminal_that_has_returned_a_token_goes_on",
    ],
    "also for a terminal that returns tokens.": [
        f"{TRUST}::test_a_sealed_session_of_a_stranger_holds_secrets_back_with_tokens_too",
    ],
    "An exchange without the pinned key is refused.": [
        f"{KEYS}::test_approval_pins_the_only_key",
    ],
    "With `encryption=prefer` the key protects an encrypting terminal while its session is "
    "encrypted; `encryption=require` has no such gap.": [
        f"{CAPTURED}::test_a_captured_exchange_opens_what_the_pinned_key_protects",
        f"{MODEL}::test_what_a_stranger_can_do",
        f"{LOCKS}::test_a_pinned_key_protects_under_prefer_while_the_session_is_encrypted",
    ],
    "Pinning another key ends every session that was begun without it.": [
        f"{CAPTURED}::test_another_pinned_key_ends_what_a_captured_exchange_opened",
        f"{CAPTURED}::test_a_token_stays_when_the_key_that_it_came_with_is_pinned",
    ],
    "only a client that made an exchange with it may take them.": [
        f"{MODEL}::test_what_a_stranger_can_do",
    ],
    "passes `networks`, and its token is trusted": [
        f"{STRANGERS}::test_at_one_address_the_last_exchange_counts",
    ],
    "A pinned pushcommkey with tokens, and `encryption=require` with a shared secret, hold "
    "there too.": [
        f"{MODEL}::test_some_settings_hold_at_the_terminals_own_address",
    ],
    "a stranger gets no further than the handshake": [
        "daemon/test_tls.py::test_a_terminal_without_a_certificate_gets_no_further_than_the_handshake",
    ],
    "Strangers elsewhere offer no key from now on.": [
        f"{LOCKS}::test_networks_hold_for_a_terminal_that_waits_for_approval",
    ],
    "A new terminal, in this order, so that nobody is faster": [
        f"{LOCKS}::test_a_key_and_required_tokens_leave_no_moment_to_a_stranger",
    ],
    "approval pins a pushcommkey only if it was the only one offered, came from the terminal's "
    "`networks` if these are set, and no exchange came without a key.": [
        f"{KEYS}::test_approval_pins_the_only_key",
        f"{KEYS}::test_approval_pins_none_of_several",
        f"{KEYS}::test_a_sole_key_beside_exchanges_without_one_is_not_pinned",
        f"{LOCKS}::test_networks_before_approval_pin_no_key_from_elsewhere",
    ],
    "A pinned pushcommkey refuses exchanges without it, and `networks` refuse those from "
    "elsewhere.": [
        f"{MODEL}::test_whose_exchange_counts_for_the_terminal",
        f"{KEYS}::test_approval_pins_the_only_key",
    ],
    "the stranger learns the options of the protocol": [
        f"{LEFT}::test_an_exchange_tells_settings_and_no_more",
    ],
    "lists its pushcommkey, or `no key`, with address and time; `two places`": [
        f"{LEFT}::test_an_operator_sees_a_stranger_s_exchange",
    ],
    "The terminal's own token stays in force, unless the stranger has its address": [
        f"{SESSIONS}::test_a_stranger_s_exchanges_do_not_lock_the_terminal_out",
        f"{TRUST}::test_tokens_of_many_addresses_displace_no_trusted_one",
        f"{STRANGERS}::test_at_one_address_the_last_exchange_counts",
    ],
    "it speaks for the terminal: it overwrites": [
        f"{MODEL}::test_whose_exchange_counts_for_the_terminal",
    ],
    "if it says that the terminal is in access-control mode: the terminal gets no commands": [
        f"{LOCKS}::test_approval_ends_an_access_control_mode",
        f"{LOCKS}::test_a_stranger_s_token_shows_no_access_control_mode",
    ],
    "with the key exchange and a sealed request after it": [
        f"{TRUST}::test_a_sealed_session_of_a_stranger_holds_secrets_back_with_tokens_too",
        f"{TRUST}::test_only_a_shared_secret_keeps_a_session_from_being_ended",
    ],
    "its pushcommkey is listed, not pinned.": [
        f"{KEYS}::test_a_stranger_s_key_locks_nobody_out",
        f"{KEYS}::test_a_stranger_s_key_replaces_none",
        f"{KEYS}::test_approval_pins_none_of_several",
    ],
    "take a command away from the terminal?": [
        f"{MODEL}::test_what_a_stranger_can_do",
    ],
    "answer a command falsely?": [
        f"{LEFT}::test_a_false_answer_needs_the_id_of_its_command",
    ],
    "make the terminal leave records out?": [
        f"{MODEL}::test_what_a_stranger_can_do",
    ],
    "have its own pushcommkey pinned?": [
        f"{LOCKS}::test_a_stranger_s_key_that_approval_pinned_is_cleared",
        f"{KEYS}::test_approval_again_pins_no_key_of_a_stranger",
    ],
    "fetch a file or a package of people?": [
        f"{FILES}::test_a_guessed_path_gives_nothing",
        f"{FILES}::test_a_url_is_a_secret_of_one_command",
    ],
    "use the URL of a file?": [
        f"{STRANGERS}::test_the_url_of_a_file_is_enough",
    ],
    "learn who works here?": [
        f"{MODEL}::test_what_a_stranger_can_do",
    ],
    "Until when: until the terminal has returned the token of its next exchange, however long that "
    "takes.": [
        f"{LEFT}::test_a_plain_upload_is_repeated_while_its_token_is_good",
    ],
    "A person who was removed here does not come back.": [
        f"{LEFT}::test_a_captured_upload_brings_no_removed_person_back",
    ],
    "Without a pinned pushcommkey the stranger gets a token by an exchange, adds it": [
        f"{CAPTURED}::test_a_captured_upload_without_a_token_is_taken_with_a_stranger_s",
    ],
    "If that is pinned, the token of the new exchange is trusted": [
        f"{CAPTURED}::test_a_captured_exchange_opens_what_the_pinned_key_protects",
    ],
    "It makes no difference whether the body of that request was encrypted.": [
        f"{CAPTURED}::test_what_a_captured_token_opens",
    ],
    "the old token has no end, and `token=check` makes none": [
        f"{TRUST}::test_a_token_of_the_place_before_a_move_has_no_end",
    ],
    "it is taken once, on all nodes and after a crash.": [
        f"{STRANGERS}::test_a_sealed_upload_is_taken_once_over_all_nodes",
    ],
    "If it never arrived, it is taken until the terminal's next sealed request": [
        "server/test_encryption.py::test_a_replayed_request_is_not_taken",
    ],
    "then it takes a command, which the stranger cannot read and the server sends again": [
        f"{POLLS}::test_a_sealed_poll_repeated_at_once_takes_a_command_and_cannot_read_it",
        f"{POLLS}::test_a_sealed_poll_repeated_after_five_seconds_takes_nothing",
    ],
    "the keys stay in force, and no upload is lost.": [
        f"{SESSIONS}::test_a_downgrade_loses_nothing",
    ],
    "A stranger at another address can delay the records of a terminal at work for as long as it "
    "goes on; they come afterwards.": [
        f"{TRUST}::test_exchanges_from_many_addresses_displace_no_token_on_its_way_back",
        f"{SESSIONS}::test_a_stranger_s_exchanges_do_not_lock_the_terminal_out",
        f"{GATE}::test_a_flood_from_elsewhere_does_not_silence_a_terminal",
    ],
    "What a limit refuses is in `zkpush audit list --action refused`": [
        f"{LOCKS}::test_an_operator_sees_what_a_limit_refuses",
    ],
    "a stranger returns a token, and the terminal returns none": [
        f"{STRANGERS}::test_a_returned_token_locks_out_a_terminal_that_returns_none",
        f"{LOCKS}::test_networks_and_a_new_beginning_undo_a_returned_token",
        f"{LOCKS}::test_a_returned_token_at_one_address_comes_back",
    ],
    "a stranger returns a token of its own, and the terminal returns tokens": [
        f"{LOCKS}::test_a_neighbour_s_token_is_replaced_by_the_terminal_s_exchange",
    ],
    "secrets go to a stranger, whose token is trusted": [
        f"{STRANGERS}::test_the_first_token_that_is_returned_is_trusted",
        f"{TRUST}::test_a_stranger_that_is_first_is_trusted_until_tokens_begin_anew",
        f"{TRUST}::test_an_eavesdropper_s_exchange_with_the_token_takes_its_trust",
    ],
    "the stranger's pushcommkey was pinned": [
        f"{LOCKS}::test_a_stranger_s_key_that_approval_pinned_is_cleared",
    ],
    "encrypted session: a stranger makes one, again and again": [
        f"{TRUST}::test_only_a_shared_secret_keeps_a_session_from_being_ended",
        f"{LOCKS}::test_a_terminal_makes_its_exchanges_again_after_a_stranger_s_session",
    ],
    "a stranger makes an encrypted session for a plain terminal": [
        f"{TRUST}::test_a_sealed_session_of_a_stranger_holds_secrets_back_with_tokens_too",
        f"{STRANGERS}::test_a_sealed_session_of_a_stranger_holds_secrets_back",
    ],
    "access-control mode: a stranger says that the terminal is in it": [
        f"{LOCKS}::test_approval_ends_an_access_control_mode",
        f"{LOCKS}::test_a_stranger_s_token_shows_no_access_control_mode",
    ],
    "large bodies in the terminal's name fill its share": [
        f"{FLOODS}::test_large_bodies_in_a_terminal_s_name_hold_up_its_own_large_ones",
        f"{MEMORY}::test_a_short_body_without_memory_is_refused",
    ],
    "the disk is full, for all terminals": ["promises/test_health.py::test_a_full_disk"],
    "a flood in the terminal's name": [
        f"{LOCKS}::test_a_flood_at_a_shared_address_ends_within_a_minute",
    ],
    "the list of pending terminals is full": [
        f"{LIMITS}::test_so_many_terminals_wait_for_approval",
    ],
    "It cannot forge a punch, nor store anything else by POST": [
        f"{PAGES}::test_a_page_forges_no_punch",
    ],
    "So links, images and forms of a page reach nothing either.": [
        f"{PAGES}::test_a_page_gets_nothing_by_links_and_images",
    ],
    "The page is then a stranger at the address of that computer": [
        f"{PAGES}::test_a_page_behind_a_rebound_name_is_a_stranger_where_it_is",
    ],
    "The console takes a form only with the token of its session, and none from a page of "
    "another site.": [
        f"{CONSOLE}::test_a_form_of_another_site_does_nothing",
    ],
    "Its cookie is `SameSite=Strict` and `HttpOnly`.": [
        f"{CONSOLE}::test_cookies_over_tls_are_bound_to_the_host",
    ],
    "more than 6,000 pings a minute in B's name": [
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
    "the 1,025th from one address is closed.": [
        f"{LIMITS}::test_one_address_has_so_many_connections",
        f"{LIMITS}::test_the_oldest_idle_connection_makes_way",
    ],
    "A request that has arrived completely is always answered;": [
        f"{LIMITS}::test_no_connection_in_hand_makes_way",
    ],
    "unless it returns its trusted token:": [
        f"{LOCKS}::test_a_flood_at_a_shared_address_ends_within_a_minute",
    ],
    "A terminal that returns its trusted token is not affected by having moved.": [
        f"{GATE}::test_the_right_token_gets_through_a_flood",
        f"{SESSIONS}::test_a_terminal_is_known_by_its_token_where_it_moves",
    ],
    "each becomes an approved terminal, up to `limits.terminals` (50,000)": [
        f"{LIMITS}::test_so_many_terminals_are_recorded_at_an_open_door",
    ],
    "are answered from memory; the database is asked once a second for each terminal": [
        f"{REFUSED}::test_a_flood_of_refused_requests_asks_the_store_once_a_second",
        f"{REFUSED}::test_a_token_of_another_node_is_good_within_a_second",
    ],
    "An upload from the terminal's usual address, or with its token, ends last": [
        f"{LIMITS}::test_strangers_at_many_addresses_displace_no_upload_of_the_terminal",
        f"{LIMITS}::test_a_terminal_that_moves_is_displaced_last_by_its_token",
    ],
    "A head has `limits.idle_seconds` (60) and `limits.head_bytes` (16 KiB)": [
        f"{LIMITS}::test_a_head_that_trickles_is_as_good_as_silence",
        f"{LIMITS}::test_a_body_that_trickles_is_ended_in_time",
    ],
    "A body is judged by its headers before it is read": [
        f"{GATE}::test_a_terminal_that_is_not_served_is_refused_at_the_head",
    ],
    "bodies of up to 4 KiB do not count": [
        f"{STRANGERS}::test_a_terminal_without_its_share_of_memory_still_sends_punches",
    ],
    "**Packets** are decoded on a thread, in parts.": [
        f"{LONG_BODIES}::test_a_gzip_bomb_is_decoded_in_parts_and_charged",
        f"{LONG_BODIES}::test_a_long_body_of_bad_lines_makes_a_bounded_number_of_rejects",
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
    "first among those that would not be trusted": [
        f"{TRUST}::test_exchanges_from_many_addresses_displace_no_token_on_its_way_back",
    ],
    "there are more than four proved ones: the oldest": [
        f"{TRUST}::test_tokens_of_many_addresses_displace_no_trusted_one",
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
    "No token ends by time.": [
        f"{LEFT}::test_a_plain_upload_is_repeated_while_its_token_is_good",
    ],
    "The next token that comes back is the trusted one": [
        f"{STRANGERS}::test_the_first_token_that_is_returned_is_trusted",
    ],
    "| `ignore` | is served |": [
        f"{MODEL}::test_what_a_stranger_can_do",
    ],
    "is not trusted and changes nothing: there is the problem `second session`": [
        f"{TRUST}::test_a_token_from_elsewhere_is_not_trusted_while_the_terminal_shows_none",
        f"{SESSIONS}::test_a_stranger_s_token_is_not_held_against_a_terminal_without",
    ],
    "that begins anew, and forgets what tokens have shown.": [
        f"{SESSIONS}::test_an_operator_begins_anew_with_tokens",
    ],
    "The options of an exchange are a fixed list without secrets.": [
        f"{LEFT}::test_an_exchange_tells_settings_and_no_more",
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
