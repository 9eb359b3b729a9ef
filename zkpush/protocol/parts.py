"""Long uploads in parts: decoding with bounded memory (spec 11).

A body of lines is split at line ends. So are the members of a packet (spec 11.14), once the whole
packet is verified. A body that does not consist of lines, such as a photo, is a single part.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from .dialect import Dialect
from .packets import PacketError, cut, gathered, members
from .rejects import MOST_REJECTS
from .requests import Upload
from .uploads import Contents, UploadDecoder


def decode_parts(
    decoder: UploadDecoder,
    upload: Upload,
    dialect: Dialect,
    size: int,
    *,
    may_be_dense: bool = False,
) -> Iterator[Contents]:
    """Decode an upload in parts of about `size` bytes; a longer line is a part of its own.

    Never raises. Parts are decoded lazily. Only the last part has the stamp. All parts together
    keep no more rejects line by line than a single upload may.
    """
    most = MOST_REJECTS
    before: Contents | None = None
    for number, part in enumerate(_parts(decoder, upload, size)):
        is_whole = part is upload
        contents = decoder.decode(
            part, dialect, most, is_of_lines=not is_whole, may_be_dense=may_be_dense
        )
        most = max(0, most - len(contents.rejects))
        contents.batches = [
            msgspec.structs.replace(batch, part=number) for batch in contents.batches
        ]
        if before is not None:
            before.stamp = None
            yield before
        before = contents
    if before is None:  # an empty packet
        before = decoder.decode(upload, dialect, may_be_dense=may_be_dense)
    before.stamp = upload.kept_stamp
    yield before


def _parts(decoder: UploadDecoder, upload: Upload, size: int) -> Iterator[Upload]:
    if upload.packed:
        yield from _unpacked(decoder, upload, size)
    elif len(upload.body) > size and decoder.is_of_lines(upload.table, upload.body):
        for body in cut(upload.body, size):
            yield msgspec.structs.replace(upload, body=body)
    else:
        yield upload


def _unpacked(decoder: UploadDecoder, upload: Upload, size: int) -> Iterator[Upload]:
    limits = decoder.limits
    is_of_lines, total = True, 0
    try:
        # Verify the whole packet before using any of it.
        for member in members(upload.body, limits):
            total += len(member.data)
            is_of_lines = is_of_lines and decoder.is_of_lines(upload.table, member.data)
    except PacketError:
        is_of_lines = False
    if not is_of_lines or total <= size:
        yield upload
        return
    for body in gathered(members(upload.body, limits), size):
        yield msgspec.structs.replace(upload, body=body, packed=False)
