"""Entries on terminals: work codes, short messages, lists."""
