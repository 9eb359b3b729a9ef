"""A second terminal family, which proves that the first one stands behind an interface."""
