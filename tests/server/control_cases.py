"""Commands on the terminal itself: their lines and answers (12.2 to 12.8)."""

from __future__ import annotations

import gzip
from typing import Any

from .command_case import DAY, IN_DAY, Case

FIRMWARE = b"firm\0ware\xff\n"
FIRMWARE_MD5 = "c737099729170c648e1d20be24d7dbde"
FIRMWARE_MD5 = "c737099729170c648e1d20be24d7dbde"
PACKAGE = gzip.compress(
    b"C:1:DATA UPDATE USERINFO PIN=21\tName=Bo\nC:2:DATA UPDATE USERINFO PIN=22\tName=Cy\n", mtime=0
)
OPTIONS = """\
~DeviceName=SIM-100 att
~SerialNumber=SIM1
FirmVer=Ver 8.0.4.7-20240115
~OEMVendor=SIMULATED CO., LTD.
FingerFunOn=1
FaceFunOn=1
UserCount=1
TransactionCount=1
VisilightFun=1
MultiBioDataSupport=0:1:1:0:0:0:0:1:1:1
MultiBioPhotoSupport=0:0:0:0:0:0:0:0:0:1
MultiBioVersion=0:10:7:0:0:0:0:3:1:58.12
MaxMultiBioDataCount=0:10000:3000:0:0:0:0:3000:3000:6000
MaxMultiBioPhotoCount=0:0:0:0:0:0:0:0:0:6000
MultiBioDataCount=0:1:1:0:0:0:0:1:1:1
MultiBioPhotoCount=0:0:0:0:0:0:0:0:0:1
"""


def plain(section: str, name: str, said: str | None = None, **more: Any) -> Case:
    """A command without parameters, answered in one line."""
    answer = f"ID={{id}}&Return=0&CMD={said or name}\n"
    return Case(section=section, command=name, line=name, answer=answer, **more)


