"""Kinds of receivers that are programs of others: HR systems, files, databases."""
