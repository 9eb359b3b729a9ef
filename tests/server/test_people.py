"""People, as several terminals tell of them, and who may see what (11.5, 11.9 to 11.15)."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted

from zkpush.protocol.fields import Scope
from zkpush.protocol.packets import pack, pack_plain

from ..rig import Response, Rig

TEMPLATE = base64.b64encode(b"nobody's template").decode()
OTHER = base64.b64encode(b"another, nobody's either").decode()
JPEG = b"\xff\xd8\xff\xe0 a picture of nobody"


async def upload(rig: Rig, sn: str, body: str | bytes, more: str = "") -> bytes:
    """Upload operation data as a terminal."""
    raw = body if isinstance(body, bytes) else body.encode()
    response = await rig.post(f"cdata?SN={sn}&table=OPERLOG&Stamp=1{more}", raw)
    assert response.status == 200, response.raw
    return response.body


@pytest_twisted.ensureDeferred
async def test_one_body_mixes_all_kinds_of_records(rig: Rig) -> None:
    """Operations, people, templates and photos in any order are all stored, and counted."""
    await rig.exchange("T1", language="83")
    picture = base64.b64encode(JPEG).decode()
    size = len(TEMPLATE)
    lines = [
        f"BIOPHOTO PIN=7\tFileName=7.jpg\tType=9\tSize={len(picture)}\tContent={picture}",
        f"FP PIN=7\tFID=5\tSize={size}\tValid=3\tTMP={TEMPLATE}",
        "OPLOG 30\t1\t2026-03-01 08:00:00\t7\t0\t0\t0",
        "USER PIN=7\tName=王小明\tPri=14\tPasswd=1234\tCard=[15CD5B07]\tGrp=2\t"
        "TZ=0001000200000000\tVerify=4\tViceCard=987\tStartDatetime=0\tEndDatetime=0\tExpires=0",
        f"FACE PIN=7\tFID=0\tSIZE={size}\tVALID=1\tTMP={TEMPLATE}",
        "UNHEARDOF PIN=7\tA=1",
        f"FVEIN Pin=7\tFID=2\tIndex=1\tSize={size}\tValid=1\tTmp={TEMPLATE}",
        f"USERPIC PIN=7\tFileName=7.jpg\tSize={len(picture)}\tContent={picture}",
        "OPLOG 4\t1\t842689246\t0\t0\t0\t0",
        "WORKCODE PIN=1\tCODE=17\tNAME=Night",
        "BIODATA Pin=7\tNo=0\tIndex=0\tType=9\tMajorVer=58\tMinorVer=12\tFormat=ZK\t"
        f"Tmp={TEMPLATE}",
    ]
    assert await upload(rig, "T1", "\r\n".join(lines).encode("gb18030")) == b"OK: 10"
    (user,) = await rig.items("/users?secrets=true")
    assert (user["name"], user["card"], user["vice_card"]) == ("王小明", "123456789", "987")
    assert (user["password"], user["privilege"], user["verify"]) == ("1234", 14, 4)
    assert (user["templates"], user["has_photo"]) == ({"1": 1, "2": 1, "7": 1, "9": 1}, True)
    templates = {item["type"]: item for item in await rig.items("/users/7/templates")}
    assert (templates[1]["number"], templates[1]["valid"], templates[1]["duress"]) == (5, 1, 1)
    assert (templates[9]["major_version"], templates[9]["minor_version"]) == (58, 12)
    assert templates[9]["format"] == "ZK"
    photos = await rig.items("/users/7/photos")
    assert sorted(photo["kind"] for photo in photos) == ["BIOPHOTO", "USERPIC"]
    assert {base64.b64decode(photo["content"]) for photo in photos} == {JPEG}
    operations = await rig.items("/operations")
    assert [item["time"] for item in operations] == ["2026-03-01T08:00:00", "2026-03-20T08:20:46"]
    (entry,) = await rig.items("/entries")
    assert (entry["table"], entry["fields"]) == (
        "WORKCODE",
        {"index": "1", "code": "17", "name": "Night"},
    )
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == b"UNHEARDOF PIN=7\tA=1"


@pytest_twisted.ensureDeferred
async def test_answers_to_queries_come_under_the_names_of_commands(rig: Rig) -> None:
    """USERINFO and FINGERTMP are USER and FP: as keywords, and as tables."""
    await rig.exchange("T1")
    body = f"USERINFO PIN=7\tName=Ann\nFINGERTMP PIN=7\tFID=1\tSize=99\tTMP={TEMPLATE}"
    assert await upload(rig, "T1", body.replace("99", str(len(TEMPLATE)))) == b"OK: 2"
    bare = await rig.post("cdata?SN=T1&table=USERINFO", b"PIN=8\tName=Bob")
    assert bare.body == b"OK: 1"
    users = await rig.items("/users")
    assert [(user["pin"], user["name"]) for user in users] == [("7", "Ann"), ("8", "Bob")]


@pytest_twisted.ensureDeferred
async def test_an_edit_at_a_terminal_counts_and_an_older_copy_does_not(rig: Rig) -> None:
    """A terminal that sends again what it has does not take back what another one changed."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    first, second = "USER PIN=7\tName=Ann\tCard=1", "USER PIN=7\tName=Ann Lee\tCard=1"

    async def shown() -> object:
        return (await rig.api("GET", "/users/7")).json["name"]

    await upload(rig, "T1", first)
    await upload(rig, "T2", first)
    rig.clock.advance(60)
    await upload(rig, "T2", second)
    assert await shown() == "Ann Lee"
    rig.clock.advance(60)
    assert await upload(rig, "T1", first) == b"OK: 1"  # all it has, once more
    assert await shown() == "Ann Lee"
    await rig.exchange("T3")
    await upload(rig, "T3", first)  # an older copy, on a terminal that never spoke of her
    assert await shown() == "Ann Lee"
    assert await rig.items("/conflicts") == []


