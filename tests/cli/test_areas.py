"""`zkpush areas`."""

from __future__ import annotations

import json

from zkpush.handlers.areas.cli import effect_text

from .program import Daemon, cells, failed, said


def test_areas(daemon: Daemon) -> None:
    """An area is added, listed, shown and deleted."""
    stored = said(daemon.zkpush("areas", "put", "Shed", "--description", "Behind the hall"))
    assert stored == "Area Shed is stored: 0 terminals, 0 people.\n"
    assert ["Shed", "Behind", "the", "hall", "no", "0", "0"] in cells(
        said(daemon.zkpush("areas", "list"))
    )
    shown = json.loads(said(daemon.zkpush("areas", "show", "Shed", "--json")))
    assert (shown["description"], shown["distributes"]) == ("Behind the hall", False)
    assert said(daemon.zkpush("areas", "delete", "Shed", "--yes")) == "Area Shed is deleted.\n"
    assert failed(daemon.zkpush("areas", "show", "Shed")) == (
        "Error: There is no area Shed. See: zkpush areas list"
    )


def test_people_are_copied_and_adopted(daemon: Daemon) -> None:
    """A dry run says what a copy and an adoption mean."""
    daemon.terminal("FROM1").upload("OPERLOG", "USER PIN=31\tName=Ann\nUSER PIN=32\tName=Bob\n")
    daemon.terminal("TO1")
    for options, verb in (("--dry-run",), "would be"), ((), "are"):
        told = said(daemon.zkpush("devices", "copy", "TO1", "--from", "FROM1", *options))
        assert told.startswith(
            f"FROM1 holds 2 people; 0 of them are on TO1 already. 2 commands {verb} sent.\n"
        )
    said(daemon.zkpush("devices", "set", "FROM1", "area=Hall"))
    for options, verb in (("--dry-run",), "would be"), ((), "are"):
        told = said(daemon.zkpush("devices", "adopt", "FROM1", *options))
        assert told == f"2 of 2 people on FROM1 {verb} added to the area Hall.\n"
    assert failed(daemon.zkpush("devices", "copy", "TO1", "--from", "TO1")) == (
        "Error: --from: terminal TO1 has its own people already."
    )
    found = json.loads(said(daemon.zkpush("devices", "adopt", "FROM1", "--json")))
    assert (found["people"], found["adopted"]) == (2, 0)


def test_a_mistyped_area_is_told(daemon: Daemon) -> None:
    """A terminal or a person may be the first of an area; a token or a rule of none is refused."""
    daemon.terminal("TYPO1")
    said(daemon.zkpush("areas", "put", "Northern"))
    run = daemon.zkpush("devices", "set", "TYPO1", "area=Nothern")
    assert said(run) == "TYPO1 is changed.\n"
    assert run.stderr == "Area Nothern is new (did you mean Northern?).\n"
    run = daemon.zkpush("users", "put", "4711", "name=B", "areas=Northern,Nothrn")
    assert "Area Nothrn is new (did you mean " in run.stderr
    assert "Northern is new" not in run.stderr
    again = daemon.zkpush("devices", "set", "TYPO1", "area=Nothern")
    assert again.stderr == ""
    refused = "Error: There is no area 'Nortern'; did you mean Northern"
    token = daemon.zkpush("tokens", "create", "typo", "--scope", "read", "--area", "Nortern")
    assert failed(token).startswith(refused)
    rules = ("--rules", '{"areas": ["Nortern"]}')
    url = ("--url", "https://192.0.2.1/x")
    assert failed(daemon.zkpush("forwarders", "add", "typo", *url, *rules)).startswith(refused)
    made = daemon.zkpush("tokens", "create", "typo", "--scope", "read", "--area", "Northern")
    said(made)
    other = daemon.zkpush("tokens", "create", "attic", "--scope", "read", "--area", "Zzyzx Road")
    assert failed(other).startswith("Error: There is no area 'Zzyzx Road'. Add it first: `zkpush ")
    assert failed(other).endswith(" areas put 'Zzyzx Road'`.")
    listed = failed(daemon.zkpush("users", "list", "--area", "Nortern"))
    assert listed.startswith(refused)


