"""Operations on terminals, errors of terminals, and identity cards that they read."""
