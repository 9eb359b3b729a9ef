"""Rejects: what terminals sent and nobody understood, set aside and read again later."""
