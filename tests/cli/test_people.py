"""`zkpush users` and `zkpush conflicts`: change, import, remove and settle."""

from __future__ import annotations

import json
import pathlib

from .program import Daemon, failed, said


def user(daemon: Daemon, pin: str) -> dict[str, object]:
    """A user, as the API shows it."""
    found: dict[str, object] = json.loads(said(daemon.zkpush("users", "show", pin, "--json")))
    return found


def test_a_user_is_put_and_changed(daemon: Daemon) -> None:
    """What is not named stays; an empty value empties a field."""
    args = ("users", "put", "8801", "name=Ann Lee", "card=4711", "areas=North,South")
    assert said(daemon.zkpush(*args)) == "User 8801 is stored: Ann Lee.\n"
    said(daemon.zkpush("users", "put", "8801", "card=", "privilege=14"))
    found = user(daemon, "8801")
    assert (found["name"], found["card"], found["privilege"]) == ("Ann Lee", None, 14)
    assert found["areas"] == ["North", "South"]
    listing = said(daemon.zkpush("users", "history", "8801"))
    assert "4711" in listing
    assert "token" in listing
    message = failed(daemon.zkpush("users", "put", "8801", "privilege=3"), 2)
    assert "privilege: 3 is none of 0 (User), 2 (Registrar), 6 (Administrator)" in message
    assert "field=value" in failed(daemon.zkpush("users", "put", "8801", "name"), 2)
    assert "group" in failed(daemon.zkpush("users", "put", "8801", "group=many"), 2)


def test_a_file_is_imported(daemon: Daemon, tmp_path: pathlib.Path) -> None:
    """A wrong line keeps all of it out; a dry run says what would happen."""
    file = tmp_path / "users.csv"
    file.write_text("pin,name,privilege\n8811,Ann,0\n8812,Bob,3\n")
    run = daemon.zkpush("users", "import", str(file))
    assert run.returncode == 1
    assert "line 3, user 8812: error: privilege: 3 is none of" in run.stdout
    assert run.stdout.endswith("Not stored: 1 added, 0 changed, 0 unchanged, 0 removed, 1 wrong.\n")
    run = daemon.zkpush("users", "import", str(file), "--dry-run")
    assert run.stdout.splitlines()[-1] == (
        "Nothing would be stored before the wrong lines are corrected. Then: 1 added, 0 changed, "
        "0 unchanged, 0 removed, 1 wrong."
    )
    file.write_text("pin,name,privilege\n8811,Ann,0\n8812,Bob,14\n")
    dry = said(daemon.zkpush("users", "import", str(file), "--dry-run"))
    assert dry.endswith("Would be stored: 2 added, 0 changed, 0 unchanged, 0 removed, 0 wrong.\n")
    assert "There is no user 8811" in failed(daemon.zkpush("users", "show", "8811"))
    said(daemon.zkpush("users", "import", str(file)))
    assert user(daemon, "8812")["name"] == "Bob"


def test_a_user_is_removed_and_erased(daemon: Daemon) -> None:
    """Removed here, the terminals that have the user are named; erased, they are told."""
    terminal = daemon.terminal("PEOPLE1")
    terminal.upload("OPERLOG", "USER PIN=8821\tName=Ann\nUSER PIN=8822\tName=Bob\n")
    removed = said(daemon.zkpush("users", "delete", "8821", "--yes"))
    assert removed == (
        "User 8821 is removed.\n"
        "These terminals still have the user: PEOPLE1\n"
        "Delete there, unless their areas distribute: zkpush users delete 8821 --from SN\n"
    )
    said(daemon.zkpush("users", "delete", "8821", "--from", "PEOPLE1"))
    assert terminal.command()[1] == "DATA DELETE USERINFO PIN=8821"
    erased = said(daemon.zkpush("users", "erase", "8822", "--yes"))
    assert "Queued: 1 command that deletes the user from PEOPLE1." in erased
    terminal.upload("OPERLOG", "USER PIN=8823\tName=Cem\n")
    removed = said(daemon.zkpush("users", "delete", "8823", "--terminals", "--yes"))
    assert removed == "User 8823 is removed.\n1 terminal is told: PEOPLE1\n"