CONTROL_CASES = [
    plain("12.2.1", "CLEAR LOG", "CLEAR_LOG"),
    plain("12.2.2", "CLEAR PHOTO", "CLEAR_PHOTO"),
    plain("12.2.3", "CLEAR DATA", "CLEAR_DATA"),
    plain("12.2.4", "CLEAR BIODATA", "CLEAR_BIODATA"),
    plain("12.2, 2.4.2", "CLEAR ALL USERINFO"),
    plain("12.3.1", "CHECK"),
    plain("12.3.2", "LOG"),
    Case(
        section="12.3.3",
        command="VERIFY SUM ATTLOG",
        params=DAY,
        line=f"VERIFY SUM ATTLOG {IN_DAY}",
        answer="ID={id}&Return=0&CMD=VERIFY SUM&StartTime=2026-03-01 00:00:00&"
        "EndTime=2026-03-01 23:59:59&AttlogSum=1\n",
        result={**DAY, "AttlogSum": "1", "stored": "1", "agrees": "yes"},
    ),
    Case(
        section="12.4.1",
        command="SET OPTION",
        params={"key": "VOLUME", "value": "80"},
        line="SET OPTION VOLUME=80",
        answer="ID={id}&Return=0&CMD=SET OPTION\n",
    ),
    plain("12.4.2", "RELOAD OPTIONS"),
    Case(
        section="12.4.2",
        command="GET OPTION FROM",
        params={"key": "FingerFunOn"},
        line="GET OPTION FROM FingerFunOn",
        answer="ID={id}&Return=0&CMD=GET OPTION FROM&FingerFunOn=1\n",
        result={"FingerFunOn": "1"},
    ),
    Case(
        section="12",
        command="RAW",
        params={"line": "SET OPTION VOLUME=70"},
        line="SET OPTION VOLUME=70",
        answer="ID={id}&Return=0&CMD=SET OPTION\n",
    ),
    Case(
        section="12.4.3",
        command="INFO",
        line="INFO",
        answer="ID={id}&Return=0&CMD=INFO\n" + OPTIONS,
        result=dict(line.split("=", 1) for line in OPTIONS.splitlines()),
    ),
    Case(
        section="12.5.1",
        command="GetFile",
        params={"path": "/mnt/mtdblock/data/extlog.dat"},
        line="GetFile /mnt/mtdblock/data/extlog.dat",
        answer=b"ID={id}\nSN=SIM1\nFILENAME=/mnt/mtdblock/data/extlog.dat\nCMD=GetFile\nReturn=70\n"
        b"Content=\x89PNG\r\n\x1a\n\0\nID=1&Return=0&CMD=DATA\nContent=\r\n\nID=2\nReturn=-1\n"
        b"CMD=LOG\n\xff\xfe\0",
        code=70,
        meaning=None,
        result={
            "SN": "SIM1",
            "FILENAME": "/mnt/mtdblock/data/extlog.dat",
            "file": "1",
            "size": "70",
        },
    ),
    Case(
        section="12.5.1, no such file",
        command="GetFile",
        params={"path": "/etc/shadow"},
        line="GetFile /etc/shadow",
        answer="ID={id}\nCMD=GetFile\nReturn=-3\n",
        state="failed",
        code=-3,
        meaning="Reading or writing is incorrect",
    ),
    Case(
        section="12.5.2, function 1",
        command="PutFile",
        params={"url": "file/1/ssruser.dat", "path": "/mnt/mtdblock/ssruser.dat"},
        line="PutFile file/SECRET/ssruser.dat\t/mnt/mtdblock/ssruser.dat",
        answer="ID={id}\nReturn=11\nCMD=PutFile\n",
        code=11,
        meaning=None,
        file=("ssruser.dat", FIRMWARE),
    ),
    Case(
        section="12.5.2, function 2, SyncData",
        command="PutFile",
        params={"Action": "SyncData", "TableName": "USERINFO"},
        line="PutFile file/SECRET/userinfo.tgz\tuserinfo.tgz\tAction=SyncData\tTableName=USERINFO\t"
        "RecordCount=1",
        answer="ID={id}\nReturn=1\nCMD=PutFile\n",
        code=1,
        meaning=None,
    ),
    Case(
        section="12.5.2, function 2, AppendData",
        command="PutFile",
        params={"url": "file/1/more.tgz", "path": "more.tgz", "Action": "AppendData"},
        line="PutFile file/SECRET/more.tgz\tmore.tgz\tAction=AppendData",
        answer=f"ID={{id}}\nReturn={len(PACKAGE)}\nCMD=PutFile\n",
        code=len(PACKAGE),
        meaning=None,
        file=("more.tgz", PACKAGE),
    ),
    Case(
        section="12.6.1",
        command="ENROLL_FP",
        params={"PIN": "14", "FID": "3", "RETRY": "3", "OVERWRITE": "0"},
        line="ENROLL_FP PIN=14\tFID=3\tRETRY=3\tOVERWRITE=0",
        answer="ID={id}&Return=0&CMD=ENROLL_FP\n",
        begins=(
            b"OPLOG 6\t1\t2026-03-01 12:00:00\t14\t3\t664\t0\n",
            b"BIODATA Pin=14\tNo=3\tIndex=0\tValid=1\tDuress=0\tType=1\tMajorVer=10\tMinorVer=0\t"
            b"Format=0\tTmp=",
            b"MultiBioDataCount=0:2:1:0:0:0:0:1:1:1",
        ),
    ),
    Case(
        section="12.6.1, enrolled already",
        command="ENROLL_FP",
        params={"PIN": "14", "FID": "6", "RETRY": "3", "OVERWRITE": "0"},
        line="ENROLL_FP PIN=14\tFID=6\tRETRY=3\tOVERWRITE=0",
        answer="ID={id}&Return=2&CMD=ENROLL_FP\n",
        state="failed",
        code=2,
        meaning="Fingerprints of the user already exist",
    ),
    Case(
        section="12.6.2",
        command="ENROLL_MF",
        params={"PIN": "14", "RETRY": "3"},
        line="ENROLL_MF PIN=14\tRETRY=3",
        answer="ID={id}&Return=0&CMD=ENROLL_MF\n",
        begins=(
            b"OPLOG 15\t1\t2026-03-01 12:00:00\t14\t0\t0\t0\n"
            + "USER PIN=14\tName=Zoë Dvořák\tPri=14\tPasswd=0815\tCard=".encode(),
        ),
    ),
    Case(
        section="12.6.2, nobody",
        command="ENROLL_MF",
        params={"PIN": "99", "RETRY": "3"},
        line="ENROLL_MF PIN=99\tRETRY=3",
        answer="ID={id}&Return=-10&CMD=ENROLL_MF\n",
        state="failed",
        code=-10,
        meaning="The user specified by PIN does not exist in the equipment",
    ),
    Case(
        section="12.6.3",
        command="ENROLL_BIO",
        params={"TYPE": "9", "PIN": "14", "CardNo": "7", "RETRY": "1", "OVERWRITE": "1"},
        line="ENROLL_BIO TYPE=9\tPIN=14\tCardNo=7\tRETRY=1\tOVERWRITE=1",
        answer="ID={id}&Return=0&CMD=ENROLL_BIO\n",
        begins=(
            b"OPLOG 101\t1\t2026-03-01 12:00:00\t14\t0\t684\t0\n"
            + "USER PIN=14\tName=Zoë Dvořák\tPri=14\tPasswd=0815\tCard=7\tGrp=1\t".encode(),
            b"BIODATA Pin=14\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=58\tMinorVer=12\t"
            b"Format=0\tTmp=",
        ),
    ),
    Case(
        section="12.6.3, no such sensor",
        command="ENROLL_BIO",
        params={"TYPE": "4", "PIN": "14", "CardNo": "7", "RETRY": "1", "OVERWRITE": "1"},
        line="ENROLL_BIO TYPE=4\tPIN=14\tCardNo=7\tRETRY=1\tOVERWRITE=1",
        answer="ID={id}&Return=-1002&CMD=ENROLL_BIO\n",
        state="failed",
        code=-1002,
        meaning="Not supported by the equipment",
    ),
    plain("12.7.1", "REBOOT"),
    plain("12.7.2", "AC_UNLOCK"),
    plain("12.7.3", "AC_UNALARM"),
    Case(
        section="12.8.1",
        command="SHELL",
        params={"command": "ls /mnt/mtdblock"},
        line="SHELL ls /mnt/mtdblock",
        answer="ID={id}\nSN=SIM1\nReturn=0\nCMD=Shell\nFILENAME=shellout.txt\n"
        "Content=data\noptions.cfg\nserial.txt\n",
        result={
            "SN": "SIM1",
            "FILENAME": "shellout.txt",
            "Content": "data\noptions.cfg\nserial.txt\n",
        },
    ),
    Case(
        section="12.8.2, method 1",
        command="UPGRADE",
        params={"file": "1", "form": "1"},
        line=f"UPGRADE checksum={FIRMWARE_MD5},url=file/SECRET/emfw.cfg,size=11",
        answer="ID={id}&Return=0&CMD=UPGRADE\n",
        file=("main.fw", FIRMWARE),
    ),
    Case(
        section="12.8.2, method 2",
        command="UPGRADE",
        params={"file": "1", "form": "2"},
        line=f"UPGRADE type=1,checksum={FIRMWARE_MD5},size=11,url=file/SECRET/emfw.cfg",
        answer="ID={id}&Return=0&CMD=UPGRADE\n",
        file=("main.fw", FIRMWARE),
    ),
]
