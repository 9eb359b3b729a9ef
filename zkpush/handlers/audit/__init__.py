"""Audit: the page of the audit log."""
