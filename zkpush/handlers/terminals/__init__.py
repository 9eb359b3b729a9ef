"""Terminals: the options and information that they report, and commands on them."""
