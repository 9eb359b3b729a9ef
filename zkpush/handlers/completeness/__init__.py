"""Completeness: the proof that all attendance records of a terminal are stored."""
