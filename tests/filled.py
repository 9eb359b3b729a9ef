"""A daemon that holds two or more of everything the API lists."""

from __future__ import annotations

from zkpush.protocol.fields import Scope

from .rig import Rig

PICTURE = b"\xff\xd8\xff\xd9"
_LOGS = (
    "OPLOG 4\t14\t2026-01-05 08:00:00\t0\t0\t0\t0\n"
    "OPLOG 3\t0\t2026-01-05 08:00:01\t0\t55\t0\t0\n"
    "USER PIN=7\tName=Ann\tPri=14\tPasswd=1234\tCard=[15CD5B07]\tVerify=1\n"
    "USER PIN=8\tName=Bea\tPri=0\n"
    "IDCARD PIN=0\tSNNum=5\tIDNum=999999200001011239\tName=Ann\tGender=2\tNation=3\n"
    "IDCARD PIN=0\tSNNum=6\tIDNum=999999200001011247\tName=Bea\tGender=1\tNation=1\n"
    "WORKCODE CODE=1\tNAME=Assembly\n"
    "WORKCODE CODE=2\tNAME=Delivery\n"
    "BIODATA Pin=7\tNo=1\tIndex=0\tValid=1\tDuress=0\tType=1\tMajorVer=13\tFormat=ZK\tTmp=AAAA\n"
    "BIODATA Pin=7\tNo=2\tIndex=0\tValid=1\tDuress=1\tType=1\tMajorVer=13\tFormat=0\tTmp=AAAB\n"
    "USERPIC PIN=7\tFileName=7.jpg\tSize=8\tContent=/9j/2Q==\n"
    "BIOPHOTO PIN=7\tFileName=7.jpg\tType=9\tSize=8\tContent=/9j/2Q==\n"
)
_PUNCHES = (
    "7\t2026-01-05 08:00:00\t0\t1\n8\t2026-01-05 08:00:01\t1\t15\tA1\nno record\t\nnor this\n"
)
_ERRORS = (
    "ErrCode=D01E0001\tErrMsg=out of space\tDataOrigin=cmd\tCmdId=7\n"
    "ErrCode=D01E0002\tErrMsg==1+1\tDataOrigin=dev\n"
)


async def fill(rig: Rig) -> Rig:
    """Make terminals send records of all kinds, and operators do their work."""
    await rig.exchange("T2")
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", _PUNCHES.encode())
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", _LOGS.encode())
    await rig.post("cdata?SN=T1&table=ERRORLOG&Stamp=1", _ERRORS.encode())
    for name in ("20260105080000-7.jpg", "20260105080001.jpg"):
        head = f"PIN={name}\nSN=T1\nsize={len(PICTURE)}\nCMD=uploadphoto\0".encode()
        await rig.post("cdata?SN=T1&table=ATTPHOTO&Stamp=1", head + PICTURE)
    for command in ("INFO", "CHECK"):
        await rig.api("POST", "/devices/T1/commands", {"command": command})
    for name in ("firmware", "menu"):
        await rig.api("POST", f"/files?name={name}.bin", {})
        await rig.token(name, Scope.READ)
        # Where nobody listens, and nothing is sent before somebody punches.
        hook = {"name": name, "url": "https://127.0.0.1:9/"}
        await rig.api("POST", "/forwarders", hook)
    return rig
