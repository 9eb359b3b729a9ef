"""Configuration sections: typed settings with bounds, defaults and descriptions."""
