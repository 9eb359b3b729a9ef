"""The HTTP/1.x server side of the terminals' port: a small library of its own (see README.md)."""
