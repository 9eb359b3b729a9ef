"""One terminal's life: admission, session, uploads, commands, presence."""
