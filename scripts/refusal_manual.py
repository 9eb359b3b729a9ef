"""Print docs/refusals.md: every reason for which a request or a connection is refused."""

from __future__ import annotations

from zkpush.device.refusals import Refusal

HEAD = """\
# Refusals

For operators: the reasons for which the server refuses a request or a connection. `GET /metrics`
counts them as `zkpush_refused_total{reason="…"}`, and the audit log (`zkpush audit list`) has a
record of each, with the terminal and the address. Equal refusals share a record. A reason that
begins with `limits.` is a [setting](configuration.md).

| Metric label | In the audit log |
|---|---|\
"""


def main() -> None:
    """Print the page."""
    print(HEAD)
    for refusal in Refusal:
        print(f"| `{refusal.value}` | {refusal.words} |")


if __name__ == "__main__":
    main()
