"""The web resource of the console.

Theory of operation. A request passes these checks, in this order: a private connection (TLS, or
this machine), the origin and the token of a form, the session, the scope. Then the page runs, and
its template is rendered on a thread. A form that succeeds is answered by a redirect, so that a
reload sends nothing twice; one with mistakes is shown again with what was entered.
"""

from __future__ import annotations

import functools
import hmac
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlencode

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from ...clock import wall_clock
from ...device.changes import ScopeNeeded
from ...device.proxies import Proxies
from ...device.refusals import Refusal, RefusalLog
from ...phrases import Phrase
from ...protocol.errors import ProtocolError
from ..arguments import parse_query
from ..channel import ManageRequest
from ..errors import ApiError, explain, refused, too_large
from ..limits import VARIABLES, AreaLimits, Limit, WholeSite, refusal_of
from ..routes import Raw, Stream, header_of
from . import security
from .assets import assets
from .forms import (
    CANCELLED,
    CONFIRMED,
    CSRF,
    NOTHING_ENTERED,
    FormEntry,
    FormMistakes,
    PageEntry,
    mistakes_of,
    parse_form,
    read_form,
)
from .languages import language_of
from .live import LiveHub, live_reply
from .missing import error_view
from .navigation import navigation, reaches
from .pagemap import NO_PAGE, FormOnly, PageMap, PageTarget
from .pages import (
    MOST_FORM,
    PREFIX,
    ConsoleAddition,
    ConsoleForm,
    ConsolePage,
    LivePart,
    PageFile,
    PageStream,
    Redirect,
    Result,
    View,
)
from .questions import action_of, question_of, question_view
from .rendering import Renderer
from .replies import PageRefusal, html_reply, redirect_reply, saved_as, static_reply, write_reply
from .security import HEADERS
from .terminalnames import TerminalNames
from .visitreader import VisitReader, argument_of, query_of
from .visits import SignIn, Visit

_STATIC = f"{PREFIX}/static/"
_LIVE = f"{PREFIX}/live"
_log = Logger()

NOT_OF_AREAS = Phrase("Your account is limited to areas, and this is for the whole site.")
NOT_ALLOWED = Phrase("Your account may not do this. A manager of accounts can allow it.")
ENDED = Phrase("Your session has ended. Sign in again; then repeat what you did last.")
BUSY = Phrase("Too many pages are live already. This one stays as it is until it is reloaded.")


class _SignInNeeded(Exception):
    """The page needs a session."""


