"""Files that terminals download and upload."""
