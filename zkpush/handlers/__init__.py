"""Record handlers: what to do with each type of record. Each is a plugin, as anyone's."""
