"""The door: what stands in front of it, and what tries to come through that must not."""
