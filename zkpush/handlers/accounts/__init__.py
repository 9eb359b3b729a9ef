"""People who sign in to the console: accounts, sessions and one-time links."""
