"""Calls into plugins stand where they are contained, and nowhere else."""

from __future__ import annotations

import ast
import pathlib

from zkpush.interfaces import IAdmissionPolicy, IBringsTables, IRecordHandler, IVerifier

PACKAGE = pathlib.Path(__file__).parent.parent / "zkpush"
EDGES = {
    "persist": {"device/pluginworker.py", "device/intake.py"},
    "stored": {"device/pluginworker.py", "device/intake.py"},
    "prepare": {"persist/store.py", "device/pluginworker.py"},
    "verify": {"device/verification.py"},
}
"""Where the methods of plugins are called, besides `edges.py`."""


def calls(name: str) -> set[str]:
    """The modules that call or hand on a method of a handler, a policy or a verifier."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and node.attr == name
                and any(word in ast.unparse(node.value) for word in PLUGINS)
            ):
                found.add(str(path.relative_to(PACKAGE)))
    return found


PLUGINS = ("handler", "verifier")


def test_methods_of_plugins_are_called_at_their_edges_only() -> None:
    """A new call into a plugin has to be contained, and named here."""
    for name, modules in EDGES.items():
        assert calls(name) == modules, name


def test_the_edges_are_those_of_the_interfaces() -> None:
    """A method that an interface gains has to be thought of here, too."""
    methods = {
        name
        for interface in (IRecordHandler, IBringsTables, IVerifier, IAdmissionPolicy)
        for name, described in interface.namesAndDescriptions(all=True)
        if hasattr(described, "getSignatureInfo")
    }
    assert methods == {*EDGES, "admit"}
