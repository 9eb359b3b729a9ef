"""Settings of connections: limits, proxies, TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on requests and connections."""

    # head_bytes, idle_seconds, request_seconds and stalled_seconds apply to the API as well.

    body_bytes: Annotated[
        int,
        Meta(ge=1024, description="Largest body of a request, in bytes; a larger one gets 413"),
    ] = 64 * 1024 * 1024
    bodies_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Memory for request bodies in progress and their decoding, per process, in "
            "bytes. A quarter is reserved for bodies of up to 64 KiB, such as punches. One "
            "terminal and one address may use only a share of each part. A short body that does "
            "not fit is refused (503); a longer one waits up to `body_wait_seconds`",
        ),
    ] = 256 * 1024 * 1024
    body_wait_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=600,
            description="Seconds that a body above 64 KiB waits for memory before it is refused "
            "(503). Nothing is read from its connection meanwhile",
        ),
    ] = 30
    head_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=1024 * 1024,
            description="Largest head of a request (request line and headers), in bytes; a larger "
            "one gets 400",
        ),
    ] = 16 * 1024
    idle_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds after which an idle connection is closed; also the time limit "
            "for the head of a request",
        ),
    ] = 60
    request_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds in which a complete request must arrive; a slower one gets 408",
        ),
    ] = 300
    stalled_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds after which a connection is closed whose peer reads nothing of a "
            "reply or a file",
        ),
    ] = 300
    drain_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=3600,
            description="Seconds that the daemon takes to finish requests in progress when it is "
            "stopped. Then it exits, and logs what it gave up",
        ),
    ] = 30
    connections: Annotated[
        int,
        Meta(
            ge=1, le=1_000_000, description="Most connections to the terminals' port, per process"
        ),
    ] = 8192
    connections_per_address: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Most connections from one address, per process; this machine and trusted "
            "proxies may have more",
        ),
    ] = 1024
    requests_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            description="Most requests of one terminal per minute, per process; further ones get "
            "429",
        ),
    ] = 6000
    unknown_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            description="Most unknown serial numbers that are looked up per minute, per process; "
            "further ones get 429",
        ),
    ] = 3000
    pending_terminals: Annotated[
        int,
        Meta(
            ge=1,
            description="Most pending terminals; further ones are refused and not recorded",
        ),
    ] = 5000
    terminals: Annotated[
        int,
        Meta(
            ge=1,
            description="Most terminals that are recorded on connecting; operators may add more",
        ),
    ] = 50_000
    packet_bytes: Annotated[
        int,
        Meta(ge=1024, description="Largest size of a packet (spec 11.14) when unpacked, in bytes"),
    ] = 64 * 1024 * 1024
    packet_ratio: Annotated[
        int, Meta(ge=1, description="Largest ratio of the unpacked size of a packet to its size")
    ] = 100
    packet_members: Annotated[int, Meta(ge=1, description="Most members in a packet")] = 10_000
    manage_connections: Annotated[
        int,
        Meta(
            ge=4,
            le=100_000,
            description="Most connections to the management endpoint. A further one replaces the "
            "oldest idle one, first among those without a valid token",
        ),
    ] = 512
    manage_connections_per_address: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Most connections to the management endpoint from one address; this "
            "machine and trusted proxies may have more",
        ),
    ] = 64
    manage_bodies_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Memory for the bodies of requests to the management endpoint, such as "
            "uploaded files, per process, in bytes. A quarter is reserved for bodies of up to "
            "64 KiB. One caller and one address may use only a share of each part; a single body "
            "always fits. A longer one waits up to `body_wait_seconds`, and then gets 503",
        ),
    ] = 256 * 1024 * 1024
    event_streams: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Most readers of `GET events` at the same time; further ones get 503. "
            "With open consoles, never more than three quarters of `manage_connections`",
        ),
    ] = 96
    console_streams: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Most consoles whose pages change by themselves at the same time; further "
            "ones change when they are reloaded",
        ),
    ] = 256
    command_bytes: Annotated[
        int,
        Meta(
            ge=64 * 1024,
            description="Largest request that queues commands by the API, in bytes. A photo in "
            "base64 is a third larger than the photo",
        ),
    ] = 16 * 1024 * 1024
    file_bytes: Annotated[
        int,
        Meta(ge=1024, description="Largest file that an operator may add for terminals, in bytes"),
    ] = 256 * 1024 * 1024


class ProxySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Proxies in front of the server."""

    trusted: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses and networks of proxies whose `X-Forwarded-For` and PROXY "
            "headers are trusted; `unix` for a Unix socket"
        ),
    ] = ()


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """TLS settings of `ssl:` endpoints."""

    minimum: Annotated[
        Literal["1.0", "1.1", "1.2", "1.3"],
        Meta(
            description="Oldest TLS version for terminals; below 1.2 only for old firmware. The "
            "management endpoint always requires 1.2 or later"
        ),
    ] = "1.2"
    client_certificates: Annotated[
        Literal["off", "optional", "required"],
        Meta(
            description="Client certificates of terminals: `optional` checks a certificate if the "
            "terminal presents one, `required` refuses connections without one"
        ),
    ] = "off"
    client_ca: Annotated[
        Path | None,
        Meta(description="PEM file with the CAs that sign the client certificates of terminals"),
    ] = None
