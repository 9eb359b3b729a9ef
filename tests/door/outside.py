"""Attacks that read or write what is outside."""

from __future__ import annotations

import urllib.parse

from .attack import Attack, Canaries, named, request, upload


def traversal(canaries: Canaries) -> list[Attack]:
    """Paths and URLs that are none of ours, in every place that takes one."""
    file = f"{canaries.folder}/secret.txt"
    up = "../" * 12
    wishes = [
        up + "etc/passwd",
        up.rstrip("/") + file,
        file,
        "file://" + file,
        "file:" + file,
        "FILE:///etc/passwd",
        up.replace("/", "\\") + "windows\\win.ini",
        "..\\" * 6 + "etc\\passwd",
        "....//" * 8 + "etc/passwd",
        "..;/" * 8 + "etc/passwd",
        "%2e%2e%2f" * 8 + "etc%2fpasswd",
        "%252e%252e%252f" * 8 + "etc%252fpasswd",
        "%c0%ae%c0%ae%c0%af" * 8 + "etc/passwd",
        "%uff0e%uff0e/" * 8 + "etc/passwd",
        "Li4vLi4vLi4vLi4vLi4vLi4vZXRjL3Bhc3N3ZA==",
        "\\\\127.0.0.1\\share\\secret.txt",
        "//127.0.0.1/share/secret.txt",
        "file/1/../../../../../.." + file,
        "file/1/..%2f..%2f..%2f..%2f.." + file,
        "file/1/emfw.cfg%00.jpg",
        "file/0/x",
        "file/-1/x",
        "file/1/x?y",
        "file/9999999999999999999999/x",
        f"http://127.0.0.1:{canaries.port}/",
        f"http://127.0.0.1:{canaries.port}/iclock/file/1/x",
        "http://169.254.169.254/latest/meta-data/",
        f"gopher://127.0.0.1:{canaries.port}/_x",
        "/proc/self/environ",
        "/proc/self/cwd/key",
        "key",
        "admin.token",
        "zkpush.sqlite",
        "php://filter/resource=/etc/passwd",
        "",
    ]
    attacks = []
    for number, wish in enumerate(wishes):
        for place, target in {
            "url of T1": f"/iclock/file?SN=T1&url={wish}",
            "url of nobody": f"/iclock/file?url={wish}",
            "url, quoted": f"/iclock/file?SN=T1&url={urllib.parse.quote(wish, safe='')}",
            "under file": f"/iclock/file/{wish}",
            "under iclock": f"/iclock/{wish}",
            "at the root": f"/{wish}",
            "above": f"/iclock/../{wish}",
        }.items():
            attacks.append(Attack(f"{place}, {number}: {wish[:40]}", request(target)))
    return attacks


EXPOSED = named(
    (f"{path!r}", request(path))
    for path in (
        *(
            "/",
            "/iclock",
            "/iclock/",
            "/zkpush.sqlite",
            "/zkpush.sqlite-wal",
            "/key",
            "/iclock/key",
        ),
        *("/admin.token", "/run.json", "/backup", "/files/backup/", "/iclock/backup.zip"),
        *("/.git/config", "/.env", "/iclock/../key", "/iclock/%2e%2e/key", "/iclock/..%2fkey"),
        *("/api/v1/devices", "/iclock/../api/v1/devices", "/health", "/metrics", "/console"),
        *("/iclock/cdata/../../key", "/iclock/file/..", "/server-status", "/WEB-INF/web.xml"),
        *("/iclock/devices", "/iclock/data", "/iclock/accounts/login/", "/phpmyadmin/"),
        "/iclock/file?SN=win&url=/../../../../../../windows/win.ini",
    )
)
"""What products of this kind have shown to everyone."""


# Writing what is outside.

_NAMES = (
    "../../../canary/x.jpg",
    "/tmp/canary-x.jpg",  # noqa: S108 - nothing is to be made of it
    "C:\\windows\\x.jpg",
    "..\\..\\x.jpg",
    "..%2f..%2fx.jpg",
    "x.jpg%00.txt",
    "con.jpg",
    "." * 200,
    "a" * 3000,
    "%2e%2e%2fkey",
    "key",
    "admin.token",
)


def _photo(name: str) -> bytes:
    return f"PIN={name}\nSN=T1\nsize=4\nCMD=uploadphoto".encode() + b"\0\xff\xd8\xff\xd9"


WRITING = [
    *named(
        (
            (f"photo {name[:30]!r} in the arguments", raw)
            for name in _NAMES
            for raw in (
                request(
                    f"/iclock/fdata?SN=T1&PIN={name}&PhotoStamp=1", method="POST", body=b"\xff\xd8"
                ),
            )
        ),
        refused=False,
    ),
    *named(
        ((f"photo {name[:30]!r} in the body", upload("ATTPHOTO", _photo(name))) for name in _NAMES),
        refused=False,
    ),
    *named(
        (
            (
                f"picture of {name[:30]!r}",
                upload(
                    "OPERLOG", f"USERPIC PIN={name}\tFileName={name}\tSize=4\tContent=AAAA".encode()
                ),
            )
            for name in _NAMES
        ),
        refused=False,
    ),
    *named(
        (
            (
                f"reply of GetFile with {name[:30]!r}",
                request(
                    "/iclock/devicecmd?SN=T1",
                    method="POST",
                    body=f"ID=1\nReturn=4\nCMD=GetFile\nFILENAME={name}\nContent=AAAA".encode(),
                ),
            )
            for name in _NAMES
        ),
        refused=False,
    ),
    *named(
        (method, request(path, method=method, body=b"written"))
        for method in ("PUT", "DELETE", "PATCH", "MKCOL", "COPY", "MOVE")
        for path in ("/iclock/file/1/x", "/iclock/file?SN=T1&url=file/1/x", "/canary.txt")
    ),
]
"""Names that would be paths if anything of a terminal became one."""
