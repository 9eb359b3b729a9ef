"""Cipher suites of encrypted sessions (6, 7, Appendix 8); each is a plugin.

docs/encryption.md specifies the wire format, field by field.
"""