def test_a_deletion_from_a_terminal_without_the_user_is_told(daemon: Daemon) -> None:
    """The command is queued, because the terminal may hold what is not known."""
    daemon.terminal("HAS1").upload("OPERLOG", "USER PIN=8847\tName=Eve\n")
    daemon.terminal("HASNOT1")
    told = daemon.zkpush("users", "delete", "8847", "--from", "HASNOT1")
    assert said(told) == "1 command queued for HASNOT1.\n"
    assert told.stderr == "User 8847 is not known to be on HASNOT1.\n"
    assert daemon.zkpush("users", "delete", "8847", "--from", "HAS1").stderr == ""


def test_a_conflict_is_settled(daemon: Daemon) -> None:
    """Both sides are shown; one of them is kept."""
    for sn, name in (("PEOPLE2", "Ann"), ("PEOPLE3", "Eve")):
        daemon.terminal(sn).upload("OPERLOG", f"USER PIN=8831\tName={name}\n")
    (found,) = json.loads(said(daemon.zkpush("conflicts", "list", "--pin", "8831", "--json")))
    listing = said(daemon.zkpush("conflicts", "list", "--pin", "8831"))
    (head, line) = listing.splitlines()
    assert head.endswith("Terminal says")
    assert line.endswith("name=Ann (device PEOPLE2)  name=Eve (device PEOPLE3)")
    settled = daemon.zkpush("conflicts", "settle", "--keep", "terminal")
    assert f"The only conflict is {found['id']}: user 8831, " in settled.stderr
    said(settled)
    assert user(daemon, "8831")["name"] == "Eve"
    none = daemon.zkpush("conflicts", "list", "--pin", "8831")
    assert none.stderr == "No conflicts found.\n"


def test_a_conflict_is_about_one_person(daemon: Daemon) -> None:
    """The list of the terminal's people says what is to be corrected there; two people can be."""
    for sn, name in (("PEOPLE5", "Ivan Petrov"), ("PEOPLE6", "Igor Popov")):
        daemon.terminal(sn).upload("OPERLOG", f"USER PIN=8832\tName={name}\n")
    said(daemon.zkpush("conflicts", "settle", "--keep", "stored", "--one-person"))
    assert user(daemon, "8832")["name"] == "Ivan Petrov"
    assert "under the name Igor Popov" in said(daemon.zkpush("users", "places", "8832"))
    (found,) = json.loads(said(daemon.zkpush("conflicts", "punches", "--pin", "8832", "--json")))
    assert (found["owner"], found["one_person"]) == ("person", True)
    said(daemon.zkpush("conflicts", "decide", str(found["id"]), "other"))
    assert "somebody else" in said(daemon.zkpush("users", "places", "8832"))
    said(daemon.zkpush("conflicts", "decide", str(found["id"]), "person", "--one-person"))
    assert "somebody else" not in said(daemon.zkpush("users", "places", "8832"))


def test_the_user_id_of_an_erased_person_is_noted(daemon: Daemon) -> None:
    """Whose the stored punches are is said when somebody else gets it."""
    said(daemon.zkpush("users", "put", "8877", "name=Luis"))
    said(daemon.zkpush("users", "erase", "8877", "--yes"))
    run = daemon.zkpush("users", "put", "8877", "name=Pau")
    assert run.returncode == 0
    assert "was that of a person who is erased" in run.stderr


def test_punches_of_nobody_are_noted(daemon: Daemon) -> None:
    """The person who gets the user ID gets its punches; the command says so once."""
    daemon.terminal("PEOPLE4").upload("ATTLOG", "8878\t2026-03-01 08:00:00\t0\t1\n")
    run = daemon.zkpush("users", "put", "8878", "name=Pau")
    assert "Punches are stored under the user ID 8878, which nobody had here" in run.stderr
    assert "nobody had" not in daemon.zkpush("users", "put", "8878", "name=Pau Nou").stderr
    assert daemon.zkpush("users", "put", "8879", "name=Eva").stderr == ""


def test_an_import_says_which_areas_are_new(daemon: Daemon, tmp_path: pathlib.Path) -> None:
    """As `users put` does."""
    file = tmp_path / "people.csv"
    file.write_text("pin,areas\n8880,Eastend\n")
    assert "Area Eastend is new" in daemon.zkpush("users", "import", str(file)).stderr
    assert daemon.zkpush("users", "import", str(file)).stderr == ""
