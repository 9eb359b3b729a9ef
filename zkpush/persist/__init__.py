"""Storage engine: the tables and queries for all databases, and the group-commit writer."""
