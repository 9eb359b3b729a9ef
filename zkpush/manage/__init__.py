"""What people and their programs talk to: the API, on the management endpoint."""
