"""One target, until libFuzzer ends this process: `python -m fuzz.one TARGET FOLDER [OPTION…]`."""

from __future__ import annotations

import pathlib
import sys

import atheris

with atheris.instrument_imports(include=["zkpush", "twisted.web.http"]):
    from .targets import TARGETS


def main() -> None:
    """Begin with the seeds of the target, which are put into the folder."""
    name, folder, *options = sys.argv[1:]
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds):
        (pathlib.Path(folder) / f"seed-{number}").write_bytes(seed)
    options += [f"-max_len={target.longest}", folder]
    atheris.Setup([sys.argv[0], *options], target.fuzz)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
