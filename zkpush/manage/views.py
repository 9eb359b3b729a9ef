"""Views and request bodies of terminals in the API; OpenAPI is derived from these types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..attributes import DeclaredAttribute
from ..consequences import advice_among, followed
from ..model import DEVICE_ATTRIBUTES, Device
from ..phrases import Phrase
from ..problems import ServerProblem, advice_phrase, meaning_of
from ..protocol.codes import BiometricType
from ..protocol.facts import capacities_of, functions_of
from ..protocol.fields import Scope
from ..protocol.hybrid import BiometricSupport, Hybrid
from ..protocol.secrecy import Scopes, attribute_secret, may_see, option_secret
from ..values.devicewords import SESSION_WORDS
from ..values.keys import OfferedKey
from ..values.sessions import ENCRYPTED_STATES, SessionState
from .recordviews import MEANING
from .times import instant, instant_or_none

_ATTRIBUTES = DEVICE_ATTRIBUTES.values()
_SHOWN = {one.name: one for one in _ATTRIBUTES if one.own.is_shown}
CHANGEABLE = {one.name: one for one in _ATTRIBUTES if one.own.is_changeable}
"""Attributes that operators may change, by name in the API."""


def _meaning_of(one: DeclaredAttribute) -> list[tuple[str, Any]]:
    """Return the field with the meaning of a coded attribute; empty for another one."""
    if one.own.words is None:
        return []
    meaning = Meta(description=f"`{one.name}` in words")
    return [(f"{one.name}{MEANING}", Annotated[str | None, meaning])]


class ProblemView(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that a person should look at."""

    device: Annotated[
        str | None, Meta(description="Serial number; null for a problem of the server")
    ]
    subject: Annotated[str, Meta(description="Affected part, such as `terminal T1` or `disk`")]
    code: str
    code_meaning: str
    detail: Annotated[str, Meta(description="Observed facts")]
    advice: Annotated[str, Meta(description="Advice")]
    since_at: str
    follows: Annotated[
        str | None,
        Meta(
            description="Code of the problem of the same terminal from which this one follows; "
            "null if it stands alone"
        ),
    ] = None

    @classmethod
    def of_device(cls, device: Device, reject: int | None = None) -> list[ProblemView]:
        """Make the views of a terminal's problems, first those that stand alone.

        `reject` is the ID of its newest reject, if known.
        """
        subject = Phrase("terminal %(sn)s", sn=device.sn)
        details = {problem.code: problem.detail for problem in device.problems}
        views = [
            msgspec.structs.replace(
                cls._of(device.sn, subject, problem.code, problem.detail, problem.since_at),
                advice=advice_among(problem.code, device, details, reject),
                follows=followed(problem.code, details),
            )
            for problem in device.problems
        ]
        return sorted(views, key=lambda view: view.follows is not None)

    @classmethod
    def of_server(cls, problem: ServerProblem) -> ProblemView:
        """Make the view of a problem of the server."""
        return cls._of(problem.sn, problem.subject, problem.code, problem.detail, problem.since_at)

    @classmethod
    def _of(
        cls, device: str | None, subject: str, code: str, detail: str, since_at: int
    ) -> ProblemView:
        return cls(
            device=device,
            subject=subject,
            code=str(code),
            code_meaning=meaning_of(code),
            detail=detail,
            advice=advice_phrase(code, device, detail),
            since_at=instant(since_at),
        )


class OfferedKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A pushcommkey that was offered in the terminal's name."""

    fingerprint: Annotated[str, Meta(description="SHA-256 of the key, in hex")]
    address: Annotated[str | None, Meta(description="Address of the last offer")]
    first_seen_at: str
    last_seen_at: str


class KeylessView(msgspec.Struct, frozen=True, kw_only=True):
    """Exchanges in the terminal's name that offered no pushcommkey."""

    address: Annotated[str | None, Meta(description="Address of the last of them")]
    first_seen_at: str
    last_seen_at: str


class CommKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """The pushcommkey of a terminal."""

    pinned: Annotated[
        str | None,
        Meta(description="Fingerprint of the required key; null: any key or none is accepted"),
    ]
    offered: Annotated[
        list[OfferedKeyView],
        Meta(description="Keys offered since one was pinned or cleared, oldest first, at most 8"),
    ]
    keyless: Annotated[
        KeylessView | None,
        Meta(description="Exchanges without a key since then; null if none"),
    ]

    @classmethod
    def of(cls, device: Device, offered: Sequence[OfferedKey]) -> CommKeyView:
        """Make the view of the pinned key, the offered keys, and exchanges without a key."""
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


class BiometricSupportView(BiometricSupport, frozen=True, kw_only=True):
    """Data of one biometric type that a terminal and this server can exchange."""

    type_meaning: str


class HybridView(msgspec.Struct, frozen=True):
    """Biometric types of one terminal."""

    supported: Annotated[bool, Meta(description="Whether it supports hybrid identification")]
    types: Annotated[list[BiometricSupportView], Meta(description="Known types")]

    @classmethod
    def of(cls, hybrid: Hybrid) -> HybridView:
        """Make the view of the biometric types."""
        return cls(
            hybrid.supported,
            [
                BiometricSupportView(
                    type_meaning=BiometricType(one.type).meaning, **msgspec.structs.asdict(one)
                )
                for one in hybrid.types
            ],
        )


