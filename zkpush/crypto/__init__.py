"""Cipher suites: how sessions are encrypted (6, 7, Appendix 8). Each is a plugin, as anyone's.

docs/encryption.md says what is on the wire, field by field.
"""
