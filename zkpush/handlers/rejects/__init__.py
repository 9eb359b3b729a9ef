"""Rejects: uploaded data that could not be decoded, stored to be retried later."""
