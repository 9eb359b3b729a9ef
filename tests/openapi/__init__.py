"""The description of the API: valid, complete, and used by generated clients."""
