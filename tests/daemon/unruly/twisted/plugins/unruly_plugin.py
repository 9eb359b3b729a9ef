"""What Twisted finds."""

from unruly import OfficePolicy, UnrulyHandler, UnrulyVerifier

handler = UnrulyHandler()
office = OfficePolicy()
verifier = UnrulyVerifier()
