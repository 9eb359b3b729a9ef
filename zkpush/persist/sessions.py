"""Keys of encrypted sessions in the store: encrypted, and changed by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select, update

from ..interfaces import NotUnsealed
from ..values.keys import StoredKeys
from ..values.sessions import SessionState
from .databases import insert
from .devices import DeviceStore
from .schema import sessions

if TYPE_CHECKING:
    from .transaction import Transaction

_NO_NEXT = dict.fromkeys(("next_generation", "next_suite", "next_state", "next_step"))
_NO_KEYS = {**dict.fromkeys(("generation", "suite", "state", "number")), **_NO_NEXT}


class SessionStore:
    """Keys of encrypted sessions (6, 7), and the preshared secrets that they start from.

    Every change increments the terminal's `generation`, so that no process continues with old keys.
    """

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection
        self._devices = tx[DeviceStore]
        self._vault = tx.vault

    def secret(self, device_id: int) -> bytes:
        """Return the secret shared with a terminal; empty if there is none."""
        query = select(sessions.c.secret).where(sessions.c.device_id == device_id)
        sealed = self._connection.execute(query).scalar_one_or_none()
        return b"" if sealed is None else self._vault.open(sealed, _secret_of(device_id))

    def keep_secret(self, device_id: int, secret: bytes) -> None:
        """Store the secret shared with a terminal; an empty one means none."""
        sealed = self._vault.seal(secret, _secret_of(device_id)) if secret else None
        self._put(device_id, {"secret": sealed})

    def keys(self, device_id: int) -> list[StoredKeys]:
        """Return the keys in use, if any, then the keys being agreed on.

        Damaged keys are omitted; the terminal then repeats the exchanges.
        """
        query = select(sessions).where(sessions.c.device_id == device_id)
        row = self._connection.execute(query).one_or_none()
        found = []
        if row is not None and row.generation is not None:
            state = self._open(device_id, row.generation, row.state)
            if state is not None:
                found.append(
                    StoredKeys(
                        generation=row.generation,
                        suite=row.suite,
                        state=state,
                        number=row.number,
                        has_secret=row.secret is not None,
                    )
                )
        if row is not None and row.next_generation is not None:
            state = self._open(device_id, row.next_generation, row.next_state)
            if state is not None:
                found.append(
                    StoredKeys(
                        generation=row.next_generation,
                        suite=row.next_suite,
                        state=state,
                        step=SessionState(row.next_step),
                        has_secret=row.secret is not None,
                    )
                )
        return found

    def begin(self, device_id: int, suite: str, state: bytes) -> int:
        """Store the result of the public key exchange, replacing an unfinished one.

        Returns the new generation.
        """
        generation = self._turn(device_id)
        self._put(
            device_id,
            {
                "next_generation": generation,
                "next_suite": suite,
                "next_state": self._seal(device_id, generation, state),
                "next_step": SessionState.KEYS.value,
            },
        )
        return generation

    def agree(self, device_id: int, generation: int, state: bytes) -> int | None:
        """Store the result of the factor exchange, if `generation` is waiting for it.

        Returns the new generation, or None.
        """
        following = self._turn(device_id)
        changed = self._connection.execute(
            update(sessions)
            .where(
                sessions.c.device_id == device_id,
                sessions.c.next_generation == generation,
                sessions.c.next_step == SessionState.KEYS.value,
            )
            .values(
                next_generation=following,
                next_state=self._seal(device_id, following, state),
                next_step=SessionState.FACTORS.value,
            )
        )
        return following if changed.rowcount else None

    def claim(self, device_id: int, generation: int, number: int) -> bool:
        """Claim the number of a request once; False if that or a higher one was claimed before.

        The first claim activates agreed keys and drops the previous ones.
        """
        of_device = sessions.c.device_id == device_id
        claimed = self._connection.execute(
            update(sessions)
            .where(of_device, sessions.c.generation == generation, sessions.c.number < number)
            .values(number=number)
        )
        if claimed.rowcount:
            return True
        promoted = self._connection.execute(
            update(sessions)
            .where(
                of_device,
                sessions.c.next_generation == generation,
                sessions.c.next_step == SessionState.FACTORS.value,
            )
            .values(
                generation=sessions.c.next_generation,
                suite=sessions.c.next_suite,
                state=sessions.c.next_state,
                number=number,
                **_NO_NEXT,
            )
        )
        return bool(promoted.rowcount)

    def raise_numbers(self, numbers: Mapping[int, tuple[int, int]]) -> None:
        """Store claimed request numbers: for each terminal, the key generation and a number."""
        for device_id in sorted(numbers):  # same order in all processes, to prevent deadlocks
            generation, number = numbers[device_id]
            self._connection.execute(
                update(sessions)
                .where(
                    sessions.c.device_id == device_id,
                    sessions.c.generation == generation,
                    sessions.c.number < number,
                )
                .values(number=number)
            )

    def drop(self, device_id: int) -> None:
        """Remove all keys of a terminal, but not its secret."""
        of_device = sessions.c.device_id == device_id
        some = or_(sessions.c.generation.is_not(None), sessions.c.next_generation.is_not(None))
        self._connection.execute(
            delete(sessions).where(of_device, some, sessions.c.secret.is_(None))
        )
        self._connection.execute(update(sessions).where(of_device, some).values(_NO_KEYS))

    def _turn(self, device_id: int) -> int:
        generation = self._devices.get(device_id).generation + 1
        self._devices.change(device_id, {"generation": generation})
        return generation

    def _put(self, device_id: int, values: dict[str, Any]) -> None:
        self._connection.execute(
            insert(self._connection, sessions)
            .values(device_id=device_id, **values)
            .on_conflict_do_update(index_elements=[sessions.c.device_id], set_=values)
        )

    def _seal(self, device_id: int, generation: int, state: bytes) -> bytes:
        return self._vault.seal(state, _keys_of(device_id, generation))

    def _open(self, device_id: int, generation: int, sealed: bytes) -> bytes | None:
        try:
            return self._vault.open(sealed, _keys_of(device_id, generation))
        except NotUnsealed as error:
            self._vault.damage.add(sessions.name, "state", device_id, error)
            return None


def _secret_of(device_id: int) -> bytes:
    return f"secret of terminal {device_id}".encode()


def _keys_of(device_id: int, generation: int) -> bytes:
    return f"keys {generation} of terminal {device_id}".encode()