def test_nothing_is_repaired_where_nothing_is_distributed(daemon: Daemon) -> None:
    """Neither of an area nor of a terminal; the message says what to do."""
    daemon.terminal("REPAIR1")
    said(daemon.zkpush("areas", "put", "Quiet"))
    for words, area in (
        (("areas", "repair", "Quiet"), "Quiet"),
        (("devices", "repair", "REPAIR1"), "default"),
    ):
        told = failed(daemon.zkpush(*words))
        assert told.startswith(f"Error: The area {area} does not distribute")
        assert told.endswith(f"To let it: zkpush areas put {area} --distribute")


def test_the_question_names_people_whom_only_terminals_have_stated() -> None:
    """Ten of them, the number of the rest, and what comes later."""
    named = [{"pin": str(n), "name": None, "privilege": 0, "deleted_from": None} for n in range(10)]
    named[0]["name"] = "Chloe"
    effect = {"people": 13, "devices": 1, "commands": 39, "unconfirmed": 12, "privileged": 1}
    effect |= {"deletions": 0, "with_passwords": 0, "of_terminals": 12}
    said = effect_text({**effect, "unfetched": 3, "named": named}).splitlines()
    assert said[0] == "13 people on 1 approved terminal: at most 39 commands. Nobody is deleted."
    assert said[1] == "Stated by terminals only, and coming to all: 12 people."
    assert said[2] == "With rights that only a terminal has given, which stay there: 1 person."
    assert said[3].startswith("These are Chloe (0), - (1), ")
    assert said[3].endswith("- (9) and 2 more.")
    assert "whom a terminal of the area states later" in said[4]
    assert said[5].startswith("The terminals count 3 people more than are fetched")
    none = {"unconfirmed": 0, "privileged": 0, "of_terminals": 0, "unfetched": 0, "named": []}
    nobody = effect_text({**effect, **none})
    assert "only" not in nobody


def test_the_question_names_who_is_deleted_and_counts_passwords() -> None:
    """A password opens wherever its person is put."""
    stays = {"pin": "1", "name": "Al", "privilege": 0, "deleted_from": None}
    goes = {"pin": "9", "name": None, "privilege": None, "deleted_from": "A1"}
    effect = {"people": 13, "devices": 1, "commands": 39, "unconfirmed": 1, "privileged": 0}
    effect |= {"deletions": 3, "with_passwords": 1, "of_terminals": 1, "unfetched": 0}
    effect |= {"named": [stays, goes]}
    said = effect_text(effect).splitlines()
    assert said[0].endswith("Deleted from terminals: - (9) from A1 and 2 more.")
    assert said[2] == (
        "With a password that only a terminal has stated, which opens at all these terminals: "
        "1 person."
    )
    assert said[3] == "These are Al (1)."


def test_one_person_is_sent(daemon: Daemon) -> None:
    """A dry run says what would be sent; nothing sent is a failure, with the reason."""
    daemon.terminal("GIVE1")
    daemon.terminal("GIVE2")
    said(daemon.zkpush("users", "put", "51", "name=Ann"))
    to = ("--to", "GIVE1", "--to", "GIVE2")
    assert said(daemon.zkpush("users", "send", "51", *to, "--dry-run")) == (
        "GIVE1: 1 command would be sent.\nGIVE2: 1 command would be sent.\n"
    )
    assert said(daemon.zkpush("users", "send", "51", *to)) == (
        "GIVE1: 1 command is sent.\nGIVE2: 1 command is sent.\nNext: zkpush users places 51\n"
    )
    found = json.loads(said(daemon.zkpush("users", "send", "51", "--to", "GIVE1", "--json")))
    assert [one["device"] for one in found["items"]] == ["GIVE1"]
    said(daemon.zkpush("devices", "block", "GIVE2"))
    refused = daemon.zkpush("users", "send", "51", "--to", "GIVE2")
    assert failed(refused) == "GIVE2: Terminal GIVE2 is not approved; approve it first."
    assert refused.stderr.startswith("Error: User 51 is sent to no terminal.\n")
    for wrong in ((), ("--all", "--to", "GIVE1")):
        run = daemon.zkpush("users", "send", "51", *wrong)
        assert run.returncode == 2
        assert "Name terminals with --to, or give --area or --all." in run.stderr