class ConsoleResource(Resource):
    """Serves the pages, forms and live parts of all capabilities."""

    isLeaf = True

    def __init__(
        self,
        additions: Sequence[ConsoleAddition],
        sign_in: SignIn,
        names: TerminalNames,
        hub_of: Any,
        proxies: Proxies,
        refusals: RefusalLog,
        limits: AreaLimits,
        commands: Mapping[str, str],
        reactor: Any,
    ) -> None:
        """`limits` checks accounts that are limited to areas.

        `hub_of` makes the `LiveHub`, given its parts, what renders them, and `living`.
        """
        super().__init__()
        self._sign_in = sign_in
        self._refusals = refusals
        self._limits = limits
        self._reactor = reactor
        self._wall = wall_clock(reactor)
        self._renderer = Renderer(additions, assets(), commands)
        self._visits = VisitReader(sign_in, names, proxies, self._renderer.said)
        self._map = PageMap(additions)
        self.pages, self.parts = self._map.pages, self._map.parts
        self.hub: LiveHub = hub_of(
            {name: part for name, (_, part) in self.parts.items()}, self._part, sign_in.living
        )

    # Serving.

    def render(self, request: ManageRequest) -> int:
        """Answer a request."""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        running = Deferred.fromCoroutine(self._run(request))
        running.addBoth(request.carried_out)
        running.addCallback(lambda reply: None if gone else write_reply(request, reply))
        running.addErrback(lambda failure: _log.failure("A page was not written", failure))
        return NOT_DONE_YET

    def stop(self) -> None:
        """End the live streams."""
        self.hub.end()

    async def judge(
        self, request: ManageRequest, method: bytes, path: bytes, length: int | None
    ) -> int:
        """Check the head of a form; return the maximum length of its body.

        A form without a session may be read: what is short enough gets a page that says so.
        """
        try:
            return await self._judge(request, method, path, length)
        except ApiError as error:
            raise self.refused(request, error) from None

    def refused(self, request: ManageRequest, error: ApiError) -> PageRefusal:
        """Return the refusal of a form that is not read, in the language of its sender."""
        why = getattr(error, "why", error.detail)
        return PageRefusal(error, self._renderer.said(why, self._visits.language(request)))

    async def _judge(
        self, request: ManageRequest, method: bytes, path: bytes, length: int | None
    ) -> int:
        self._check_private(request)
        target = self._map.match(method, path)
        if not isinstance(target.route, ConsoleForm):
            return 0
        security.check_own(request)
        route, room = target.route, target.route.most_bytes
        if route.scope is not None:
            visitor = await self._visits.visitor(request)
            if visitor is None or route.scope not in visitor.scopes:
                room = min(room, MOST_FORM)
                if length is not None and length > room:
                    why = ENDED if visitor is None else NOT_ALLOWED
                    raise ApiError(HTTPStatus.FORBIDDEN, why)
        if length is not None and length > room:
            raise too_large(room) if route.file is None else self._too_large(request, route)
        return room

    def _too_large(self, request: ManageRequest, route: ConsoleForm) -> ApiError:
        most = self._renderer.size(route.most_bytes - MOST_FORM, self._visits.language(request))
        return ApiError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            Phrase("The file is too large. Go back and choose one of at most %(most)s.", most=most),
        )

    async def _run(self, request: ManageRequest) -> Raw | Stream:
        path = unquote(request.path.decode("ascii", "replace"), errors="replace")
        if path.startswith(_STATIC):
            return static_reply(path.removeprefix(_STATIC))
        if path in ("/", PREFIX):
            return self._redirect(request, Redirect(to="/"))
        visit = self._visits.stranger(request)
        try:
            self._check_private(request)
            chosen = argument_of(request, "lang")
            if chosen is not None and language_of(chosen) is not None:
                return self._redirect(request, Redirect(to=visit.path, language=chosen))
            visit = await self._visits.known(request, visit)
            visit = attrs.evolve(visit, reaches=functools.partial(reaches, self._map, visit))
            if path == _LIVE:
                return live_reply(self.hub, self._reactor, query_of(request).get("part", []), visit)
            return await self._page(request, visit)
        except _SignInNeeded:
            return self._to_sign_in(request, visit)
        except FormOnly as error:
            return self._redirect(request, error.above)
        except Exception as error:
            explained = explain(error)
            return await self._error(
                request, visit, explained.status, getattr(error, "why", explained.detail)
            )

    def _check_private(self, request: ManageRequest) -> None:
        address, is_trusted = self._visits.origin(request)
        security.check_private(request, address, is_trusted)

    async def _page(self, request: ManageRequest, visit: Visit) -> Raw | Stream:
        target = self._map.match(request.method, request.path)
        route = target.route
        if isinstance(route, ConsoleForm):
            security.check_own(request)
        if route.scope is not None:
            if visit.visitor is None:
                raise _SignInNeeded
            if not visit.allows(route.scope):
                self._note_no_scope(visit, route)
                raise ApiError(HTTPStatus.FORBIDDEN, NOT_ALLOWED)
            if visit.areas is not None and refusal_of(route.limited) is not None:
                return self._refused(request, visit, route)
            await self._check_areas(visit, route.limited, target.names)
        try:
            if isinstance(route, ConsoleForm):
                result = await self._sent(request, visit, target, route)
            else:
                result = await self._shown(request, visit, target, route)
        except ScopeNeeded:
            self._note_no_scope(visit, route)
            raise ApiError(HTTPStatus.FORBIDDEN, NOT_ALLOWED) from None
        except LookupError as error:
            raise refused(error, HTTPStatus.NOT_FOUND) from None
        except (ValueError, ProtocolError) as error:
            raise refused(error, HTTPStatus.BAD_REQUEST) from None
        return await self._reply(request, visit, target, result)

    def _refused(
        self, request: ManageRequest, visit: Visit, route: ConsolePage | ConsoleForm
    ) -> Raw:
        """Refuse a limited account; instead of the start page, it gets its first one."""
        sections = navigation(self.pages, visit)
        if route.path == "/" and sections:
            first = sections[0].links[0].url.removeprefix(PREFIX)
            return self._redirect(request, Redirect(to=first))
        self._note_no_scope(visit, route)
        why = route.limited.why if isinstance(route.limited, WholeSite) else NOT_OF_AREAS
        raise ApiError(HTTPStatus.FORBIDDEN, why)

    async def _check_areas(self, visit: Visit, limit: Limit, names: Mapping[str, object]) -> None:
        """Raise `ApiError` (404) for what is of another area than those of the account."""
        if visit.areas is not None:
            try:
                await self._limits.check(limit, names, visit.areas)
            except ApiError as error:
                raise ApiError(error.status, NO_PAGE) from None

    async def _shown(
        self, request: ManageRequest, visit: Visit, target: PageTarget, page: ConsolePage
    ) -> Result:
        arguments = dict(target.names)
        if page.query is not None:
            values = {name: texts[-1] for name, texts in query_of(request).items() if texts[-1]}
            known = {
                name: text for name, text in values.items() if name in page.query.__struct_fields__
            }
            parsed, mistakes = parse_query(page.query, known)
            if parsed is None:
                raise FormMistakes(*mistakes)
            arguments["query"] = parsed
        return await page.run(visit, **arguments)

    async def _sent(
        self, request: ManageRequest, visit: Visit, target: PageTarget, form: ConsoleForm
    ) -> Result:
        sent = read_form(header_of(request, "content-type") or "", request.take_content())
        if visit.visitor is not None:
            token = sent.texts.get(CSRF, ("",))[-1]
            if not hmac.compare_digest(token.encode(), visit.csrf.encode()):
                raise ApiError(HTTPStatus.FORBIDDEN, security.FOREIGN)
        if CANCELLED in sent.texts and (again := self._map.again(form)) is not None:
            return await again(
                visit, entry=FormEntry(sent.texts, action=action_of(request)), **target.names
            )
        try:
            values = parse_form(form.fields, sent)
            if CONFIRMED not in sent.texts:
                question = await question_of(form, visit, values, target.names)
                if question is not None:
                    return question_view(request, visit, question, sent, target.names)
            return await form.run(visit, form=values, **target.names)
        except (ValueError, ProtocolError, LookupError, ApiError) as error:
            again = self._map.again(form)
            if again is None or (isinstance(error, ApiError) and error.status.value >= 500):
                raise
            whole, fields = mistakes_of(error)
            status = (
                error.status if isinstance(error, ApiError) else HTTPStatus.UNPROCESSABLE_ENTITY
            )
            entry = FormEntry(sent.texts, whole, fields, action_of(request))
            view = await again(visit, entry=entry, **target.names)
            return attrs.evolve(view, status=status)

    # Replies.

    async def _reply(
        self, request: ManageRequest, visit: Visit, target: PageTarget, result: Result
    ) -> Raw | Stream:
        if isinstance(result, Redirect):
            return self._redirect(request, result)
        if isinstance(result, PageFile):
            headers = {**HEADERS, **saved_as(result.name)}
            return Raw(result.content_type, result.body, headers=headers)
        if isinstance(result, PageStream):
            headers = {**result.stream.headers, **HEADERS, **saved_as(result.name)}
            return attrs.evolve(result.stream, headers=headers)
        title = result.title
        if title is None:
            title = target.route.title if isinstance(target.route, ConsolePage) else ""
        body = await self._rendered(request, visit, target.capability, result, title)
        cookies = []
        secure = self._visits.is_secure(request)
        if result.end_session:
            cookies.append(security.cookie(security.COOKIE, "", secure=secure, seconds=0))
        if self._visits.cookie(request, security.NOTICE) is not None:
            cookies.append(security.cookie(security.NOTICE, "", secure=secure, seconds=0))
        return html_reply(body, result.status, cookies)

    async def _rendered(
        self, request: ManageRequest, visit: Visit, capability: str, view: View, title: str
    ) -> bytes:
        text = await self._on_thread(
            *(capability, view, visit),
            title=title,
            navigation=navigation(self.pages, visit),
            notice=self._visits.notice(request),
            live_parts=urlencode([("part", part) for part in view.live]),
            sign_in_path=PREFIX + self._sign_in.path,
        )
        return text.encode()

    async def _part(self, part: LivePart, argument: str | None, visit: Visit) -> str:
        """Render a live part for all who see the same."""
        if visit.visitor is not None:
            visit = attrs.evolve(visit, visitor=attrs.evolve(visit.visitor, name="", secret=""))
        try:
            await self._check_areas(visit, part.limited, dict.fromkeys(VARIABLES, argument))
        except ApiError:
            return ""  # it is not of these areas, or no longer
        capability, _ = self.parts[part.name]
        view = await part.run(visit, argument)
        return await self._on_thread(capability, view, visit, is_live=True)

    async def _on_thread(self, capability: str, view: View, visit: Visit, **more: object) -> str:
        """Render the template of a view, with `more` values than its own."""
        name = view.template if "/" in view.template else f"{capability}/{view.template}"
        entry = view.values.get("entry")
        values = {
            **view.values,
            "entry": PageEntry(entry if isinstance(entry, FormEntry) else NOTHING_ENTERED),
            "visit": visit,
            "now": int(self._wall() * 1000),
            **more,
        }
        render = functools.partial(self._renderer.render, name, visit.language, values)
        text: str = await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), render)
        return text

    async def _error(
        self, request: ManageRequest, visit: Visit, status: HTTPStatus, why: str
    ) -> Raw:
        view = await error_view(self._map, visit, request.method, request.path, status, why)
        body = await self._rendered(request, visit, "console", view, view.title or "")
        return html_reply(body, status)

    def _to_sign_in(self, request: ManageRequest, visit: Visit) -> Raw:
        """Send a browser without a session to the page to sign in, and back afterwards."""
        is_action = request.getHeader(b"hx-request") is not None or request.method == b"POST"
        notice = ENDED if is_action else None
        there = visit.path + (f"?{visit.query}" if visit.query else "")
        back = f"?{urlencode({'to': there})}" if request.method == b"GET" and there != "/" else ""
        return self._redirect(request, Redirect(to=self._sign_in.path + back, notice=notice))

    def _redirect(self, request: ManageRequest, redirect: Redirect) -> Raw:
        notice = None
        if redirect.notice is not None:
            language = language_of(redirect.language) or self._visits.language(request)
            notice = self._renderer.said(redirect.notice, language)
        return redirect_reply(redirect, notice, secure=self._visits.is_secure(request))

    def _note_no_scope(self, visit: Visit, route: ConsolePage | ConsoleForm) -> None:
        what = f"{route.method} {PREFIX}{route.path}"
        self._refusals.refuse_caller(Refusal.NO_SCOPE, visit.caller.actor, what, visit.address)
