"""Capabilities: a noun with its tables, stores, handlers, API and words, as one package of parts.

docs/capabilities.md describes the parts. The declaration loads no database and no reactor.
"""

from __future__ import annotations

from ..capability import Capability, ICapability

__all__ = ["Capability", "ICapability"]