if TYPE_CHECKING:
    from msgspec import Struct as _Changes
    from msgspec import Struct as _ShownAttributes
else:
    _ShownAttributes = msgspec.defstruct(
        "ShownAttributes",
        [
            field
            for name, one in _SHOWN.items()
            for field in ((name, one.api_type), *_meaning_of(one))
        ],
        frozen=True,
        kw_only=True,
    )
    _Changes = msgspec.defstruct(
        "Changes",
        [(name, one.body_type | UnsetType, UNSET) for name, one in CHANGEABLE.items()],
        frozen=True,
    )


class DeviceView(_ShownAttributes, frozen=True, kw_only=True):
    """A terminal."""

    online: Annotated[
        bool, Meta(description="Whether it has sent a request within three poll intervals")
    ]
    silent: Annotated[
        bool,
        Meta(
            description="Whether it is approved, and has sent no request for ten minutes or "
            "longer. False while problems say why it is refused"
        ),
    ]
    created_at: str
    last_seen_at: str | None
    address: str | None
    protocol_version: Annotated[str, Meta(description="The version both sides use")]
    session: Literal["plain", "encrypted"]
    exchange: Annotated[
        SessionState,
        Meta(
            description="Progress of the exchanges. new: not made yet; ready: made; stale: to be "
            "repeated; keys, factors: key exchange begun; encrypted: all made; outdated: all to "
            "be repeated"
        ),
    ]
    exchange_meaning: Annotated[str, Meta(description="`exchange` in words")]
    comm_key: CommKeyView
    options: Annotated[
        dict[str, str],
        Meta(
            description="Pushed options. With the scope `biometrics`, `GET devices/{sn}` adds "
            "options that the protocol does not declare, which may contain passwords"
        ),
    ]
    attributes: Annotated[
        dict[str, str], Meta(description="Other information that it sent, restricted as `options`")
    ]
    capacities: Annotated[
        dict[str, int],
        Meta(description="Reported capacities, by the names of `counts`"),
    ]
    functions: Annotated[
        dict[str, bool | None],
        Meta(description="Abilities; null where it reports none"),
    ]
    pending_commands: int
    hybrid: Annotated[HybridView, Meta(description="Biometric types both sides exchange, spec 3.1")]
    clock_skew_seconds: Annotated[
        int | None,
        Meta(
            description="Seconds that its clock is ahead of the server's, negative if behind: the "
            "median of its last real-time punches; null until there are three"
        ),
    ]
    problems: list[ProblemView]


def device_view(
    device: Device,
    scopes: Scopes = (),
    *,
    online: bool,
    silent: bool,
    last_seen_at: int | None,
    address: str | None,
    pending_commands: int,
    offered_keys: Sequence[OfferedKey],
    hybrid: Hybrid,
    version: str,
    others: Sequence[ServerProblem],
) -> DeviceView:
    """Make the view of a terminal, with its reported options as far as the scopes allow.

    `others` are problems of the server about this terminal.
    """
    return DeviceView(
        **{name: getattr(device, one.field) for name, one in _SHOWN.items()},
        online=online,
        silent=silent,
        created_at=instant(device.created_at),
        last_seen_at=instant_or_none(last_seen_at),
        address=address,
        protocol_version=version,
        **{
            f"{name}{MEANING}": one.own.words(getattr(device, one.field))
            for name, one in _SHOWN.items()
            if one.own.words is not None
        },
        session="encrypted" if device.session in ENCRYPTED_STATES else "plain",
        exchange=device.session,
        exchange_meaning=SESSION_WORDS[device.session],
        comm_key=CommKeyView.of(device, offered_keys),
        options=_seen(device.options, option_secret, scopes),
        attributes=_seen(device.attributes, attribute_secret, scopes),
        capacities=capacities_of(device.options),
        functions=functions_of(device.options, device.attributes),
        pending_commands=pending_commands,
        hybrid=HybridView.of(hybrid),
        clock_skew_seconds=device.clock_skew_seconds,
        problems=[*ProblemView.of_device(device), *map(ProblemView.of_server, others)],
    )


def hides_secrets(device: Device) -> bool:
    """Whether the terminal reports secret options."""
    return any(map(option_secret, device.options)) or any(map(attribute_secret, device.attributes))


def _seen(
    values: Mapping[str, str], secret: Callable[[str], Scope | None], scopes: Scopes
) -> dict[str, str]:
    return {name: value for name, value in values.items() if may_see(secret(name), scopes)}


class RecomputeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Period of the records whose instants are computed again; all records without bounds."""

    since: Annotated[str | None, Meta(description="ISO 8601; from this instant on")] = None
    until: Annotated[str | None, Meta(description="ISO 8601; before this instant")] = None


class RecomputedView(msgspec.Struct, frozen=True):
    """Result of computing instants again."""

    device: str
    timezone: Annotated[str, Meta(description="Time zone used")]
    checked: Annotated[
        int, Meta(description="Number of attendance, operation and photo records checked")
    ]
    changed: Annotated[int, Meta(description="Number of records whose instant or doubt changed")]


class DeviceChange(_Changes, frozen=True, forbid_unknown_fields=True):
    """Changes of a terminal by an operator."""

    secret: Annotated[
        str | UnsetType | None,
        Meta(
            description="The secret that its cipher suite needs or takes, in base64; never shown "
            "again"
        ),
    ] = UNSET
