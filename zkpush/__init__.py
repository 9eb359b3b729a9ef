"""zkpush: a server for attendance terminals that push their records."""

__version__ = "0.2.0"
