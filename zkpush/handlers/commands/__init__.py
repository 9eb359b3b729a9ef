"""Commands that are sent to terminals."""
