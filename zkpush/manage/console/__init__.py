"""The console: pages for people, on the management endpoint under `/console/`."""
