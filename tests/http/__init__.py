"""Tests of the HTTP library."""
