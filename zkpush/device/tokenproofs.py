"""Proofs of session tokens, learned from served requests.

A token that returns for the first time is proved (`zkpush.device.tokens`). Addresses served without
a token are recorded, up to a small number.
"""

from __future__ import annotations

import attrs

from ..interfaces import IStore
from ..model import Device, Problem
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction
from ..phrases import A_SOCKET_FILE, Phrase
from ..problems import ProblemCode
from ..values.sessions import SessionToken, TokenPolicy
from . import tokens
from .registry import Registry
from .request import AdmittedRequest
from .terminal import Terminal


class TokenProofs:
    """Learns which tokens terminals return, and which addresses are served without one."""

    def __init__(self, store: IStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    async def learn(
        self, entry: AdmittedRequest, token: SessionToken | None, address: str | None
    ) -> AdmittedRequest:
        """Learn from a served request; returns it with `is_proved` settled."""
        terminal = entry.terminal
        if token is not None and not token.proved:
            token = await self._prove(terminal, token, address)
        elif (
            token is None
            and terminal.bare is not None
            and not terminal.is_judged
            and address not in terminal.bare
        ):
            await self._note_bare(terminal, address)
        if not entry.is_proved:
            return entry
        # Without a shared secret anybody can seal: then the token decides here, too.
        if entry.has_secret or not terminal.is_judged:
            return entry
        is_trusted = token is not None and token.trusted
        return entry if is_trusted else attrs.evolve(entry, is_proved=False)

    async def _prove(
        self, terminal: Terminal, token: SessionToken, address: str | None
    ) -> SessionToken | None:
        """Store that a token was returned; returns the token as it is now."""
        device_id, digest, now = terminal.device.id, token.digest, self._registry.now()

        def unit(tx: Transaction) -> Device:
            before = tx[DeviceStore].get(device_id)
            try:
                kept = tokens.prove(before, digest)
            except LookupError:
                return before
            proved = next(one for one in kept if one.digest == digest)
            is_elsewhere = tokens.is_elsewhere(before, address)
            changes: dict[str, object] = {"tokens": kept}
            if before.token_policy is not TokenPolicy.IGNORE and not is_elsewhere:
                changes["returns_token"] = True
                tx[DeviceStore].clear_problem(device_id, ProblemCode.FOREIGN_TOKEN)
            device = tx[DeviceStore].change(device_id, changes)
            if not proved.trusted or (is_elsewhere and not before.returns_token):
                detail = Phrase(
                    "A session was begun from %(address)s, and did not show the token of the one "
                    "before.",
                    address=address or A_SOCKET_FILE,
                )
                tx[DeviceStore].raise_problem(
                    device_id, Problem(ProblemCode.SECOND_SESSION, detail, now)
                )
                device = tx[DeviceStore].get(device_id)
            return device

        terminal.update(await self._store.write(unit))
        return next((one for one in terminal.device.tokens if one.digest == digest), None)

    async def _note_bare(self, terminal: Terminal, address: str | None) -> None:
        """Store that a terminal was served without a token at an address, up to the maximum."""
        device_id, place = terminal.device.id, tokens.bare(address)

        def unit(tx: Transaction) -> Device:
            before = tx[DeviceStore].get(device_id)
            known = before.bare_addresses
            if place in known or len(known) >= tokens.MOST_BARE or before.returns_token:
                return before
            return tx[DeviceStore].change(device_id, {"bare_addresses": (*known, place)})

        terminal.update(await self._store.write(unit))
