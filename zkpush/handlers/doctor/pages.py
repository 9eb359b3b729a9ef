"""The page "Why no punches?": the checks of a terminal, each with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from ...manage.console.pages import ConsolePage, ConsoleRoute, LivePart, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import TERMINAL
from ...manage.services import Services
from .examining import TerminalExaminer, examiner
from .questions import SUMMARIES, asked

EVERY = 10.0
"""Seconds after which a terminal is examined again."""
NOTHING_KNOWN = Phrase(
    "No terminal with this serial number has reached the server. Check the server address and port "
    "in its menu."
)


class DoctorPages:
    """The page and its live part."""

    def __init__(self, terminals: TerminalExaminer) -> None:
        self._terminals = terminals

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and its live part."""
        return [
            ConsolePage(
                path="/terminals/<sn>/doctor",
                title=Phrase("Why no punches?"),
                run=self.show,
                limited=(TERMINAL,),
            ),
            LivePart(
                name="doctor-checks",
                run=self.checks_part,
                kinds=("device", "problem"),
                every=EVERY,
                limited=(TERMINAL,),
            ),
        ]

    async def show(self, visit: Visit, sn: str) -> View:
        """Show the checks of a terminal."""
        return View(
            template="doctor.html", values=await self._checks(sn), live=[f"doctor-checks:{sn}"]
        )

    async def checks_part(self, visit: Visit, argument: str | None) -> View:
        """Show the checks as they are now."""
        return View(template="_checks.html", values=await self._checks(argument or ""))

    async def _checks(self, sn: str) -> Mapping[str, object]:
        try:
            device, found = await self._terminals.examine(sn)
        except LookupError:
            return {"sn": sn, "device": None, "name": sn, "unknown": NOTHING_KNOWN}
        words, kind = SUMMARIES[found.state]
        return {
            "sn": sn,
            "device": device,
            "unknown": None,
            "name": sn if device is None else device.alias or sn,
            "summary": words,
            "summary_kind": kind,
            "checks": asked(found, device),
        }


def pages(services: Services) -> list[ConsoleRoute]:
    """The pages of the doctor."""
    return DoctorPages(examiner(services)).routes()
