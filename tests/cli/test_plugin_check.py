"""`zkpush plugins check`: faults of installed plugins are named before a daemon needs them."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Mapping

import pytest

from zkpush.plugincheck import CheckedPlugin

from .program import SECONDS, environment, start, zkpush

HEAD = """\
from twisted.plugin import IPlugin
from zope.interface import implementer
from zkpush.plugin.cipher import ICipherSuite
from zkpush.plugin.handler import IRecordHandler
from zkpush.plugin.policy import IAdmissionPolicy
from zkpush.plugin.store import IStoreFactory
from zkpush.plugin.tables import Field, Form, Kind, Layout, Table
from zkpush.plugin.verifier import IVerifier

"""
POLICY = (
    HEAD
    + """\
@implementer(IPlugin, IAdmissionPolicy)
class Policy:
    name = {name!r}
    def admit(self, sn, hello, address): return None

policy = Policy()
"""
)
HANDLER = (
    HEAD
    + """\
ID = Field(wire="Id", name="id", required=True, meaning="Number", kind=Kind.INTEGER)

@implementer(IPlugin, IRecordHandler)
class Handler:
    name = "handler"
    changes_device = False
    tables = [Table(**{{"name": "OWN", "section": "-", "meaning": "-", "layout": Layout.KEYED,
                       "keyword": "OWN", "key": ("id",), "fields": (ID,), **dict({table})}})]
    def persist(self, tx, device, batch, now): pass
    def stored(self, device, batch): pass
    {more}

