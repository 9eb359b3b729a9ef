"""Checks of installed plugins, without a daemon: `zkpush plugins check`.

The daemon leaves out an invalid plugin, and Twisted a module that cannot be imported. Both lose
lines of terminals, so this check reports faults beforehand. It imports every module in the
`twisted/plugins` folders, and ignores Twisted's cache of them.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Collection, Iterable, Iterator
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, cast

import attrs
from twisted.plugin import IPlugin
from twisted.python.modules import getModule
from zope.interface.exceptions import (  # type: ignore[attr-defined]  # zope.interface has no types
    BrokenImplementation,
    BrokenMethodImplementation,
    Invalid,
    MultipleInvalid,
)
from zope.interface.interfaces import IMethod
from zope.interface.verify import verifyObject

import twisted.plugins

from .capability import PARTS, CapabilityError, ICapability, is_own
from .discovery import is_ours, origin, origin_of
from .names import brings, check_prefixes, claimed, words_of
from .pluginkinds import (
    CAPABILITIES,
    CIPHER_SUITES,
    KINDS,
    RECORD_HANDLERS,
    STORES,
    VERIFIERS,
    PluginKind,
)
from .protocol.fields import Table
from .tablecheck import Fault, table_faults

_TYPES: dict[PluginKind, dict[str, type]] = {
    RECORD_HANDLERS: {"changes_device": bool},
    CIPHER_SUITES: {"weakness": str, "exchanges": bool},
}
_MODULE = "module"
WORDS = "zkpush.words"
"""Entry point group of command line words."""


@attrs.define
class CheckedPlugin:
    """A plugin, or a module of plugins, and its faults."""

    kind: str
    name: str
    module: str
    """Module in the plugin folder that holds it."""
    package: str
    version: str | None
    faults: list[Fault] = attrs.field(factory=list)
    brings: list[str] = attrs.field(factory=list)
    """What a capability without faults adds, in words."""

    def answers_to(self, name: str) -> bool:
        """Whether a name is that of the plugin, its module or its package."""
        modules = (self.module, self.module.rpartition(".")[2])
        return name in (*self.name.split(", "), *modules, self.package)


def check_plugins() -> list[CheckedPlugin]:
    """Import and check all plugins; modules that cannot be imported are listed first."""
    failed: list[CheckedPlugin] = []
    found: dict[int, tuple[str, object]] = {}
    lent: set[int] = set()  # handlers that a capability brings, which Twisted need not find
    classes: list[CheckedPlugin] = []
    for module in sorted(getModule(twisted.plugins.__name__).iterModules(), key=lambda m: m.name):
        try:
            loaded = import_module(module.name)
        except (Exception, SystemExit) as error:
            failed.append(_failed_module(module.name, error))
            continue
        for value in vars(loaded).values():
            if not isinstance(value, type) and any(k.interface.providedBy(value) for k in KINDS):
                found.setdefault(id(value), (module.name, value))
                for handler in _handlers_of(value):
                    found.setdefault(id(handler), (module.name, handler))
                    lent.add(id(handler))
        classes += _forgotten_classes(loaded)
    return [*failed, *classes, *_checked(found.values(), lent)]


def _handlers_of(plugin: Any) -> list[object]:
    """Return the record handlers of a capability; none if it cannot be imported (a fault)."""
    if not ICapability.providedBy(plugin):
        return []
    try:
        return [*getattr(plugin.part("handler"), "HANDLERS", ())]
    except CapabilityError:
        return []


def plugin_faults(
    kind: PluginKind, plugin: object, *, is_of_capability: bool = False
) -> list[Fault]:
    """Return the faults of one plugin, regardless of other plugins.

    `is_of_capability` is for a record handler that a capability brings, which need not be a plugin
    itself.
    """
    faults = []
    if not is_of_capability and not IPlugin.providedBy(plugin):
        faults.append(
            Fault(
                "It does not provide twisted.plugin.IPlugin, so that Twisted does not find it.",
                f"Write @implementer(IPlugin, {kind.interface.__name__}) above its class.",
            )
        )
    for interface in (kind.interface, *kind.optional):
        if interface.providedBy(plugin):
            faults += _interface_faults(interface, plugin)
    return faults or list(_value_faults(kind, plugin))


def _checked(found: Iterable[tuple[str, object]], lent: Collection[int]) -> list[CheckedPlugin]:
    checked = []
    for kind in KINDS:
        claimed: dict[str, tuple[object, CheckedPlugin]] = {}
        for module, plugin in found:
            if not kind.interface.providedBy(plugin):
                continue
            package, version = origin_of(plugin)
            faults = plugin_faults(kind, plugin, is_of_capability=id(plugin) in lent)
            name = _name(kind, plugin)
            one = CheckedPlugin(kind.title, name, module, package, version, faults)
            if kind is CAPABILITIES and not faults:
                one.brings = brings(cast(ICapability, plugin))
            checked.append(one)
            if not faults:
                _claim(kind, plugin, one, claimed)
    return checked


def _name(kind: PluginKind, plugin: object) -> str:
    """Return the listed name of a plugin, or that of its class if the name cannot be read."""
    try:
        return ", ".join(map(str, kind.names(plugin))) or type(plugin).__name__
    except (Exception, SystemExit):
        return type(plugin).__name__


def _claim(
    kind: PluginKind,
    plugin: object,
    one: CheckedPlugin,
    claimed: dict[str, tuple[object, CheckedPlugin]],
) -> None:
    for claim in dict.fromkeys(_claims(kind, plugin)):
        other_plugin, other = claimed.setdefault(claim, (plugin, one))
        if other is one:
            continue
        advice = "Uninstall one of both, or rename what is its author's own: no daemon starts."
        for here, there, mine in ((one, other, plugin), (other, one, other_plugin)):
            if not is_ours(mine):
                here.faults.append(
                    Fault(f"It claims {claim}, as {there.name} of {there.package} does.", advice)
                )


def _claims(kind: PluginKind, plugin: Any) -> list[str]:
    claims = [*kind.claims(plugin)]
    if kind is CAPABILITIES:
        names = claimed(plugin).items()
        claims += [f"the {what} {name}" for what, each in names for name in each]
    return claims


def _failed_module(name: str, error: BaseException) -> CheckedPlugin:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" ({frame.filename}, line {frame.lineno})" for frame in last)
    fault = Fault(
        f"It cannot be imported: {type(error).__name__}: {error}{where}.",
        "Install what it needs, or update or uninstall its package: all that it brings is missing.",
    )
    return CheckedPlugin(_MODULE, name, name, name, None, [fault])


def _forgotten_classes(module: ModuleType) -> Iterator[CheckedPlugin]:
    """Find plugin classes that a module imports or defines without an instance of them."""
    values = list(vars(module).values())
    for value in values:
        if not isinstance(value, type):
            continue
        kinds = [kind for kind in KINDS if kind.interface.implementedBy(value)]
        if not kinds or any(isinstance(other, value) for other in values):
            continue
        package, version = origin(value)
        fault = Fault(
            f"{value.__name__} is a class, of which the module has no instance.",
            f"Add a line such as `plugin = {value.__name__}()` to {module.__name__}.",
        )
        yield CheckedPlugin(
            kinds[0].title, value.__name__, module.__name__, package, version, [fault]
        )


def _interface_faults(interface: Any, plugin: object) -> Iterator[Fault]:
    try:
        verifyObject(interface, plugin)
    except MultipleInvalid as error:
        for one in error.exceptions:
            yield _fault_of(interface, one)
    except Invalid as error:
        yield _fault_of(interface, error)
    except (Exception, SystemExit) as error:  # verifying reads properties
        yield Fault(
            f"Reading its attributes raises {type(error).__name__}: {error}.",
            "Make the names and tables of a plugin plain attributes.",
        )
    else:
        yield from _awaited_faults(interface, plugin)


def _fault_of(interface: Any, error: Exception) -> Fault:
    name = interface.__name__
    if isinstance(error, BrokenMethodImplementation):
        return Fault(
            f"{_signature(error.method)} of {name} cannot be called so: {error.mess}.",
            "Give the method these parameters.",
        )
    if isinstance(error, BrokenImplementation):
        return Fault(f"{_signature(error.name)} of {name} is missing.", "Add it to the class.")
    return Fault(f"It does not provide {name}: {error}", "Compare it with the interface.")


def _signature(described: Any) -> str:
    name = str(getattr(described, "__name__", described))
    is_method = IMethod.providedBy(described)
    arguments: Any = described
    return f"{name}{arguments.getSignatureString()}" if is_method else name


def _awaited_faults(interface: Any, plugin: object) -> Iterator[Fault]:
    for name in interface.names(all=True):
        method = getattr(plugin, name)
        if inspect.iscoroutinefunction(method) and interface is not VERIFIERS.interface:
            yield Fault(
                f"{name} is a coroutine function, which nobody awaits.",
                "Write `def`: it is called on a thread or on the reactor, and returns at once.",
            )


def _value_faults(kind: PluginKind, plugin: Any) -> Iterator[Fault]:
    names = list(kind.names(plugin))
    if not names or not all(isinstance(name, str) and name for name in names):
        what = "schemes" if kind is STORES else "name"
        yield Fault(f"`{what}` is {names!r}, and no text.", f"Set `{what}` to a short word.")
    for name, wanted in _TYPES.get(kind, {}).items():
        value = getattr(plugin, name)
        if not isinstance(value, wanted):
            yield Fault(f"`{name}` is {value!r}, and no {wanted.__name__}.", f"Set `{name}`.")
    if kind is CAPABILITIES:
        faults = list(_part_faults(plugin))
        yield from faults or _name_faults(plugin)
    if kind is RECORD_HANDLERS:
        yield from _handler_faults(list(plugin.tables))


def _part_faults(plugin: Any) -> Iterator[Fault]:
    for part in PARTS:
        try:
            plugin.part(part)
        except CapabilityError as error:
            yield Fault(f"{error}.", "Install what it needs, or update or uninstall its package.")


def _name_faults(plugin: Any) -> Iterator[Fault]:
    try:
        check_prefixes(plugin)
    except CapabilityError as error:
        yield Fault(f"{error}.", "Rename it.")
    if is_own(plugin):
        return
    there = {entry.name for entry in entry_points(group=WORDS)}
    for word in words_of(plugin):
        if word not in there:
            yield Fault(
                f"It declares the word {word}, and its package has no such entry point.",
                f"Add `{word} = {plugin.package}.cli:{word}` to the entry points {WORDS}.",
            )


def _handler_faults(tables: list[object]) -> Iterator[Fault]:
    if not tables:
        yield Fault("`tables` is empty, so that it is never called.", "List its tables.")
    for table in tables:
        if isinstance(table, Table):
            yield from table_faults(table)
        else:
            yield Fault(f"`tables` has {table!r}.", "List values of zkpush.plugin.tables.Table.")
