"""Print docs/problems.md: every kind of problem, with what to do about it."""

from __future__ import annotations

from zkpush.capability import ICapability, is_own
from zkpush.discovery import sound_plugins
from zkpush.names import all_listed, modules_of
from zkpush.problems import ProblemCode

HEAD = """\
# Problems

For administrators: the conditions of terminals and of the server that a person should look at. This
list is the place to begin the day with:

    zkpush problems list
    zkpush problems list --device SN

`GET problems` has the same, with the time at which each began. An event `problem` says when one is
raised and when it is cleared (`GET events`). The metric `zkpush_problems{code="…"}` counts them.
Alerts for Prometheus are in [deploy/prometheus-rules.yml](../deploy/prometheus-rules.yml): copy the
file to `/etc/prometheus/rules/`, name it under `rule_files`, and scrape `/metrics` in a job that is
called `zkpush`.

Most problems are cleared by themselves when the condition is over. Those that only a request shows,
such as `unknown requests`, go a day after it last came. The section `[watch]` of the
[configuration](configuration.md) sets when a terminal is silent or nearly full, and for how long
commands that were given up are shown.

| Problem | What it says | What to do |
|---|---|---|\
"""


def main() -> None:
    """Print the page."""
    print(HEAD)
    own = sorted(filter(is_own, sound_plugins(ICapability)), key=lambda one: one.name)
    for code in [*ProblemCode, *all_listed(modules_of(own, "handler"), "PROBLEMS")]:
        print(f"| `{code}` | {code.meaning} | {code.advice} |")


if __name__ == "__main__":
    main()
