"""Calls into plugins stand where they are contained, and nowhere else."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

from zkpush.interfaces import IAdmissionPolicy, IBringsTables, IRecordHandler, IVerifier

PACKAGE = pathlib.Path(__file__).parent.parent / "zkpush"
PLUGINS = ("handler", "verifier")
CONTAINED, ATTEMPTED, CAUGHT = "with contained", "tx.attempt", "except BaseException"
ERRBACK = "addErrback"
EDGES = {
    # From the inbox of a plugin, on its thread; in the unit of the upload, if it is inline.
    "persist": {("device/pluginworker.py", ATTEMPTED), ("device/intake.py", ATTEMPTED)},
    "stored": {("device/pluginworker.py", CONTAINED), ("device/intake.py", CAUGHT)},
    # At the start, on a thread of its own; again on the plugin's thread, if that failed.
    "prepare": {("persist/store.py", CAUGHT), ("device/pluginworker.py", CAUGHT)},
    "verify": {("handlers/people/verification.py", ERRBACK)},
}
"""Where the methods of plugins are called or handed on, besides `edges.py`, and what contains
them there: the function, or one of the same module that calls it."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def uses(tree: ast.AST, name: str) -> Iterator[Function]:
    """The functions that call or hand on a method of a handler or a verifier."""
    for function in ast.walk(tree):
        if isinstance(function, Function) and any(
            isinstance(node, ast.Attribute)
            and node.attr == name
            and any(word in ast.unparse(node.value) for word in PLUGINS)
            for node in ast.walk(function)
        ):
            yield function


def containments(tree: ast.AST, name: str) -> Iterator[str]:
    """What contains each function that uses a method of a plugin."""
    for used in uses(tree, name):
        hows = {
            how
            for node in ast.walk(tree)
            if (how := contains(node)) is not None
            for inside in (node.body if isinstance(node, ast.With | ast.Try) else [node])
            if mentions(inside, used.name) or (mentions(inside, name) and is_in(node, used))
        }
        yield from hows or {"nothing"}


def is_in(node: ast.AST, function: ast.AST) -> bool:
    """Whether a node is a part of a function."""
    return any(one is node for one in ast.walk(function))


def contains(node: ast.AST) -> str | None:
    """How a node contains what is in it; None if it does not."""
    if isinstance(node, ast.With):
        items = [ast.unparse(item.context_expr) for item in node.items]
        return CONTAINED if any(item.startswith("contained(") for item in items) else None
    if isinstance(node, ast.Try):
        kinds = [ast.unparse(handler.type) for handler in node.handlers if handler.type]
        return CAUGHT if "BaseException" in kinds else None
    if isinstance(node, ast.Call) and ast.unparse(node.func) == ATTEMPTED:
        return ATTEMPTED
    if isinstance(node, Function) and any(mentions(one, "addErrback") for one in node.body):
        return ERRBACK
    return None


def mentions(node: ast.AST, name: str) -> bool:
    """Whether a method or a variable of this name is in a node."""
    return any(getattr(one, "attr", getattr(one, "id", None)) == name for one in ast.walk(node))


def test_methods_of_plugins_are_called_at_their_edges_only() -> None:
    """A new call into a plugin has to be contained, and named here."""
    # Test suites for plugins let them raise; the daemon never imports them (import-linter).
    modules = {
        path: path.read_text()
        for path in PACKAGE.rglob("*.py")
        if PACKAGE / "testing" not in path.parents
    }
    for name, edges in EDGES.items():
        found = {
            (str(path.relative_to(PACKAGE)), how)
            for path, text in modules.items()
            if f".{name}" in text  # to parse all of them takes most of the time
            for how in containments(ast.parse(text), name)
        }
        assert found == edges, name


def test_the_edges_are_those_of_the_interfaces() -> None:
    """A method that an interface gains has to be thought of here, too."""
    methods = {
        name
        for interface in (IRecordHandler, IBringsTables, IVerifier, IAdmissionPolicy)
        for name, described in interface.namesAndDescriptions(all=True)
        if hasattr(described, "getSignatureInfo")
    }
    assert methods == {*EDGES, "admit"}
