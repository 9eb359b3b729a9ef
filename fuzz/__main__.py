"""`python -m fuzz [--seconds N] [TARGET…]` fuzzes; `python -m fuzz TARGET FILE…` replays files."""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import tempfile

ARTIFACTS = pathlib.Path(__file__).parent / "artifacts"
NAMES = ("channel", "records", "replies", "packets", "envelope")
SLOW = 10
"""Seconds that one input may take."""
MEMORY = 2048
"""Megabytes that a target may need."""
_FOUND = " === Uncaught"
"""What libFuzzer's last words begin with, if a target raised."""
GRACE = 60
"""Seconds to start and to end in, beside those of fuzzing."""


def main() -> int:
    """Fuzz every target for a while, or replay; the exit status says whether all held."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("what", nargs="*", metavar="TARGET|FILE", help=f"of {', '.join(NAMES)}")
    given = parser.parse_args()
    targets = [word for word in given.what if word in NAMES]
    files = [pathlib.Path(word) for word in given.what if word not in NAMES]
    if files:
        if len(targets) != 1:
            parser.error("to replay a file, name its target before it")
        return _replay(targets[0], files)
    return max([_fuzz(name, given.seconds) for name in targets or NAMES])


def _replay(name: str, files: list[pathlib.Path]) -> int:
    from .targets import TARGETS

    for file in files:
        TARGETS[name].check(file.read_bytes())
        print(f"{name}: {file} holds")
    return 0


def _fuzz(name: str, seconds: int) -> int:
    """Fuzz one target in a process of its own: libFuzzer ends the process it runs in."""
    ARTIFACTS.mkdir(exist_ok=True)
    before = set(ARTIFACTS.iterdir())
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fuzz.one", name, folder, f"-max_total_time={seconds}"]
        command += [f"-artifact_prefix={ARTIFACTS}/{name}-", f"-timeout={SLOW}"]
        command += [f"-rss_limit_mb={MEMORY}", "-print_final_stats=1"]
        ended = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds + GRACE,
            check=False,
        )
    output = ended.stdout.decode(errors="replace")
    runs = [line.split()[-1] for line in output.splitlines() if "number_of_executed_units" in line]
    if ended.returncode == 0 and runs:
        print(f"{name}: {runs[0]} inputs in {seconds} s, all held", flush=True)
        return 0
    print(output[max(output.find(_FOUND), len(output) - 6000) :])
    for file in sorted(set(ARTIFACTS.iterdir()) - before):
        print(f"{name}: failed; replay it with: python -m fuzz {name} {file}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
