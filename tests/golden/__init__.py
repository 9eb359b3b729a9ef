"""Golden files: what users and terminals see, byte for byte; README.md says how to rewrite them."""
