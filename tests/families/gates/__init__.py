"""Terminals that speak a small part of the access-control protocol."""
