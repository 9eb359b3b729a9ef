"""Storage: one schema and query set for all databases, and the writer that commits in groups."""
