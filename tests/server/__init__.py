"""Terminals, API and sessions: a whole daemon inside the test."""
