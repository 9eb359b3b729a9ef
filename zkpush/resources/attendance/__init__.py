"""Attendance PUSH 2.x: the family of terminals that report attendance."""
