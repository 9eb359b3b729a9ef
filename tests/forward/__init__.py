"""Forwarding of events to other programs."""