@pytest_twisted.ensureDeferred
async def test_a_user_deleted_on_a_terminal_stays(rig: Rig) -> None:
    """Operation 9 is recorded, and the person and the templates are kept."""
    await rig.exchange("T1")
    await upload(rig, "T1", f"USER PIN=7\tName=Ann\nFP PIN=7\tFID=1\tTMP={TEMPLATE}")
    await upload(rig, "T1", "OPLOG 9\t1\t2026-03-01 09:00:00\t7\t0\t0\t0")
    assert [user["pin"] for user in await rig.items("/users")] == ["7"]
    assert len(await rig.items("/users/7/templates")) == 1
    (operation,) = await rig.items("/operations")
    assert (operation["meaning"], operation["values"]) == ("Delete user", {"User ID": "7"})


@pytest.mark.parametrize("packed", ["tar", "plain"])
@pytest_twisted.ensureDeferred
async def test_packets_are_stored_as_their_lines_would_be(rig: Rig, packed: str) -> None:
    """11.14: a gzipped tar, or a gzip of text, of the lines of an OPERLOG body."""
    await rig.exchange("T1")
    lines = [
        "USER PIN=1\tName=\tPri=0\tPasswd=0\tCard=89776433\tGrp=1\tTZ=0001000100000000\t"
        "Verify=-1\tViceCard=123456789",
        f"FP PIN=1\tFID=1\tSize={len(TEMPLATE)}\tValid=1\tTMP={TEMPLATE}",
        *(
            f"USER PIN={pin}\tName=\tPri=0\tPasswd=0\tCard=89776433\tGrp=1\t"
            f"TZ=0001000100000000\tVerify=-1\tViceCard={pin - 1}23456789"
            for pin in range(2, 6)
        ),
    ]
    text = "\n".join(lines).encode()
    packet = pack_plain(text) if packed == "plain" else pack([("a", text[:90]), ("b", b"")])
    if packed == "tar":
        half = "\n".join(lines[:3]).encode(), "\n".join(lines[3:]).encode()
        packet = pack([("one.txt", half[0]), ("two.txt", half[1])])
    assert await upload(rig, "T1", packet, "&ContentType=tgz") == b"OK: 6"
    users = {user["pin"]: user["vice_card"] for user in await rig.items("/users")}
    assert users == {"1": "123456789", "2": "123456789", "3": "223456789"} | {
        "4": "323456789",
        "5": "423456789",
    }
    assert len(await rig.items("/users/1/templates")) == 1


@pytest_twisted.ensureDeferred
async def test_a_bomb_is_refused_and_kept(rig: Rig) -> None:
    """A packet that expands too far is not acknowledged; its bytes and the reason are kept once."""
    await rig.exchange("T1")
    bomb = pack_plain(bytes(64 * 1024 * 1024))
    for _ in range(2):
        response = await rig.post("cdata?SN=T1&table=OPERLOG&ContentType=tgz&Stamp=7", bomb)
        assert response.status == 413
        assert b"OK" not in response.raw
    (listed,) = await rig.items("/rejects")
    reject = (await rig.api("GET", f"/rejects/{listed['id']}")).json
    assert base64.b64decode(reject["raw"]) == bomb
    assert reject["reason"].startswith("packet: ")
    assert b"OPERLOGStamp=0\n" in (await rig.exchange("T1")).body


@pytest_twisted.ensureDeferred
async def test_a_damaged_packet_is_kept_whole(rig: Rig) -> None:
    """Of a packet that is not sound to its end nothing is stored but its bytes."""
    await rig.exchange("T1")
    packet = pack([("a", b"USER PIN=1\tName=Ann\n"), ("b", b"USER PIN=2\tName=Bob\n")])
    broken = packet[:-6] + b"\0\0" + packet[-4:]
    assert await upload(rig, "T1", broken, "&ContentType=tgz") == b"OK: 0"
    assert await rig.items("/users") == []
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == broken


@pytest_twisted.async_yield_fixture
async def ask(rig: Rig):
    """Ask the API as a caller who has one of the scopes."""
    tokens = {scope.value: await rig.token(f"of-{scope.value}", scope) for scope in Scope}

    async def answer(path: str, scope: str) -> Response:
        headers = (f"Authorization: Bearer {tokens[scope]}",)
        return await rig.api("GET", path, headers=headers)

    yield answer


