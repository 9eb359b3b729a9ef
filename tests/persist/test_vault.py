"""What is sealed opens in its own place, whole, under a key of its database; and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.interfaces import NotUnsealed, StoreError, WrongKey
from zkpush.persist.databases import Database
from zkpush.persist.keys import Purpose, SiteKey
from zkpush.persist.migrate import migrate_thd
from zkpush.persist.schema import keys
from zkpush.persist.vault import CHUNK, HEAD_BYTES, SEALED_CHUNK, DataKey, Vault, sealed_length

from ..keys import KEY, OTHER_KEY
from .conftest import open_database

VAULT = Vault(DataKey.make(), bytes(32))
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7]
LARGE = bytes(range(256)) * (3 * CHUNK // 256) + b"the end"


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_opens(size: int) -> None:
    """Whatever its length; nothing of it can be seen, and it is never sealed the same twice."""
    plain = LARGE[:size]
    sealed = VAULT.seal(plain, b"here")
    assert VAULT.open(sealed, b"here") == plain
    assert sealed != VAULT.seal(plain, b"here")
    assert LARGE[:16] not in sealed
    assert b"the end" not in sealed


def test_it_opens_in_its_own_place_only() -> None:
    """A value that is copied to another row or column is noticed."""
    with pytest.raises(NotUnsealed, match="moved"):
        VAULT.open(VAULT.seal(b"1234", b"password of 7"), b"password of 8")


def test_another_database_opens_nothing() -> None:
    """Nor does a key of the same name with another secret."""
    sealed = VAULT.seal(b"1234", b"")
    with pytest.raises(NotUnsealed, match="key of this database"):
        Vault(DataKey.make(), bytes(32)).open(sealed, b"")
    with pytest.raises(NotUnsealed, match="changed"):
        Vault(DataKey(VAULT.sealing.id, bytes(32)), bytes(32)).open(sealed, b"")


@given(place=st.integers(0, HEAD_BYTES + 19), bits=st.integers(1, 255))
def test_any_changed_byte_is_noticed(place: int, bits: int) -> None:
    """In the head as in the rest."""
    sealed = bytearray(VAULT.seal(b"1234", b""))
    sealed[place] ^= bits
    with pytest.raises(NotUnsealed):
        VAULT.open(bytes(sealed), b"")


@pytest.mark.parametrize("size", SIZES)
def test_what_is_cut_is_noticed(size: int) -> None:
    """At a chunk's end, too; and what has grown."""
    sealed = VAULT.seal(LARGE[:size], b"")
    cuts = {0, 1, HEAD_BYTES, len(sealed) - 1, *range(HEAD_BYTES, len(sealed), SEALED_CHUNK)}
    for cut in cuts:
        with pytest.raises(NotUnsealed):
            VAULT.open(sealed[:cut], b"")
        with pytest.raises(NotUnsealed):
            part(sealed[:cut], 0, 1)
    with pytest.raises(NotUnsealed, match="longer"):
        VAULT.open(sealed + b"\0", b"")


def test_chunks_in_another_order_are_noticed() -> None:
    """And a chunk of another value, about the same."""
    sealed, other = VAULT.seal(LARGE, b""), VAULT.seal(LARGE, b"")
    first, second = HEAD_BYTES, HEAD_BYTES + SEALED_CHUNK
    end = second + SEALED_CHUNK
    swapped = sealed[:first] + sealed[second:end] + sealed[first:second] + sealed[end:]
    mixed = sealed[:second] + other[second:end] + sealed[end:]
    for wrong in (swapped, mixed):
        with pytest.raises(NotUnsealed, match="changed"):
            VAULT.open(wrong, b"")
        with pytest.raises(NotUnsealed, match="changed"):
            part(wrong, CHUNK, 10)


def part(sealed: bytes, start: int, count: int, about: bytes = b"") -> bytes:
    """Open a part, with what is asked for at hand only."""
    return VAULT.open_part(lambda at, n: sealed[at : at + n], len(sealed), about, start, count)


@given(
    size=st.sampled_from(SIZES),
    start=st.integers(0, 3 * CHUNK + 9),
    count=st.integers(0, 3 * CHUNK + 9),
)
def test_a_part_opens(size: int, start: int, count: int) -> None:
    """Any, as many bytes as there are."""
    plain = LARGE[:size]
    assert part(VAULT.seal(plain, b""), start, count) == plain[start : start + count]


def test_a_part_is_read_without_the_rest() -> None:
    """Besides the head, only the chunks that it is in."""
    sealed = VAULT.seal(LARGE, b"")
    asked = []

    def read(at: int, count: int) -> bytes:
        asked.append((at, count))
        return sealed[at : at + count]

    assert VAULT.open_part(read, len(sealed), b"", 2 * CHUNK - 1, 2) == LARGE[2 * CHUNK - 1 :][:2]
    assert asked == [(0, HEAD_BYTES), (HEAD_BYTES + SEALED_CHUNK, 2 * SEALED_CHUNK)]


def test_an_index_tells_equality_and_nothing_else() -> None:
    """The same value has the same one, in one database."""
    assert VAULT.index(b"1234") == VAULT.index(b"1234")
    assert VAULT.index(b"1234") != VAULT.index(b"1235")
    assert VAULT.index(b"1234") != Vault(VAULT.sealing, bytes([1]) * 32).index(b"1234")


