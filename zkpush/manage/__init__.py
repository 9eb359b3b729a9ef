"""The management endpoint: the HTTP API for people and their programs."""
