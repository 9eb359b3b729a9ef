"""Contract suites: what zkpush expects of a plugin, as tests that its author runs.

Each suite is a class. Derive one whose name begins with `Test`, and say how the plugin is made:

    class TestVisitors(RecordHandlerContract):
        def make_handler(self):
            return VisitorHandler()
"""

from __future__ import annotations

from .cipher import CipherSuiteContract, TerminalEnd
from .family import TerminalFamilyContract
from .handler import RecordHandlerContract
from .policy import AdmissionPolicyContract
from .store import StoreContract
from .verifier import VerifierContract

__all__ = [
    "AdmissionPolicyContract",
    "CipherSuiteContract",
    "RecordHandlerContract",
    "StoreContract",
    "TerminalEnd",
    "TerminalFamilyContract",
    "VerifierContract",
]
