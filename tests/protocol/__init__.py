"""The protocol library, one test module for each of its modules."""
