"""Claims of docs/performance.md about uploads of short records, each with its tests.

The claims are sentences of the section, in its order.
"""

from __future__ import annotations

DENSE = "server/test_dense_uploads.py"
CLAIMS = {
    "An upload is *dense* if more than 50 of its records are shorter than their table says": [
        f"{DENSE}::test_a_dense_upload_is_stored_in_the_background",
        f"{DENSE}::test_a_few_short_records_are_stored_at_once",
    ],
    "the terminals take turns.": [
        f"{DENSE}::test_the_background_is_paced_and_terminals_take_turns",
    ],
    "If an upload has too many short ones, all of its errors, or of its identity cards, become one "
    "reject.": [f"{DENSE}::test_too_many_short_errors_are_one_reject_that_a_retry_stores"],
    "Lines of this length are never deferred": [
        "promises/test_strangers.py::test_the_page_names_the_lengths_of_the_tables",
    ],
}
