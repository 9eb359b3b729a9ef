"""Enrolment that the server asks for: somebody comes to the terminal, and it succeeds (12.6)."""

from __future__ import annotations

from ...simulator.enrolment import enroll_biometric, enroll_card, enroll_finger

EXECUTE = {
    "ENROLL_FP": enroll_finger,
    "ENROLL_MF": enroll_card,
    "ENROLL_BIO": enroll_biometric,
}
