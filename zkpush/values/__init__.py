"""Value types of nouns, one module each: results of stores and arguments of services."""
