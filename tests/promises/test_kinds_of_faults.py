"""Several kinds of faults in one upload are each told, with their own number."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.protocol.faultkinds import FURTHER, MOST_KINDS, FaultKinds
from zkpush.protocol.fields import Scope
from zkpush.protocol.rejects import MOST_REJECTS

from ..rig import Rig

TIME = "Time: 'not-a-time' is not a time of the form YYYY-MM-DD HH:MM:SS"
COLUMNS = (
    "there are too few columns in this line; a record needs at least Pin and Time, and a TAB "
    "between them"
)
BODY = b"8\tnot-a-time\t0\t1\n9;2026-03-01\n9\tnor-this\t0\t1\n"


def test_few_different_faults_are_named_each() -> None:
    """A number counts equal ones only, whether they come one by one or in a reason."""
    faults = FaultKinds()
    for reason in ("A: 'x' is no y", "B is missing", "A: 'z' is no y", "B is missing"):
        faults.add(reason)
    assert [*faults] == [("A: 'x' is no y", 1), ("B is missing", 2), ("A: 'z' is no y", 1)]
    assert [*FaultKinds(faults.reason or "")] == [*faults]


def test_faults_of_a_kind_differ_in_values_only() -> None:
    """The first instance stands for the kind; what is beyond the named kinds is counted."""
    faults = FaultKinds()
    others = [f"A: {one} is no y" for one in (7, "'it\\'s'", 8)]
    reasons = ["A: 'x' is no y", "B is missing", *others]
    for reason in reasons:
        faults.add(reason)
    assert [*faults] == [("A: 'x' is no y", 4), ("B is missing", 1)]
    for name in "CDEFG":
        faults.add(f"{name} is missing", 2)
    assert len([*faults]) == MOST_KINDS + 1
    assert [*faults][-1] == (FURTHER, 6)
    again = FaultKinds(faults.reason or "")
    assert [*again] == [*faults]
    assert FaultKinds().reason is None


@pytest_twisted.ensureDeferred
async def test_each_kind_of_fault_of_an_upload_has_its_number(rig: Rig) -> None:
    """In the reject, the problem and the doctor, also after reading it again."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=ATTLOG", BODY)
    other = TIME.replace("not-a-time", "nor-this")
    reasons = {
        f"{TIME}; and also: {COLUMNS}; and also: {other}",
        f"{TIME}; and also: {other}; and also: {COLUMNS}",
    }
    public = f"Time: not understood (2 times); and also: {COLUMNS}"
    detail = (
        "1 upload that was not understood is kept, with several faults: 2 of ATTLOG: its time "
        "cannot be read; 1 of ATTLOG: "
        f"a line that is no record ({COLUMNS})."
    )
    headers = [f"Authorization: Bearer {await rig.token('clerk', Scope.READ, Scope.WRITE)}"]
    for _ in range(2):
        (reject,) = await rig.items("/rejects")
        assert reject["reason"] in reasons
        shown = (await rig.api("GET", "/rejects", headers=headers)).json["items"][0]["reason"]
        assert shown == f"{public}; a token with the scope `biometrics` shows why"
        (problem,) = await rig.items("/problems?device=T1")
        assert problem["detail"] == detail
        assert "the date format" in problem["advice"]
        assert "something in front" in problem["advice"]
        checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
        assert [one["detail"] for one in checks if one["name"] == "rejects"] == [detail]
        assert (await rig.api("POST", "/rejects/retry", {})).json["kept"] == 1


@pytest_twisted.ensureDeferred
async def test_numbers_of_kinds_add_up_over_rejects(rig: Rig) -> None:
    """Those of lines that were kept one by one, as well."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=ATTLOG", BODY)
    await rig.post("cdata?SN=T1&table=ATTLOG", b"1\t2026-03-01 08:00:00\t0\t1\n2\tnow\t0\t1\n")
    await rig.api("POST", "/rejects/retry", {})
    (problem,) = await rig.items("/problems?device=T1")
    assert problem["detail"].startswith(
        "2 uploads that were not understood are kept, with several faults, the newest first: 3 of "
        "ATTLOG: its time cannot "
        "be read; 1 of ATTLOG: a line that is no record"
    )


@pytest.mark.parametrize("lines", [MOST_REJECTS + 1, MOST_REJECTS + 9])
@pytest_twisted.ensureDeferred
async def test_kinds_of_many_faults_add_up(rig: Rig, lines: int) -> None:
    """Lines that are only counted are further parts."""
    await rig.exchange()
    body = b"".join(b"%d\tnone of these days\t0\t1\t0\t0\t0\n" % one for one in range(lines))
    await rig.post("cdata?SN=T1&table=ATTLOG", body + b"5;none\n")
    for _ in range(2):
        (reject,) = await rig.items("/rejects")
        found = dict(FaultKinds(reject["reason"]))
        assert sum(found.values()) == lines + 1
        first, *_ = found
        assert first.startswith("Time: ")
        assert found[first] >= MOST_REJECTS
        await rig.api("POST", "/rejects/retry", {})
