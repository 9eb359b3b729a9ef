"""The trace: the last requests of each terminal, what was understood of them, and the replies."""
