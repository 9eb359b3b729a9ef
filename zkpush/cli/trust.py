"""Verification of the API server: HTTPS certificates."""

from __future__ import annotations

import re
from pathlib import Path

import click
from cryptography import x509
from OpenSSL import SSL, crypto
from service_identity import VerificationError
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.python.failure import Failure
from twisted.web.client import BrowserLikePolicyForHTTPS


def policy(ca: Path | None) -> BrowserLikePolicyForHTTPS:
    """Trust the CAs in `ca`, a PEM file, or by default those that this machine trusts."""
    if ca is None:
        return BrowserLikePolicyForHTTPS()
    try:
        found = x509.load_pem_x509_certificates(ca.read_bytes())
    except OSError as error:
        raise click.ClickException(f"Cannot read {ca}: {error.strerror}.") from None
    except ValueError:
        raise click.ClickException(f"{ca} does not hold a certificate in PEM.") from None
    trusted = [Certificate(crypto.X509.from_cryptography(one)) for one in found]
    return BrowserLikePolicyForHTTPS(trustRootFromCertificates(trusted))


def not_trusted(reason: Failure) -> str | None:
    """Return why a certificate was rejected; None for any other failure."""
    if reason.check(VerificationError):
        return "it is for another name"
    if isinstance(reason.value, SSL.Error) and reason.value.args:
        words = "; ".join(triple[2] for triple in reason.value.args[0])
        if re.search("certificate", words):
            return words
    return None
