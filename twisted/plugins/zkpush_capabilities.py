"""zkpush's own capabilities. Names only: their parts are imported when they are used."""

from zkpush.capability import Capability


def _capability(name: str, summary: str, requires: tuple[str, ...] = ()) -> Capability:
    return Capability(name, f"zkpush.handlers.{name}", summary, requires)


accessdata = _capability(
    "accessdata",
    "Access data of areas: time periods, groups, work codes, messages and others",
    requires=("areas",),
)
accounts = _capability("accounts", "People who sign in to the console")
areas = _capability("areas", "Areas: groups of terminals and people", requires=("people",))
audit = _capability("audit", "The audit log in the console", requires=("people",))
attendance = _capability(
    "attendance", "Attendance records and attendance photos", requires=("people",)
)
commands = _capability("commands", "Commands to terminals", requires=("people", "trace"))
completeness = _capability(
    "completeness",
    "Proof that all attendance records of terminals are stored",
    requires=("attendance",),
)
doctor = _capability(
    "doctor",
    "Checks of terminals and of the installation",
    requires=("attendance", "commands", "trace"),
)
entries = _capability("entries", "Work codes, short messages and lists on terminals")
files = _capability("files", "Files for terminals and from terminals", requires=("people",))
forward = _capability(
    "forward",
    "Forwarding of events to other programs",
    requires=("attendance",),
)
jobs = _capability("jobs", "Commands for many terminals", requires=("people",))
logs = _capability(
    "logs",
    "Operations on terminals, their errors, and identity cards",
    requires=("people",),
)
overview = _capability(
    "overview",
    "The start page of the console",
    requires=("attendance", "forward", "people"),
)
people = _capability("people", "Users, templates and photos of users")
rejects = _capability("rejects", "What terminals sent and was not understood", requires=("people",))
settings = _capability("settings", "The configuration in force", requires=("accounts",))
terminals = _capability("terminals", "Options and state of terminals", requires=("attendance",))
tokens = _capability("tokens", "Tokens of the API in the console")
trace = _capability("trace", "The last requests of terminals")
