"""What the API shows and takes of terminals; OpenAPI is derived from these types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..model import (
    ENCRYPTED_STATES,
    Device,
    DeviceState,
    EncryptionPolicy,
    OfferedKey,
    SessionState,
    TokenPolicy,
)
from ..problems import ServerProblem, advice_of, meaning_of
from ..protocol.fields import Scope
from ..protocol.hybrid import Hybrid
from ..protocol.secrecy import Scopes, attribute_secret, may_see, option_secret
from .times import instant, instant_or_none

MOST_NAME = 200
"""Characters of the alias and of the area of a terminal: every list of terminals has them."""
MOST_NETWORKS = 256
"""Networks of a terminal."""


class ProblemView(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that a person should look at."""

    device: Annotated[str | None, Meta(description="Serial number; null for one of the server")]
    subject: Annotated[str, Meta(description="What has it, such as `terminal T1` or `disk`")]
    code: str
    code_meaning: str
    detail: Annotated[str, Meta(description="What was observed")]
    advice: Annotated[str, Meta(description="What can be done about it")]
    since_at: str

    @classmethod
    def of_device(cls, device: Device) -> list[ProblemView]:
        """The problems of a terminal."""
        subject = f"terminal {device.sn}"
        return [
            cls._of(device.sn, subject, problem.code, problem.detail, problem.since_at)
            for problem in device.problems
        ]

    @classmethod
    def of_server(cls, problem: ServerProblem) -> ProblemView:
        """A problem of the server."""
        return cls._of(None, problem.subject, problem.code, problem.detail, problem.since_at)

    @classmethod
    def _of(
        cls, device: str | None, subject: str, code: str, detail: str, since_at: int
    ) -> ProblemView:
        return cls(
            device=device,
            subject=subject,
            code=code,
            code_meaning=meaning_of(code),
            detail=detail,
            advice=advice_of(code),
            since_at=instant(since_at),
        )


class OfferedKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A pushcommkey that was offered in the terminal's name."""

    fingerprint: Annotated[str, Meta(description="SHA-256 of the key, in hex")]
    address: Annotated[str | None, Meta(description="Where it was last offered from")]
    first_seen_at: str
    last_seen_at: str


class KeylessView(msgspec.Struct, frozen=True, kw_only=True):
    """Exchanges in the terminal's name that offered no pushcommkey."""

    address: Annotated[str | None, Meta(description="Where the last of them came from")]
    first_seen_at: str
    last_seen_at: str


class CommKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """The pushcommkey of a terminal."""

    pinned: Annotated[
        str | None,
        Meta(description="Fingerprint of the key it has to send; null: any key, or none"),
    ]
    offered: Annotated[
        list[OfferedKeyView],
        Meta(description="Keys offered since one was pinned or cleared, oldest first, at most 8"),
    ]
    keyless: Annotated[
        KeylessView | None,
        Meta(description="Exchanges without a key since then; null: there were none"),
    ]

    @classmethod
    def of(cls, device: Device, offered: Sequence[OfferedKey]) -> CommKeyView:
        """Show the pinned key, those that were offered, and exchanges without one."""
        keyless = next((key for key in offered if key.fingerprint is None), None)
        return cls(
            pinned=device.comm_key,
            offered=[
                OfferedKeyView(
                    fingerprint=key.fingerprint,
                    address=key.address,
                    first_seen_at=instant(key.first_seen_at),
                    last_seen_at=instant(key.last_seen_at),
                )
                for key in offered
                if key.fingerprint is not None
            ],
            keyless=None
            if keyless is None
            else KeylessView(
                address=keyless.address,
                first_seen_at=instant(keyless.first_seen_at),
                last_seen_at=instant(keyless.last_seen_at),
            ),
        )


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal."""

    sn: str
    alias: str | None
    state: DeviceState
    area: str | None
    timezone: Annotated[str, Meta(description="IANA zone of its wall clock")]
    online: Annotated[bool, Meta(description="Heard of within three of its polls")]
    created_at: str
    last_seen_at: str | None
    address: str | None
    firmware: str | None
    push_version: Annotated[str | None, Meta(description="The version it says it has")]
    protocol_version: Annotated[str, Meta(description="The version both sides use")]
    language: Annotated[str | None, Meta(description="Language number, spec Appendix 2")]
    device_type: str | None
    session: Literal["plain", "encrypted"]
    exchange: Annotated[
        SessionState,
        Meta(
            description="How far the exchanges are. new: not made yet; ready: made; stale: to be "
            "made again; keys, factors: of keys under way; encrypted: all made; outdated: all to "
            "be made again"
        ),
    ]
    encryption: Annotated[
        EncryptionPolicy | None, Meta(description="Its own policy; null: the configured one")
    ]
    cipher: Annotated[
        str | None, Meta(description="Its own cipher suite; null: the configured one")
    ]
    token: Annotated[
        TokenPolicy,
        Meta(
            description="The token of its session. check: it has to return it, once it has shown "
            "that it does; require: from the first request on; ignore: it is not looked at"
        ),
    ]
    returns_token: Annotated[
        bool,
        Meta(description="Whether it has shown that it returns tokens; `token: check` begins anew"),
    ]
    comm_key: CommKeyView
    settings: dict[str, str | int]
    networks: Annotated[tuple[str, ...], Meta(description="Where it may be; empty for anywhere")]
    options: Annotated[
        dict[str, str],
        Meta(
            description="What it pushed. `GET devices/{sn}` with the scope `biometrics` also has "
            "options that the protocol does not declare: there may be passwords among them"
        ),
    ]
    attributes: Annotated[
        dict[str, str], Meta(description="What it says of itself otherwise; as `options`")
    ]
    counts: dict[str, int]
    pending_commands: int
    hybrid: Annotated[Hybrid, Meta(description="Biometric types both sides exchange, spec 3.1")]
    clock_skew_seconds: int | None
    problems: list[ProblemView]


def device_view(
    device: Device,
    scopes: Scopes = (),
    *,
    online: bool,
    last_seen_at: int | None,
    address: str | None,
    pending_commands: int,
    offered_keys: Sequence[OfferedKey],
    hybrid: Hybrid,
    version: str,
) -> DeviceView:
    """Show a terminal: what it says of itself as far as the scopes allow."""
    return DeviceView(
        sn=device.sn,
        alias=device.alias,
        state=device.state,
        area=device.area,
        timezone=device.timezone,
        online=online,
        created_at=instant(device.created_at),
        last_seen_at=instant_or_none(last_seen_at),
        address=address,
        firmware=device.firmware,
        push_version=device.push_version,
        protocol_version=version,
        language=device.language,
        device_type=device.device_type,
        session="encrypted" if device.session in ENCRYPTED_STATES else "plain",
        exchange=device.session,
        encryption=device.encryption,
        cipher=device.cipher,
        token=device.token_policy,
        returns_token=device.returns_token,
        comm_key=CommKeyView.of(device, offered_keys),
        settings=device.settings,
        networks=device.networks,
        options=_seen(device.options, option_secret, scopes),
        attributes=_seen(device.attributes, attribute_secret, scopes),
        counts=device.counts,
        pending_commands=pending_commands,
        hybrid=hybrid,
        clock_skew_seconds=None,
        problems=ProblemView.of_device(device),
    )


def hides_secrets(device: Device) -> bool:
    """Whether a terminal says something of itself that is not for everyone."""
    return any(map(option_secret, device.options)) or any(map(attribute_secret, device.attributes))


def _seen(
    values: Mapping[str, str], secret: Callable[[str], Scope | None], scopes: Scopes
) -> dict[str, str]:
    return {name: value for name, value in values.items() if may_see(secret(name), scopes)}


class DeviceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator may change of a terminal."""

    state: Literal["approved", "blocked"] | UnsetType = UNSET
    alias: Annotated[str, Meta(max_length=MOST_NAME)] | UnsetType | None = UNSET
    area: Annotated[str, Meta(max_length=MOST_NAME)] | UnsetType | None = UNSET
    timezone: str | UnsetType = UNSET
    settings: Annotated[
        dict[str, str | int | None] | UnsetType,
        Meta(description="Options told to this terminal otherwise; null takes one back"),
    ] = UNSET
    encryption: EncryptionPolicy | UnsetType | None = UNSET
    cipher: str | UnsetType | None = UNSET
    secret: Annotated[
        str | UnsetType | None,
        Meta(
            description="The secret that its cipher suite needs or takes, in base64; never shown "
            "again"
        ),
    ] = UNSET
    token: TokenPolicy | UnsetType = UNSET
    comm_key: Annotated[
        str | UnsetType | None,
        Meta(
            description="Fingerprint of the pushcommkey that it has to send from now on; null: "
            "any, and the offered ones are forgotten"
        ),
    ] = UNSET
    networks: (
        Annotated[
            tuple[str, ...],
            Meta(
                max_length=MOST_NETWORKS,
                description="Networks and addresses it may come from; none for anywhere",
            ),
        ]
        | UnsetType
    ) = UNSET
