"""The store, on every database."""
