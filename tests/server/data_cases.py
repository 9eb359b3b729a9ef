"""DATA UPDATE, DATA DELETE and DATA QUERY: their lines and answers (12.1)."""

from __future__ import annotations

from zkpush.simulator.model import ATT, PID

from .command_case import DAY, IN_DAY, Case

ADA_LINE = (
    "USER PIN=14\tName=Zoë Dvořák\tPri=14\tPasswd=0815\tCard=123456789\tGrp=1\t"
    "TZ=0001000100000000\tVerify=-1\tViceCard=\n"
).encode()
UPDATES = [
    Case(
        section="12.1.1.1",
        command="DATA UPDATE USERINFO",
        params={
            "PIN": "15",
            "Name": "Bo Ek",
            "Pri": "14",
            "Passwd": "1234",
            "Card": "[15CD5B07]",
            "Grp": "1",
            "TZ": "0001000200010000",
            "Verify": "-1",
            "ViceCard": "987654321",
        },
        line="DATA UPDATE USERINFO PIN=15\tName=Bo Ek\tPri=14\tPasswd=1234\tCard=[15CD5B07]\t"
        "Grp=1\tTZ=0001000200010000\tVerify=-1\tViceCard=987654321",
    ),
    Case(
        section="12.1.1.1, Chinese",
        command="DATA UPDATE USERINFO",
        params={"PIN": "15", "Name": "王芳"},
        line=b"DATA UPDATE USERINFO PIN=15\tName=\xcd\xf5\xb7\xbc",
        model=PID,
    ),
    Case(
        section="12.1.1.2",
        command="DATA UPDATE IDCARD",
        params={
            "PIN": "14",
            "SNNum": "D4C3B2A1",
            "IDNum": "999999199003050021",
            "DNNum": "A1B2",
            "Name": "王芳",
            "Gender": "2",
            "Nation": "1",
            "Birthday": "19900305",
            "ValidInfo": "2015010120350101",
            "Address": "无名",
            "AdditionalInfo": "",
            "Issuer": "公安局",
            "Photo": "aW52",
            "FPTemplate1": "ZW50",
            "FPTemplate2": "ZWQ=",
            "Reserve": "",
            "Notice": "",
        },
        line="DATA UPDATE IDCARD PIN=14\tSNNum=D4C3B2A1\tIDNum=999999199003050021\tDNNum=A1B2\t"
        "Name=王芳\tGender=2\tNation=1\tBirthday=19900305\tValidInfo=2015010120350101\t"
        "Address=无名\tAdditionalInfo=\tIssuer=公安局\tPhoto=aW52\tFPTemplate1=ZW50\t"
        "FPTemplate2=ZWQ=\tReserve=\tNotice=",
        model=PID,
    ),
    Case(
        section="12.1.1.3",
        command="DATA UPDATE FINGERTMP",
        params={"PIN": "14", "FID": "3", "Valid": "3", "TMP": "aW52ZW50ZWQ="},
        line="DATA UPDATE FINGERTMP PIN=14\tFID=3\tSize=12\tValid=3\tTMP=aW52ZW50ZWQ=",
    ),
    Case(
        section="12.1.1.3, size",
        command="RAW",
        params={"line": "DATA UPDATE FINGERTMP PIN=14\tFID=3\tSize=99\tValid=1\tTMP=aW52ZW50ZWQ="},
        line="DATA UPDATE FINGERTMP PIN=14\tFID=3\tSize=99\tValid=1\tTMP=aW52ZW50ZWQ=",
        answer="ID={id}&Return=-9&CMD=DATA\n",
        state="failed",
        code=-9,
        meaning="The transmitted template data does not match the given size",
    ),
    Case(
        section="12.1.1.4",
        command="DATA UPDATE FACE",
        params={"PIN": "14", "FID": "1", "Valid": "1", "TMP": "AAAAAAAAAAAAAAAAAAAAAGludmVudGVk"},
        line="DATA UPDATE FACE PIN=14\tFID=1\tValid=1\tSize=32\t"
        "TMP=AAAAAAAAAAAAAAAAAAAAAGludmVudGVk",
    ),
    Case(
        section="12.1.1.5",
        command="DATA UPDATE FVEIN",
        params={"Pin": "14", "FID": "9", "Index": "2", "Valid": "1", "Tmp": "aW52ZW50ZWQ="},
        line="DATA UPDATE FVEIN Pin=14\tFID=9\tIndex=2\tValid=1\tSize=12\tTmp=aW52ZW50ZWQ=",
    ),
    Case(
        section="12.1.1.6",
        command="DATA UPDATE BIODATA",
        params={
            "Pin": "14",
            "No": "0",
            "Index": "0",
            "Valid": "1",
            "Duress": "0",
            "Type": "9",
            "MajorVer": "58",
            "MinorVer": "12",
            "Format": "0",
            "Tmp": "aW52ZW50ZWQ=",
        },
        line="DATA UPDATE BIODATA Pin=14\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=58\t"
        "MinorVer=12\tFormat=0\tTmp=aW52ZW50ZWQ=",
    ),
    Case(
        section="12.1.1.7",
        command="DATA UPDATE USERPIC",
        params={"PIN": "14", "Content": "/9j/CgDZ"},
        line="DATA UPDATE USERPIC PIN=14\tSize=8\tContent=/9j/CgDZ",
    ),
    Case(
        section="12.1.1.8",
        command="DATA UPDATE BIOPHOTO",
        params={
            "PIN": "14",
            "Type": "9",
            "Content": "/9j/CgDZ",
            "Format": "0",
            "PostBackTmpFlag": "0",
        },
        line="DATA UPDATE BIOPHOTO PIN=14\tType=9\tSize=8\tContent=/9j/CgDZ\tFormat=0\t"
        "PostBackTmpFlag=0",
    ),
    Case(
        section="12.1.1.9",
        command="DATA UPDATE SMS",
        params={
            "MSG": "Fire drill",
            "TAG": "253",
            "UID": "2",
            "MIN": "60",
            "StartTime": "2026-03-01 12:00:00",
        },
        line="DATA UPDATE SMS MSG=Fire drill\tTAG=253\tUID=2\tMIN=60\t"
        "StartTime=2026-03-01 12:00:00",
    ),
    Case(
        section="12.1.1.10",
        command="DATA UPDATE USER_SMS",
        params={"PIN": "14", "UID": "1"},
        line="DATA UPDATE USER_SMS PIN=14\tUID=1",
    ),
    Case(
        section="12.1.1.11",
        command="DATA UPDATE ADPIC",
        params={"Index": "1", "Size": "8", "Extension": "jpg", "Content": "/9j/CgDZ"},
        line="DATA UPDATE ADPIC Index=1\tSize=8\tExtension=jpg\tContent=/9j/CgDZ",
    ),
    Case(
        section="12.1.1.11, 2.4.2",
        command="DATA UPDATE WALLPAPER",
        params={"Index": "1", "Size": "8", "Extension": "jpg", "Content": "/9j/CgDZ"},
        line="DATA UPDATE WALLPAPER Index=1\tSize=8\tExtension=jpg\tContent=/9j/CgDZ",
    ),
    Case(
        section="12.1.1.12",
        command="DATA UPDATE WORKCODE",
        params={"PIN": "2", "CODE": "20", "NAME": "Delivery"},
        line="DATA UPDATE WORKCODE PIN=2\tCODE=20\tNAME=Delivery",
    ),
    Case(
        section="12.1.1.13",
        command="DATA UPDATE ShortcutKey",
        params={
            "KeyID": "1",
            "KeyFun": "1",
            "StatusCode": "0",
            "ShowName": "In",
            "AutoState": "1",
            "AutoTime": "08:00;09:00;10:00;11:00;12:00;13:00;14:00",
            "Sun": "0",
            "Mon": "1",
            "Tue": "1",
            "Wed": "1",
            "Thu": "1",
            "Fri": "1",
            "Sat": "0",
        },
        line="DATA UPDATE ShortcutKey KeyID=1\tKeyFun=1\tStatusCode=0\tShowName=In\tAutoState=1\t"
        "AutoTime=08:00;09:00;10:00;11:00;12:00;13:00;14:00\tSun=0\tMon=1\tTue=1\tWed=1\tThu=1\t"
        "Fri=1\tSat=0",
    ),
    Case(
        section="12.1.1.14",
        command="DATA UPDATE AccGroup",
        params={"ID": "1", "Verify": "0", "ValidHoliday": "1", "TZ": "1;1;0;0"},
        line="DATA UPDATE AccGroup ID=1\tVerify=0\tValidHoliday=1\tTZ=1;1;0;0",
    ),
    Case(
        section="12.1.1.15",
        command="DATA UPDATE AccTimeZone",
        params={
            "UID": "1",
            "SunStart": "0000",
            "SunEnd": "0001",
            "MonStart": "0800",
            "MonEnd": "1801",
            "TuesStart": "0800",
            "TuesEnd": "1802",
            "WedStart": "0800",
            "WedEnd": "1803",
            "ThursStart": "0800",
            "ThursEnd": "1804",
            "FriStart": "0800",
            "FriEnd": "1805",
            "SatStart": "0000",
            "SatEnd": "2359",
        },
        line="DATA UPDATE AccTimeZone UID=1\tSunStart=0000\tSunEnd=0001\tMonStart=0800\t"
        "MonEnd=1801\tTuesStart=0800\tTuesEnd=1802\tWedStart=0800\tWedEnd=1803\tThursStart=0800\t"
        "ThursEnd=1804\tFriStart=0800\tFriEnd=1805\tSatStart=0000\tSatEnd=2359",
    ),
    Case(
        section="12.1.1.16",
        command="DATA UPDATE AccHoliday",
        params={
            "UID": "1",
            "HolidayName": "Harvest",
            "StartDate": "1123",
            "EndDate": "1125",
            "TimeZone": "1",
        },
        line="DATA UPDATE AccHoliday UID=1\tHolidayName=Harvest\tStartDate=1123\tEndDate=1125\t"
        "TimeZone=1",
    ),
    Case(
        section="12.1.1.17",
        command="DATA UPDATE AccUnLockComb",
        params={
            "UID": "1",
            "Group1": "1",
            "Group2": "2",
            "Group3": "0",
            "Group4": "0",
            "Group5": "0",
        },
        line="DATA UPDATE AccUnLockComb UID=1\tGroup1=1\tGroup2=2\tGroup3=0\tGroup4=0\tGroup5=0",
    ),
    Case(
        section="12.1.1.18",
        command="DATA UPDATE Blacklist",
        params={"IDNum": "999999199003050021"},
        line="DATA UPDATE Blacklist IDNum=999999199003050021",
    ),
    Case(
        section="12.1.1.18, a model without identity cards",
        command="DATA UPDATE Blacklist",
        params={"IDNum": "999999199003050021"},
        line="DATA UPDATE Blacklist IDNum=999999199003050021",
        answer="ID={id}&Return=-1002&CMD=DATA\n",
        state="failed",
        code=-1002,
        meaning="Not supported by the equipment",
        model=ATT,
    ),
    Case(
        section="12.1.1.18, 2.4.2",
        command="DATA UPDATE WHITELIST",
        params={"IDNum": "999999199003050021", "Name": "Ann"},
        line="DATA UPDATE WHITELIST IDNum=999999199003050021\tName=Ann",
    ),
]
DELETES = [
    Case(
        section="12.1.2.1",
        command="DATA DELETE USERINFO",
        params={"PIN": "14"},
        line="DATA DELETE USERINFO PIN=14",
    ),
    Case(
        section="12.1.2.1, nobody",
        command="DATA DELETE USERINFO",
        params={"PIN": "99"},
        line="DATA DELETE USERINFO PIN=99",
        answer="ID={id}&Return=-10&CMD=DATA\n",
        state="failed",
        code=-10,
        meaning="The user specified by PIN does not exist in the equipment",
    ),
    Case(
        section="12.1.2.2",
        command="DATA DELETE FINGERTMP",
        params={"PIN": "14"},
        line="DATA DELETE FINGERTMP PIN=14",
    ),
    Case(
        section="12.1.2.2, one finger",
        command="DATA DELETE FINGERTMP",
        params={"PIN": "14", "FID": "6"},
        line="DATA DELETE FINGERTMP PIN=14\tFID=6",
    ),
    Case(
        section="12.1.2.3",
        command="DATA DELETE FACE",
        params={"PIN": "14"},
        line="DATA DELETE FACE PIN=14",
    ),
    Case(
        section="12.1.2.4",
        command="DATA DELETE FVEIN",
        params={"Pin": "14", "FID": "7"},
        line="DATA DELETE FVEIN Pin=14\tFID=7",
    ),
    Case(
        section="12.1.2.5",
        command="DATA DELETE BIODATA",
        params={"Pin": "14", "Type": "8", "No": "1"},
        line="DATA DELETE BIODATA Pin=14\tType=8\tNo=1",
    ),
    Case(
        section="12.1.2.6",
        command="DATA DELETE USERPIC",
        params={"PIN": "14"},
        line="DATA DELETE USERPIC PIN=14",
    ),
    Case(
        section="12.1.2.7",
        command="DATA DELETE BIOPHOTO",
        params={"PIN": "14"},
        line="DATA DELETE BIOPHOTO PIN=14",
    ),
    Case(
        section="12.1.2.8",
        command="DATA DELETE SMS",
        params={"UID": "1"},
        line="DATA DELETE SMS UID=1",
    ),
    Case(
        section="12.1.2.9",
        command="DATA DELETE WORKCODE",
        params={"CODE": "10"},
        line="DATA DELETE WORKCODE CODE=10",
    ),
    Case(
        section="12.1.2.10",
        command="DATA DELETE ADPIC",
        params={"Index": "1"},
        line="DATA DELETE ADPIC Index=1",
    ),
]
QUERIES = [
    Case(
        section="12.1.3, attendance",
        command="DATA QUERY ATTLOG",
        params=DAY,
        line=f"DATA QUERY ATTLOG {IN_DAY}",
        uploads=(b"14\t2026-03-01 12:00:00\t0\t15\t0\t0\t0\n",),
        result={"records": "1"},
    ),
    Case(
        section="12.1.3, photos",
        command="DATA QUERY ATTPHOTO",
        params=DAY,
        line=f"DATA QUERY ATTPHOTO {IN_DAY}",
        uploads=(
            b"PIN=20260301120000-14.jpg\nSN=SIM1\nsize=6\nCMD=uploadphoto\0\xff\xd8\xff\n\0\xd9",
        ),
        result={"records": "1"},
    ),
    Case(
        section="12.1.3, user",
        command="DATA QUERY USERINFO",
        params={"PIN": "14"},
        line="DATA QUERY USERINFO PIN=14",
        uploads=(ADA_LINE,),
        result={"records": "1"},
    ),
    Case(
        section="12.1.3, fingerprint",
        command="DATA QUERY FINGERTMP",
        params={"PIN": "14", "FingerID": "6"},
        line="DATA QUERY FINGERTMP PIN=14\tFingerID=6",
        uploads=(
            b"BIODATA Pin=14\tNo=6\tIndex=0\tValid=1\tDuress=0\tType=1\tMajorVer=10\tMinorVer=0\t"
            b"Format=0\tTmp=aW52ZW50ZWQ=\n",
        ),
        result={"records": "1"},
    ),
    Case(
        section="12.1.3, unified template",
        command="DATA QUERY BIODATA",
        params={"Type": "8", "PIN": "14", "No": "1"},
        line="DATA QUERY BIODATA Type=8\tPIN=14\tNo=1",
        uploads=(
            b"BIODATA Pin=14\tNo=1\tIndex=0\tValid=1\tDuress=0\tType=8\tMajorVer=1\tMinorVer=0\t"
            b"Format=0\tTmp=aW52ZW50ZWQ=\n",
        ),
        result={"records": "1"},
    ),
    Case(
        section="12.1.3, nothing",
        command="DATA QUERY ATTLOG",
        params={"StartTime": "2020-01-01 00:00:00", "EndTime": "2020-12-31 23:59:59"},
        line="DATA QUERY ATTLOG StartTime=2020-01-01 00:00:00\tEndTime=2020-12-31 23:59:59",
        result={"records": "0"},
    ),
]
DATA_CASES = [*UPDATES, *DELETES, *QUERIES]
