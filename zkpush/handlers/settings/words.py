"""The words of settings on the command line."""

WORDS = {"settings": "List the settings in force, and where each comes from."}
