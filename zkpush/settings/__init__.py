"""The sections of the configuration: typed values with bounds, defaults and meaning."""
