"""Events of areas, and packages of people."""

from __future__ import annotations

from ...device.functions import CommandFunctions
from .drift import DRIFT
from .model import PACKAGES
from .packing import package_of

EVENTS = {DRIFT: "A terminal had lost people or templates, or had people who were not recorded"}

FUNCTIONS = CommandFunctions(sources={PACKAGES: package_of})
