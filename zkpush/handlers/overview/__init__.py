"""The start page of the console: problems, terminals, punches of today."""
