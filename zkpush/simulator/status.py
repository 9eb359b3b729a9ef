"""State that a simulated terminal reports: options (8) and update information (9)."""

from __future__ import annotations

from ..handlers.attendance.tables import ATTLOG
from ..handlers.people.tables import BIOPHOTO, FACE, FP
from ..protocol.codes import BiometricType
from ..protocol.reports import INFO
from .biometrics import Algorithm, by_type
from .model import Model
from .outbox import Outbox

ADDRESS = "127.0.0.1"
_FACES_REQUIRED = 1
_FACES = (BiometricType.FACE, BiometricType.VISIBLE_LIGHT_FACE)


def options(model: Model, sn: str, users: int, outbox: Outbox) -> dict[str, str]:
    """Return all pushed options, consistent with the terminal's records."""
    types = {algorithm.type for algorithm in model.algorithms}
    told = {
        "~DeviceName": f"SIM-100 {model.name}",
        "~SerialNumber": sn,
        "FirmVer": model.firmware,
        "~OEMVendor": "SIMULATED CO., LTD.",
        "FingerFunOn": _flag(BiometricType.FINGERPRINT in types),
        "FaceFunOn": _flag(not types.isdisjoint(_FACES)),
        "UserCount": str(users),
        "TransactionCount": str(outbox.count(ATTLOG)),
    }
    return told | (_hybrid(model, outbox) if model.hybrid else {})


def changing(told: dict[str, str]) -> dict[str, str]:
    """Select the options that are pushed again on a change: those on users and templates (3.1)."""
    return {name: told[name] for name in ("UserCount", *_COUNTS) if name in told}


_COUNTS = ("MultiBioDataCount", "MultiBioPhotoCount")


def _hybrid(model: Model, outbox: Outbox) -> dict[str, str]:
    """Return the options of the hybrid identification protocol (3.1)."""
    templates = model.algorithms
    photos = [algorithm for algorithm in templates if algorithm.photos]

    def version(algorithm: Algorithm) -> str:
        major, minor = algorithm.version
        return f"{major}.{minor}" if minor else str(major)

    return {
        "VisilightFun": _flag(BiometricType.VISIBLE_LIGHT_FACE in {a.type for a in templates}),
        "MultiBioDataSupport": by_type(templates, lambda _: 1),
        "MultiBioPhotoSupport": by_type(photos, lambda _: 1),
        "MultiBioVersion": by_type(templates, version),
        "MaxMultiBioDataCount": by_type(templates, lambda algorithm: algorithm.capacity),
        "MaxMultiBioPhotoCount": by_type(photos, lambda algorithm: algorithm.capacity),
        "MultiBioDataCount": by_type(templates, lambda known: held(known, outbox)),
        "MultiBioPhotoCount": by_type(photos, lambda known: outbox.count(BIOPHOTO, known.type)),
    }


def held(algorithm: Algorithm, outbox: Outbox) -> int:
    """Count the templates of a type."""
    return outbox.count(algorithm.table, algorithm.type)


def info(model: Model, users: int, outbox: Outbox) -> str:
    """Return the values sent with a poll, consistent with the terminal's records."""
    algorithms = model.algorithms
    counts = {known.type: held(known, outbox) for known in algorithms}
    versions = {known.table: known.version[0] for known in algorithms}
    has = {known.type for known in algorithms}
    functions = [BiometricType.FINGERPRINT in has, not has.isdisjoint(_FACES), True]
    if BiometricType.VISIBLE_LIGHT_FACE in has:
        functions += [any(known.photos for known in algorithms), True]
    values = {
        "firmware": model.firmware,
        "users": users,
        "fingerprints": counts.get(BiometricType.FINGERPRINT, 0),
        "attendance": outbox.count(ATTLOG),
        "address": ADDRESS,
        "fingerprint_version": versions.get(FP, 0),
        "face_version": versions.get(FACE, 0),
        "faces_required": _FACES_REQUIRED,
        "faces": sum(counts.get(type_, 0) for type_ in _FACES),
        "functions": "".join(map(_flag, functions)),
    }
    return ",".join(str(values[field.name]) for field in INFO.fields)


def _flag(value: bool) -> str:
    return "1" if value else "0"
