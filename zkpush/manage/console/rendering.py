"""Templates: one Jinja environment for each language, made when it is first used.

Templates of a capability are in the folder `templates` of its package and are named
`CAPABILITY/FILE`; those of the console itself are named `console/FILE`. Rendering takes
milliseconds, so it runs on a thread.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence

from jinja2 import BaseLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

from ...phrases import LISTED
from ...protocol.fields import Scope
from .assets import Assets
from .formats import add_filters
from .languages import LANGUAGES, ConsoleLanguage, translations_of
from .pages import ConsoleAddition

OWN = __name__.rpartition(".")[0]
"""Package of the console's own templates and catalogues."""


class Renderer:
    """Renders templates; may be called on any thread."""

    def __init__(
        self, additions: Sequence[ConsoleAddition], assets: Assets, commands: Mapping[str, str]
    ) -> None:
        """`additions` have the packages of templates and catalogues.

        `commands` are the meanings of commands, by their names.
        """
        self._commands = commands
        packages = {"console": OWN, **{one.name: one.package for one in additions}}
        self._loader = PrefixLoader(
            {name: loader for name, one in packages.items() if (loader := _loader(one))}
        )
        self._packages = [*packages.values()]
        self._assets = assets
        self._lock = threading.Lock()
        self._environments: dict[str, Environment] = {}

    def render(self, template: str, language: ConsoleLanguage, values: Mapping[str, object]) -> str:
        """Render a template; blocks for milliseconds, and longer for the first of a language."""
        return self._environment(language).get_template(template).render(values)

    def said(self, text: str, language: ConsoleLanguage) -> str:
        """Translate a text."""
        said = self._environment(language).filters["said"]
        return str(said(text))

    def size(self, number: int, language: ConsoleLanguage) -> str:
        """Show a number of bytes."""
        return str(self._environment(language).filters["size"](number))

    def _environment(self, language: ConsoleLanguage) -> Environment:
        with self._lock:
            known = self._environments.get(language.code)
            if known is None:
                known = self._environments[language.code] = self._make(language)
            return known

    def _make(self, language: ConsoleLanguage) -> Environment:
        environment = Environment(
            loader=self._loader,
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        translations = translations_of(self._packages, language)
        # The method is of the extension; see its documentation.
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            translations, newstyle=True
        )
        add_filters(environment, language, translations, self._commands)
        environment.globals.update({scope.value: scope for scope in Scope})
        # A comma and a space, or what the language has between the items of a list.
        comma = translations.gettext(LISTED.text) % {"first": "", "next": ""}
        environment.globals.update(
            language=language, languages=LANGUAGES, asset=self._assets.url_name, comma=comma
        )
        return environment


@functools.cache
def _loader(package: str) -> BaseLoader | None:
    try:
        return PackageLoader(package)
    except ValueError:  # it has no folder of templates
        return None
