"""Visitors: a record type that reception terminals send, and zkpush does not know."""
