"""Tests of `zkpush.testing`, which authors of plugins use."""
