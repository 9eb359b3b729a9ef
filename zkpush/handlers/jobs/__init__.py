"""Jobs: commands for many terminals."""
