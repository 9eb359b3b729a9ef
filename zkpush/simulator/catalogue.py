"""The catalogue of simulated terminals, made from the declarations that the server uses."""

from __future__ import annotations

from ..protocol.catalogue import Catalogue
from ..protocol.tables import COMMANDS

CATALOGUE = Catalogue(COMMANDS)
"""The commands that simulated terminals know."""
