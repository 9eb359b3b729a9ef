"""Settings: the configuration as it is in force, and where each value comes from."""
