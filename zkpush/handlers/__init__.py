"""Nouns: each is a capability, found in the same way as one of another package."""
