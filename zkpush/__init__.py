"""zkpush: the server that attendance terminals push to."""

__version__ = "0.2.0"
