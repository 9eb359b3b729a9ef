"""The plugins of a daemon: discovered, checked, and selected by the configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

import attrs
import msgspec
from twisted.logger import Logger

from .capabilities import Capabilities, load
from .capability import ICapability
from .config import Config
from .containment import MESSAGES, PluginHealth
from .device.families import Families
from .device.handlers import HandlerSet
from .device.plugininbox import RECORD_HANDLER
from .device.terminal import Ciphers
from .discovery import (
    PluginInfo,
    by_claim,
    describe,
    failed_modules,
    identity,
    sound_plugins,
)
from .edges import ContainedPolicy, ContainedSuite
from .interfaces import (
    IAdmissionPolicy,
    ICipherSuite,
    IForwarder,
    IRecordHandler,
    IStoreFactory,
    ITerminalFamily,
    IVerifier,
)
from .names import brings, sections_of
from .pluginkinds import (
    ADMISSION_POLICIES,
    CAPABILITIES,
    CIPHER_SUITES,
    FAMILIES,
    FORWARDERS,
    STORES,
    VERIFIERS,
    own_name,
    schemes,
)
from .stores import factory_of

P = TypeVar("P")
_log = Logger()


@attrs.frozen(kw_only=True)
class InstalledPlugins:
    """All plugins that the daemon uses, of zkpush and of other packages."""

    capabilities: Capabilities
    handlers: HandlerSet
    policy: IAdmissionPolicy
    ciphers: Ciphers
    families: Families
    factory: IStoreFactory
    verifiers: Mapping[str, IVerifier]
    forwarders: Mapping[str, IForwarder]
    health: PluginHealth
    described: Sequence[PluginInfo]
    """For `GET plugins`."""


def find_plugins(
    settings: Config, health: PluginHealth, given: Collection[object] = ()
) -> InstalledPlugins:
    """Find all plugins; `given` ones are added, or replace installed ones of the same identity.

    Raises `PluginConflict`, `CapabilityError` or `ValueError` if they conflict, or if the
    configuration names a missing one.
    """

    def found(interface: type[P]) -> list[P]:
        return _found(interface, given)

    MESSAGES.shown = settings.plugins.log_messages
    policies = by_claim(found(IAdmissionPolicy), own_name)
    verifiers = by_claim(found(IVerifier), own_name)
    factories = by_claim(found(IStoreFactory), schemes)
    suites = by_claim(found(ICipherSuite), own_name)
    families = by_claim(found(ITerminalFamily), own_name)
    forwarders = by_claim(found(IForwarder), own_name)
    broken = failed_modules()
    for module in broken:
        health.failed(f"module {module}", ImportError())
    capabilities = load(found(ICapability), broken)
    for name, error in capabilities.failed.items():
        _log.error("{error}; it is left out", error=error)
        health.failed(f"capability {name}", error)
    alone = found(IRecordHandler)
    replaced = {identity(one) for one in alone}
    lent = [one for one in capabilities.handlers if identity(one) not in replaced]
    handlers = HandlerSet([*lent, *alone], settings.plugins.inline)
    return InstalledPlugins(
        capabilities=capabilities,
        handlers=handlers,
        policy=ContainedPolicy(policies[settings.admission], health),
        ciphers=_ciphers(settings, suites, health),
        families=Families(families.values()),
        factory=factory_of(factories, settings.database_url),
        verifiers=verifiers,
        forwarders=forwarders,
        health=health,
        described=[
            *(
                attrs.evolve(one, brings=brings(capability))
                for capability in capabilities.all
                for one in describe(CAPABILITIES.title, [(capability.name, capability)])
            ),
            *describe(ADMISSION_POLICIES.title, policies.items()),
            *describe(CIPHER_SUITES.title, suites.items()),
            *(PluginInfo("module", module, module, None) for module in broken),
            *describe(FORWARDERS.title, forwarders.items()),
            *describe(RECORD_HANDLER, ((one.name, one.handler) for one in handlers.all)),
            *describe(STORES.title, factories.items()),
            *describe(FAMILIES.title, families.items()),
            *describe(VERIFIERS.title, verifiers.items()),
        ],
    )


def sections(given: Collection[object] = ()) -> Mapping[str, type[msgspec.Struct] | None]:
    """Configuration sections of capabilities, by name."""
    return sections_of(_found(ICapability, given))


def _found(interface: type[P], given: Collection[object]) -> list[P]:
    # To mypy, an interface is a type without `providedBy`.
    own = [one for one in given if interface.providedBy(one)]  # type: ignore[attr-defined]
    installed = sound_plugins(interface)
    if not own:
        return installed
    names = {identity(one) for one in own}
    others = [one for one in installed if identity(one) not in names]
    return others + sound_plugins(interface, own)


def check_policy(name: str) -> object:
    """Return the admission policy of a name; `ValueError` lists the installed ones."""
    policies = by_claim(sound_plugins(IAdmissionPolicy), own_name)
    if name not in policies:
        there = ", ".join(sorted(policies))
        raise ValueError(f"there is no policy {name!r}; there are {there}")
    return policies[name]


def _ciphers(settings: Config, found: Mapping[str, ICipherSuite], health: PluginHealth) -> Ciphers:
    """Make the cipher suites; `ValueError` if the configured one cannot serve all terminals."""
    suites: dict[str, ICipherSuite] = {
        name: ContainedSuite(suite, health) for name, suite in found.items()
    }
    name = settings.encryption.suite
    exchanging = sorted(name for name, suite in suites.items() if suite.exchanges)
    if name not in exchanging:
        raise ValueError(
            f"encryption.suite: there is no cipher suite {name!r} that exchanges keys; there are "
            f"{', '.join(exchanging)} (others are given to single terminals, with their keys)"
        )
    return Ciphers(suites, settings.encryption)
