"""Terminals: admission, sessions, uploads, commands and presence."""
