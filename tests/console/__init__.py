"""The console: its frame, its accounts and its pages."""
