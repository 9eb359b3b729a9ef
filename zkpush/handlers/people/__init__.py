"""Users with their templates and photos."""
