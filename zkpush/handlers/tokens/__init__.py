"""Tokens: the page of the tokens of the API."""
