"""Fuzzing with atheris: `make fuzz`, or `python -m fuzz TARGET FILE` to replay what was found."""
