"""Attendance records, and the photos taken with them."""
