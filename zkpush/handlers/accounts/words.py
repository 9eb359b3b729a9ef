"""Words of the command line."""

WORDS = {
    "accounts": "Add, list and remove accounts of the console.",
    "console": "Set up the console: how it is reached, and the first account.",
}