handler = Handler()
"""
)


def handler(table: str = "", more: str = "") -> str:
    """A module with a record handler of one table."""
    return HANDLER.format(table=table, more=more)


FAULTY: Mapping[str, tuple[str, list[str]]] = {
    "a syntax error": ("def", ["cannot be imported: SyntaxError"]),
    "a missing module": (
        "import nowhere_to_be_found",
        ["cannot be imported: ModuleNotFoundError: No module named 'nowhere_to_be_found'"],
    ),
    "an exit": ("raise SystemExit('no licence')", ["SystemExit: no licence"]),
    "a missing method": (
        HEAD + "@implementer(IPlugin, IVerifier)\nclass V:\n    name = 'v'\n\nverifier = V()\n",
        ["verify(device, request) of IVerifier is missing"],
    ),
    "too few parameters": (
        POLICY.format(name="few").replace("sn, hello, address", "sn"),
        ["admit(sn, hello, address) of IAdmissionPolicy cannot be called so"],
    ),
    "two faults": (
        HEAD + "@implementer(IPlugin, IStoreFactory)\nclass S:\n    pass\n\nstore = S()\n",
        ["schemes of IStoreFactory is missing", "open(url, key, reactor) of IStoreFactory is"],
    ),
    "a name that cannot be read": (
        POLICY.format(name="x").replace(
            "    name = 'x'", "    @property\n    def name(self): raise KeyError('no name')"
        ),
        ["Reading its attributes raises KeyError"],
    ),
    "a name that is no text": (POLICY.format(name=7), ["`name` is [7], and no text"]),
    "a coroutine": (
        POLICY.format(name="later").replace("def admit", "async def admit"),
        ["admit is a coroutine function"],
    ),
    "no IPlugin": (
        POLICY.format(name="hidden").replace("IPlugin, IAdm", "IAdm"),
        ["does not provide twisted.plugin.IPlugin"],
    ),
    "no instance": (
        POLICY.format(name="class").replace("policy = Policy()", ""),
        ["Policy is a class, of which the module has no instance"],
    ),
    "a name of ours": (
        POLICY.format(name="closed"),
        ["It claims closed, as closed of zkpush does"],
    ),
    "a table of ours": (
        handler("name='ATTLOG'"),
        ["It claims ATTLOG, as attendance of zkpush does"],
    ),
    "no tables": (handler(more="tables = ()"), ["`tables` is empty"]),
    "no Table": (handler(more="tables = ('OWN',)"), ["`tables` has 'OWN'"]),
    "a flag that is none": (handler(more="changes_device = 'no'"), ["`changes_device` is 'no'"]),
    "a key without a field": (handler("key=('pin',)"), ["OWN: key lists pin, which is no field"]),
    "a form without a field": (
        handler("forms=(Form('old', ('id', 'age')),)"),
        ["OWN: form old lists age, which is no field"],
    ),
    "two fields of one name": (
        handler("fields=(ID, ID)"),
        ["two fields have the name id", "two fields have the wire name id"],
    ),
    "a pattern that is none": (
        handler("fields=(ID, Field(wire='A', name='a', meaning='', pattern='['))"),
        ["the pattern of a is no regular expression"],
    ),
    "an example that is rejected": (
        handler("examples=('OWN Id=x',)"),
        ["the example 'OWN Id=x' is rejected: Id: 'x' is not an integer"],
    ),
    "an example of another table": (
        handler("examples=('OTHER Id=7',)"),
        ["the example 'OTHER Id=7'"],
    ),
    "an example with an unknown value": (
        handler("examples=('OWN Id=7\\tAge=3',)"),
        ['no field reads {"Age":"3"} of the example'],
    ),
}
SOUND = {
    "policy": POLICY.format(name="sound"),
    "handler": handler("examples=('OWN Id=7', 'own id=8', 'Id=9')"),
}
MODULES = {case: f"case_{number}" for number, case in enumerate(FAULTY)}


def check(
    folder: pathlib.Path, *args: str, modules: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[str]:
    """Run the check where a folder is on the path, with some plugin modules in it."""
    plugins = folder / "twisted" / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    for name, text in modules.items():
        (plugins / f"{name}.py").write_text(text)
    return zkpush("plugins", "check", *args, env=environment(PYTHONPATH=str(folder)))


@pytest.mark.long
def test_what_zkpush_brings_is_sound() -> None:
    """A fresh installation has nothing to complain of, and every kind of plugin is looked at.

    This one is started anew: nothing has been imported before.
    """
    ran = start("plugins", "check", "--json")
    out, err = ran.communicate(timeout=SECONDS)
    assert (ran.returncode, err) == (0, "")
    found = json.loads(out)
    assert {one["kind"] for one in found} == {
        *("admission policy", "capability", "cipher suite", "record handler", "store"),
        *("forwarder", "terminal family", "verifier"),
    }
    assert {one["package"] for one in found} == {"zkpush"}
    assert not any(one["faults"] for one in found)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """One check of all faulty modules together: none hides the faults of another."""
    modules = {MODULES[case]: text for case, (text, _) in FAULTY.items()}
    return check(tmp_path_factory.mktemp("faulty"), "--json", modules=modules)


@pytest.mark.parametrize("case", FAULTY)
def test_a_fault_is_said_in_words(faulty: subprocess.CompletedProcess[str], case: str) -> None:
    """Each fault is named with what to do about it, and nothing else is."""
    module = f"twisted.plugins.{MODULES[case]}"
    (one,) = (one for one in json.loads(faulty.stdout) if one["module"] == module)
    problems, expected = [fault["problem"] for fault in one["faults"]], FAULTY[case][1]
    assert len(problems) == len(expected), problems
    for problem, words in zip(problems, expected, strict=True):
        assert words in problem
    assert all(fault["advice"].endswith(".") for fault in one["faults"])


def test_faults_are_a_failure(faulty: subprocess.CompletedProcess[str]) -> None:
    """The exit status is 1, and stderr says how many there are, without a traceback."""
    assert faulty.returncode == 1
    count = len(json.loads(faulty.stdout))
    assert faulty.stderr == f"Error: {len(FAULTY)} of {count} plugins have faults.\n"


def test_a_sound_plugin_has_no_fault(tmp_path: pathlib.Path) -> None:
    """What the daemon takes is not complained of, and is shown without --json in a line."""
    ran = check(tmp_path, modules=SOUND)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "ok      admission policy sound (twisted.plugins.policy)\n" in ran.stdout
    assert "ok      record handler handler (twisted.plugins.handler)\n" in ran.stdout


def test_two_packages_that_claim_one_name_are_both_named(tmp_path: pathlib.Path) -> None:
    """The daemon starts with neither; the report on each names the other."""
    text = POLICY.format(name="office")
    ran = check(tmp_path, "--json", modules={"one": text, "two": text})
    assert ran.returncode == 1
    faulty = {one["module"]: one["faults"] for one in json.loads(ran.stdout) if one["faults"]}
    assert set(faulty) == {"twisted.plugins.one", "twisted.plugins.two"}
    assert "as office of twisted.plugins.two does" in faulty["twisted.plugins.one"][0]["problem"]
    assert "as office of twisted.plugins.one does" in faulty["twisted.plugins.two"][0]["problem"]


def test_a_person_reads_the_fault_and_the_advice(tmp_path: pathlib.Path) -> None:
    """A line for each plugin, its faults below it, and a summary on stderr."""
    ran = check(tmp_path, modules={"theirs": handler("key=('pin',)")})
    assert ran.returncode == 1
    assert (
        "FAULTY  record handler handler (twisted.plugins.theirs)\n"
        "        OWN: key lists pin, which is no field.\n"
        "        List fields by their `name`, not by their name on the wire.\n"
    ) in ran.stdout
    assert "ok      verifier known (zkpush" in ran.stdout
    sound = sum(line.startswith("ok ") for line in ran.stdout.splitlines())
    assert ran.stderr == f"Error: 1 of {sound + 1} plugins have faults.\n"


def test_an_unknown_name_is_an_error(tmp_path: pathlib.Path) -> None:
    """A typing error is not taken for a plugin without faults."""
    ran = check(tmp_path, "visitor")
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: There is no plugin, module or package 'visitor'; there")


def test_words_of_the_command_line_are_checked(tmp_path: pathlib.Path) -> None:
    """A package whose word cannot be imported, or is one of ours, has a fault."""
    info = tmp_path / "wordy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wordy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[zkpush.words]\n"
        "broken = nowhere_to_be_found:word\nusers = wordy:users\ngood = wordy:good\n"
    )
    (tmp_path / "wordy.py").write_text(
        "import click\n@click.command()\ndef good():\n    '''Do good.'''\n"
    )
    ran = check(tmp_path, "wordy", "--json")
    assert ran.returncode == 1
    faults = {one["name"]: one["faults"] for one in json.loads(ran.stdout)}
    assert faults["good"] == []
    assert "No module named 'nowhere_to_be_found'" in faults["broken"][0]["problem"]
    assert faults["users"][0]["problem"] == "The word users is of zkpush already."


def test_a_plugin_is_found_by_its_names() -> None:
    """By its own name, its module (with or without the folder), and its package."""
    one = CheckedPlugin("store", "sqlite, memory", "twisted.plugins.parts", "zkpush", "1.0")
    for name in ("sqlite", "memory", "parts", "twisted.plugins.parts", "zkpush"):
        assert one.answers_to(name)
    for name in ("store", "twisted", "plugins", "sqlite,", "1.0", ""):
        assert not one.answers_to(name)