SECRETS = (b"passwd-7Q", TEMPLATE.encode(), base64.b64encode(JPEG), b"photo-of-the-card")


@pytest_twisted.ensureDeferred
async def test_what_is_secret_needs_the_scope_biometrics(rig: Rig, ask) -> None:
    """Passwords, templates and photos are shown to nobody who may only read."""
    await rig.exchange("T1")
    picture = base64.b64encode(JPEG).decode()
    body = (
        f"USER PIN=7\tName=Ann\tPasswd=passwd-7Q\nFP PIN=7\tFID=1\tTMP={TEMPLATE}\n"
        f"USERPIC PIN=7\tContent={picture}\nIDCARD PIN=7\tName=Ann\tPhoto=photo-of-the-card\n"
        f"FP PIN=7\tFID=passwd-7Q'x\tTMP={TEMPLATE}\nBIODATA Pin=7\tType=1\tTmp={TEMPLATE}!\n"
        f"MYSTERY PIN=7\tTMP={TEMPLATE}\nUSER Passwd=passwd-7Q\n"
        f"USERPIC PIN=8\tSize=1\tContent={picture}\n"
    )
    await upload(rig, "T1", body)
    photo = b"PIN=20260301080000-7.jpg\nSN=T1\nsize=1\nCMD=uploadphoto\0" + picture.encode()
    await rig.post("cdata?SN=T1&table=ATTPHOTO", photo)
    good = photo.replace(b"size=1", b"size=%d" % len(JPEG))
    await rig.post("cdata?SN=T1&table=ATTPHOTO", good)

    lists = ("/users", "/users/7", "/idcards", "/rejects", "/photos", "/operations", "/entries")
    for path in lists:
        reply = await ask(path, "read")
        assert reply.status == 200
        for secret in SECRETS:
            assert secret not in reply.body
    shown = (await ask("/rejects", "read")).json["items"]
    assert [item["raw"] for item in shown] == [None] * 6
    guarded = ("/users/7/templates", "/users/7/photos", "/photos/1/content")
    for path in guarded:
        assert (await ask(path, "read")).status == 403
        assert (await ask(path, "biometrics")).status == 200
    assert (await rig.items("/users?secrets=true"))[0]["password"] == "passwd-7Q"
    assert (await rig.items("/idcards"))[0]["photo"] == "photo-of-the-card"
    assert len([item for item in await rig.items("/rejects") if item["raw"]]) == 6


@pytest_twisted.ensureDeferred
async def test_users_come_as_csv(rig: Rig) -> None:
    """A list of users is also a table, in which no name is a formula."""
    await rig.exchange("T1")
    await upload(rig, "T1", "USER PIN=7\tName==1+1\tCard=5")
    headers = ("Authorization: Bearer rig-token", "Accept: text/csv")
    reply = await rig.api("GET", "/users", headers=headers)
    names, values = reply.body.decode().splitlines()
    row = dict(zip(names.split(","), values.split(","), strict=True))
    assert (row["pin"], row["name"], row["card"]) == ("7", "'=1+1", "5")


@pytest_twisted.ensureDeferred
async def test_a_template_is_kept_once_although_its_version_comes_later(rig: Rig) -> None:
    """A terminal sends fingerprints before it says the version of its algorithm, and again."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    body = f"FP PIN=7\tFID=1\tTMP={TEMPLATE}\nFP PIN=7\tFID=2\tTMP={OTHER}"
    await upload(rig, "T1", body)
    await rig.get("getrequest?SN=T1&INFO=Ver%202.0.12,1,2,0,192.0.2.9,10,7,15,0,111")
    await upload(rig, "T1", body)
    unified = (
        f"BIODATA Pin=7\tNo=1\tIndex=0\tType=1\tMajorVer=10\tMinorVer=0\tTmp={TEMPLATE}\n"
        f"FP PIN=7\tFID=1\tTMP={TEMPLATE}"
    )
    await upload(rig, "T2", unified)
    found = [
        (item["number"], item["major_version"], item["template"])
        for item in await rig.items("/users/7/templates")
    ]
    assert sorted(found) == [(1, 10, TEMPLATE), (2, 10, OTHER)]


@pytest_twisted.ensureDeferred
async def test_users_are_named_without_their_secrets(rig: Rig) -> None:
    """Only those who are known and asked for; nothing is recorded, and there is a limit."""
    await rig.exchange()
    lines = b"".join(b"USER PIN=%d\tName=N%d\tPasswd=1234\n" % (n, n) for n in (7, 8, 9))
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", lines)
    before = await rig.items("/audit")
    named = await rig.api("GET", "/names?pins=7,9,999")
    assert named.json == {
        "names": {"7": "N7", "9": "N9"},
        "left": [],
        "earlier": [],
        "erased": [],
    }
    assert await rig.items("/audit") == before
    assert (await rig.api("GET", "/names")).json["names"] == {}
    many = ",".join(map(str, range(1001)))
    assert (await rig.api("GET", f"/names?pins={many}")).status == 400