def test_a_renewed_head_opens_under_the_new_key_only() -> None:
    """The rest of the value stays as it is."""
    sealed = VAULT.seal(LARGE, b"here")
    rotating = Vault(DataKey.make(), bytes(32), (VAULT.sealing,))
    renewed = rotating.renew(sealed[:HEAD_BYTES]) + sealed[HEAD_BYTES:]
    assert rotating.open(sealed, b"here") == LARGE
    assert Vault(rotating.sealing, bytes(32)).open(renewed, b"here") == LARGE
    with pytest.raises(NotUnsealed):
        VAULT.open(renewed, b"here")


def vault_of(url: str, key: bytes) -> Vault:
    """Start a database, and stop it."""
    database = open_database(url, key)
    try:
        return migrate_thd(database)
    finally:
        database.close()


def test_keys_are_made_once(empty_url: str) -> None:
    """Whoever has the site key opens the same vault, and the keys themselves are not in there."""
    made = vault_of(empty_url, KEY)
    assert vault_of(empty_url, KEY) == made
    database = open_database(empty_url)
    with database.engine.connect() as connection:
        rows = connection.execute(keys.select()).all()
    database.close()
    made_for = {Purpose.SEAL, Purpose.INDEX, Purpose.AUDIT, Purpose.NAMING}
    assert {row.purpose for row in rows} == made_for
    kept = b"".join(bytes(row.wrapped) for row in rows)
    assert made.sealing.secret not in kept
    assert made.indexing not in kept


def test_a_database_of_another_key_is_not_opened(empty_url: str) -> None:
    """The error names both keys, and shows neither."""
    vault_of(empty_url, KEY)
    with pytest.raises(WrongKey, match="another key") as refused:
        vault_of(empty_url, OTHER_KEY)
    message = str(refused.value)
    assert SiteKey(KEY).name in message
    assert SiteKey(OTHER_KEY).name in message
    assert KEY.hex() not in message


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE keys SET wrapped = (SELECT wrapped FROM keys WHERE purpose = 'index')",
        "DELETE FROM keys WHERE purpose = 'seal'",
        "UPDATE keys SET purpose = 'retired' WHERE purpose = 'seal'",
        "UPDATE keys SET id = 'x' WHERE purpose = 'seal'",
    ],
)
def test_damaged_keys_are_noticed(empty_url: str, damage: str) -> None:
    """No key takes the part of another, and none is made in the place of one that is lost."""
    vault_of(empty_url, KEY)
    run(empty_url, damage)
    with pytest.raises(StoreError, match="damaged"):
        vault_of(empty_url, KEY)


def test_a_rotation_that_was_interrupted_is_told_of(empty_url: str) -> None:
    """No daemon runs until it is finished."""
    vault_of(empty_url, KEY)
    run(empty_url, "INSERT INTO keys SELECT id, 'another', purpose, wrapped FROM keys")
    with pytest.raises(StoreError, match=r"zkpush database rotate-key"):
        vault_of(empty_url, KEY)


def run(url: str, statement: str) -> None:
    """Change something in a database."""
    database: Database = open_database(url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    database.close()


def test_values_that_are_sealed_together_open_each_by_itself() -> None:
    """Each in its own place, from the first to one that is too long to share a key."""
    seal = VAULT.together()
    plain = [b"", b"1234", b"1234", LARGE[:CHUNK], LARGE]
    values = [seal(one, b"%d" % place) for place, one in enumerate(plain)]
    assert len({value[-16:] for value in values}) == len(values)
    for place, (one, value) in enumerate(zip(plain, values, strict=True)):
        assert len(value) == sealed_length(len(one))
        assert VAULT.open(value, b"%d" % place) == one
        assert part(value, 1, 2, b"%d" % place) == one[1:3]
        with pytest.raises(NotUnsealed, match="moved"):
            VAULT.open(value, b"another place")


@given(place=st.integers(0, HEAD_BYTES + 19), bits=st.integers(1, 255))
def test_any_changed_byte_of_one_of_several_is_noticed(place: int, bits: int) -> None:
    """Its number among them, too."""
    sealed = bytearray(VAULT.together()(b"1234", b""))
    sealed[place] ^= bits
    with pytest.raises(NotUnsealed):
        VAULT.open(bytes(sealed), b"")


def test_one_of_several_that_is_cut_or_grown_is_noticed() -> None:
    """Also beyond the length of a chunk."""
    seal = VAULT.together()
    for sealed in (seal(b"1234", b""), seal(LARGE[:CHUNK], b"")):
        for wrong in (*(sealed[:cut] for cut in (0, HEAD_BYTES, len(sealed) - 1)), sealed + b"\0"):
            with pytest.raises(NotUnsealed):
                VAULT.open(wrong, b"")


def test_values_that_were_sealed_together_are_sealed_anew_one_by_one() -> None:
    """Rotation makes their heads anew, and the old key opens none of them."""
    seal = VAULT.together()
    values = [seal(b"%d" % number, b"") for number in range(3)]
    rotating = Vault(DataKey.make(), VAULT.indexing, (VAULT.sealing,))
    renewed = [rotating.renew(one[:HEAD_BYTES]) + one[HEAD_BYTES:] for one in values]
    rotated = Vault(rotating.sealing, VAULT.indexing)
    assert [rotated.open(one, b"") for one in renewed] == [b"0", b"1", b"2"]
    for one in renewed:
        with pytest.raises(NotUnsealed, match="key of this database"):
            VAULT.open(one, b"")
