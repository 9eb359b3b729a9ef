"""zkpush: the server that attendance terminals push to."""

__version__ = "0.1.0.dev0"
