"""The command line, against a daemon in a process of its own."""
