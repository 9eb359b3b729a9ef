"""Operations on terminals, their errors, and identity cards they read."""
