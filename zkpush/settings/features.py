"""Settings of features: commands, events, verification, encryption and others."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ..values.sessions import EncryptionPolicy
from .sitecommands import AddedParameter, SiteCommand


class Commands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Delivery of commands."""

    batch_count: Annotated[
        int, Meta(ge=1, le=10_000, description="Most commands in the reply to one poll")
    ] = 100
    batch_bytes: Annotated[
        int,
        Meta(
            ge=256,
            description="Most bytes of commands in the reply to one poll; a larger command is sent "
            "alone",
        ),
    ] = 64 * 1024
    lease_seconds: Annotated[
        int, Meta(ge=1, description="Seconds without an answer after which a command is sent again")
    ] = 300
    attempts: Annotated[
        int, Meta(ge=1, description="Most times that a command is sent before it is given up")
    ] = 10
    lifetime_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3650,
            description="Days that a command may wait, unless its table entry or the caller says "
            "otherwise",
        ),
    ] = 30
    public_url: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^/\s,=]+(/[^\s,=]*)?$")] | None,
        Meta(
            description="URL by which terminals reach their port, such as `http://192.0.2.5:8081`. "
            "The URLs of files in commands then begin with it. Unset: they are relative"
        ),
    ] = None
    site: Annotated[
        tuple[SiteCommand, ...],
        Meta(
            description="Commands of the firmware that the catalogue lacks, each a table "
            "`[[commands.site]]`; see [site-defined commands](api.md#site-defined-commands)"
        ),
    ] = ()
    site_parameters: Annotated[
        tuple[AddedParameter, ...],
        Meta(
            description="Parameters added to commands of the catalogue, each a table "
            "`[[commands.site_parameters]]`"
        ),
    ] = ()
    package_format: Annotated[
        Literal["tar", "gzip"],
        Meta(
            description="Format of packages of people for PutFile: `tar`, a gzipped tar of one "
            "file, or `gzip`, the gzipped lines alone, for models that take only these"
        ),
    ] = "tar"
    keep_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        Meta(description="Days after which ended commands are deleted. Unset: never"),
    ] = None
    keep_bodies_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        Meta(
            description="Days after which parameters and results of ended commands are deleted; "
            "the commands stay. Unset: never"
        ),
    ] = None


class Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stored events."""

    days: Annotated[
        int,
        Meta(ge=1, le=3650, description="Days that events are kept for listeners to catch up"),
    ] = 7


class AuditRetention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Retention of the audit log."""

    keep_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        Meta(
            description="Days after which rows of the audit log are deleted, behind a signed "
            "checkpoint. Unset: never"
        ),
    ] = None


class RemoteAttendance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Remote attendance: users who are not on the terminal (spec 14)."""

    enabled: Annotated[
        bool,
        Meta(
            description="Whether an approved terminal receives the password, card and fingerprints "
            "of any user whose ID it asks for. Each request is recorded in the audit log"
        ),
    ] = False
    per_minute: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Most users that one terminal may ask for per minute, per process",
        ),
    ] = 10


class Verification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Background verification: the server decides on access (spec 12.8.3)."""

    verifier: Annotated[
        str,
        Meta(
            min_length=1,
            description="Name of the verifier plugin; `known` admits known users within their "
            "validity period",
        ),
    ] = "known"
    deadline_seconds: Annotated[
        float, Meta(gt=0, le=30, description="Time limit for the verifier, in seconds")
    ] = 3.0
    fallback: Annotated[
        Literal["refuse", "admit"],
        Meta(description="Answer to the terminal if the verifier fails or is late"),
    ] = "refuse"


class Encryption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Encryption of sessions with terminals (spec 6, 7, Appendix 8)."""

    policy: Annotated[
        EncryptionPolicy,
        Meta(
            description="`prefer`: encrypt if the terminal starts a key exchange; `require`: "
            "refuse plain requests; `never`: announce a protocol version without encryption. "
            "`zkpush devices set SN encryption=…` overrides it for one terminal"
        ),
    ] = EncryptionPolicy.PREFER
    suite: Annotated[
        str,
        Meta(
            min_length=1,
            description="Name of the cipher suite plugin (`zkpush docs encryption`). `zkpush "
            "devices set SN cipher=…` overrides it for one terminal",
        ),
    ] = "x25519-aes256gcm"


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of the health check."""

    least_free_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="The health check fails if the file system of the database, the pictures, "
            "the data directory or temporary files has less free space, in bytes",
        ),
    ] = 32 * 1024 * 1024
    low_free_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="The health check warns below this free space, in bytes; temporary files "
            "excepted",
        ),
    ] = 1024 * 1024 * 1024
    low_free_days: Annotated[
        int,
        Meta(
            ge=0,
            le=3650,
            description="The health check also warns if the free space lasts for fewer days at the "
            "current rate of growth",
        ),
    ] = 7


class PrivacySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Biometric data of people."""

    templates: Annotated[
        bool,
        Meta(
            description="Whether templates and comparison photos are stored. If false, terminals "
            "are not asked for them, and those they send are acknowledged and dropped"
        ),
    ] = True


class Plugins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Record handlers of other packages."""

    inline: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of record handlers that run in the transaction of the upload. A "
            "slow one delays all terminals"
        ),
    ] = ()
    time_limit_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="Seconds after which a record handler that has not returned is reported as "
            "a problem",
        ),
    ] = 30.0
    log_messages: Annotated[
        bool,
        Meta(
            description="Whether messages and tracebacks of exceptions in plugins are logged. They "
            "may contain secrets: use it for development only"
        ),
    ] = False
