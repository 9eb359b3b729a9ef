"""Trace: the last requests of each terminal, their meaning, and the replies."""
