"""Two areas with everything in them, one caller who is limited to the first, and a look at both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from sqlalchemy import insert, select

from zkpush.persist.schema import metadata
from zkpush.persist.transaction import Transaction
from zkpush.protocol.fields import Scope

from ..rig import Response, Rig

MINE, OTHER = "NORTH1", "SOUTHNEEDLE"
NEEDLES = (
    b"SOUTHNEEDLE",
    b"Needle",
    b"887766",
    b"needle-alias",
    b"Southside",
    b"99177",
    b"TkVFRExF",
    b"needle.reject",
    b"8877",
)
"""Text of the other area: serial number, names, card, alias, area, user ID, template, a reject, and
an entry."""
PEOPLE = ("99177", "99178")
"""People of the other area."""
LONG_AGO = 1_700_000_000_000
"""When earlier holders of user IDs left, in milliseconds."""


@attrs.frozen
class Planted:
    """A daemon with two areas."""

    rig: Rig
    headers: list[str]
    """Headers of a token of all scopes that is limited to the first area."""
    mine: Mapping[str, str]
    """Ids of what belongs to the first area, by the path of its route."""
    others: Mapping[str, str]
    """Ids of what belongs to the other area."""

    async def ask(self, method: str, path: str, body: object = None, *headers: str) -> Response:
        """Send a request of the limited caller."""
        return await self.rig.api(method, path, body, headers=[*self.headers, *headers])


async def plant(rig: Rig) -> Planted:
    """Fill two areas, and one person who is in both."""
    ids: dict[str, dict[str, str]] = {}
    for sn, area, pin, name, card in (
        (OTHER, "Southside", "99177", "Needlename", "887766"),
        (MINE, "North", "1", "Ann", "11"),
    ):
        await rig.api("PUT", f"/devices/{sn}", {"state": "approved", "area": area})
        await rig.exchange(sn)
        entered = await rig.api("PUT", f"/users/{pin}", {"name": f"{name}!", "areas": [area]})
        assert entered.status == 200, entered.raw
        await rig.api("PUT", "/users/5", {"name": "Both", "areas": ["North", "Southside"]})
        template = "TkVFRExF" if sn == OTHER else "b25l"
        rows = f"USER PIN={pin}\tName={name}\tCard={card}\nUSER PIN=5\tName=Both\n"
        rows += f"FP PIN={pin}\tFID=1\tSize=8\tValid=1\tTMP={template}\n"
        rows += f"OPLOG 4\t0\t2026-03-01 08:00:00\t{pin}\t0\t0\t0\n"
        await rig.post(f"cdata?SN={sn}&table=OPERLOG&Stamp=1", rows.encode())
        punch = f"{pin}\t2026-03-01 08:00:00\t0\t1\n".encode()
        await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", punch)
        photo = f"PIN=20260301080000-{pin}.jpg\nSN={sn}\nsize=3\nCMD=uploadphoto\0".encode()
        await rig.post(f"cdata?SN={sn}&table=ATTPHOTO&Stamp=1", photo + b"\xff\xd8\xff")
        await rig.post(f"cdata?SN={sn}&table=ERRORLOG&Stamp=1", b"ERRORLOG ErrCode=1\tErrMsg=x\n")
        reject = b"needle.reject\tnot a time\t0\t1\n" if sn == OTHER else b"7\tno time\t0\t1\n"
        await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=2", reject)
        body: dict[str, Any] = {
            "command": "DATA UPDATE USERINFO",
            "params": {"PIN": pin, "Name": name},
        }
        command = (await rig.api("POST", f"/devices/{sn}/commands", body)).json["id"]
        job = (await rig.api("POST", "/commands", {"command": "INFO", "devices": [sn]})).json
        run = (await rig.api("POST", "/attendance/verify", {"devices": [sn]})).json
        wanted = {"device": sn, "what": "card"}
        enrolment = (await rig.api("POST", f"/users/{pin}/enrol", wanted)).json
        await _had_before(rig, pin, f"{name}former", area)
        (earlier,) = (await rig.api("GET", f"/users/{pin}/earlier")).json["items"]
        rejects = {one["device"]: one["id"] for one in await rig.items("/rejects")}
        photos = {one["device"]: one["id"] for one in await rig.items("/photos")}
        conflicts = {one["device"]: one["id"] for one in await rig.items("/conflicts")}
        claims = {one["device"]: one["id"] for one in await rig.items("/conflicts/punches")}
        ids[sn] = {
            "/commands/{id}": command,
            "/jobs/{id}": job["id"],
            "/jobs/{id}/retry": job["id"],
            "/attendance/verify/{id}": run["id"],
            "/users/{pin}/enrol/{id}": enrolment["id"],
            "/users/{pin}/earlier/{id}": str(earlier["id"]),
            "/rejects/{id}": str(rejects[sn]),
            "/photos/{id}/content": str(photos[sn]),
            "/conflicts/{id}": str(conflicts[sn]),
            "/conflicts/punches/{id}": str(claims[sn]),
        }
    both = {"command": "INFO", "devices": [MINE, OTHER]}
    assert (await rig.api("POST", "/commands", both)).status == 202
    await rig.api("PATCH", f"/devices/{OTHER}", {"alias": "needle-alias"})
    await rig.api("PUT", "/areas/Southside", {"description": "Needle area"})
    for area, text in ("Southside", "Needle code"), ("North", "Code"):
        await rig.api("PUT", f"/areas/{area}/work-codes/10", {"name": text})
    await rig.api("PUT", "/users/99178", {"name": "Needlesecond", "areas": ["Southside"]})
    body = {"name": "north", "scopes": [scope.value for scope in Scope], "areas": ["North"]}
    made = await rig.api("POST", "/tokens", body)
    assert (made.status, made.json["areas"]) == (201, ["North"])
    return Planted(rig, [f"Authorization: Bearer {made.json['token']}"], ids[MINE], ids[OTHER])


async def _had_before(rig: Rig, pin: str, name: str, area: str) -> None:
    """Record somebody who had a user ID before the punches that are planted."""
    earlier_holders = metadata.tables["earlier_holders"]
    values = {"pin": pin, "until": LONG_AGO, "name": name, "areas": f'["{area}"]'}
    await rig.store.write(lambda tx: tx.connection.execute(insert(earlier_holders).values(values)))


async def rows_of_the_other(rig: Rig) -> dict[str, set[str]]:
    """All rows of the database that belong to the other area, by table."""

    def find(tx: Transaction) -> dict[str, set[str]]:
        found = {}
        devices = metadata.tables["devices"]
        key = tx.connection.execute(select(devices.c.id).where(devices.c.sn == OTHER)).scalar_one()
        for name, table in metadata.tables.items():
            rows = [row._asdict() for row in tx.connection.execute(select(table))]
            found[name] = {repr(row) for row in rows if _is_of_the_other(row, key)}
        return found

    return await rig.store.read(find)


def _is_of_the_other(row: Mapping[str, Any], key: int) -> bool:
    if row.get("device_id") == key or row.get("sn") == OTHER:
        return True
    return (
        row.get("pin") in PEOPLE or row.get("area") == "Southside" or row.get("name") == "Southside"
    )


def shown(text: bytes, asked: str = "") -> list[bytes]:
    """The needles in a reply, besides those that the request named."""
    return [needle for needle in NEEDLES if needle in text and needle.decode() not in asked]
