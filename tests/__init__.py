"""The tests of zkpush, and the bytes of real exchanges they start from."""

from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"


def fixture(name: str) -> bytes:
    """Read the body of a request or reply, exactly as it is on the wire."""
    return (FIXTURES / name).read_bytes()
