"""HTTP/1.x server of the terminals' port: a self-contained library (see README.md)."""
