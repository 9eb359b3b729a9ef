"""Tests of the terminals in software, against the real daemon."""
