"""Commands for terminals."""
