"""Forwarding of events to other programs: an outbox, an engine, and the kind `webhook`."""
