"""The web resource of the console.

Theory of operation. A request passes these checks, in this order: a private connection (TLS, or
this machine), the origin and the token of a form, the session, the scope. Then the page runs, and
its template is rendered on a thread. A form that succeeds is answered by a redirect, so that a
reload sends nothing twice; one with mistakes is shown again with what was entered.
"""

from __future__ import annotations

import functools
import hmac
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode
from zoneinfo import ZoneInfo

import attrs
import msgspec
from markupsafe import Markup
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ...clock import wall_clock
from ...device.changes import ScopeNeeded
from ...device.proxies import Proxies
from ...device.refusals import Refusal, RefusalLog
from ...model import MOST_ID
from ...protocol.errors import ProtocolError
from ..arguments import parse_query
from ..channel import ManageRequest
from ..errors import ApiError, explain, too_large
from ..routes import Raw, Stream, header_of, map_of, write_header
from . import security
from .assets import Asset, assets
from .forms import (
    CONFIRMED,
    CSRF,
    NOTHING_ENTERED,
    FormEntry,
    FormMistakes,
    SentForm,
    parse_form,
    read_form,
)
from .languages import ConsoleLanguage, language_of, preferred
from .live import LiveConsole, LiveHub
from .navigation import navigation
from .pages import (
    PREFIX,
    ConfirmationQuestion,
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
from .phrases import Phrase
from .rendering import Renderer
from .security import HEADERS, NotPrivate
from .visits import SignIn, Visit, Visitor

HTML = "text/html; charset=utf-8"
YEAR = 365 * 24 * 3600
NOTICE_SECONDS = 60
_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>", re.ASCII)
_STATIC = f"{PREFIX}/static/"
_LIVE = f"{PREFIX}/live"
_log = Logger()

NO_PAGE = Phrase("There is no such page.")
NOT_ALLOWED = Phrase("Your account may not do this. A manager of accounts can allow it.")
ENDED = Phrase("Your session has ended. Sign in again; then repeat what you did last.")
BUSY = Phrase("Too many pages are live already. This one stays as it is until it is reloaded.")


class PageRefusal(ApiError):
    """A refusal before the body is read, as a small page."""

    content_type = HTML

    def __init__(self, error: ApiError, words: str) -> None:
        super().__init__(error.status, words, {**HEADERS, **error.headers})

    def body(self) -> bytes:
        """The page."""
        page = Markup(
            '<!doctype html><html><meta charset="utf-8"><title>zkpush</title>'
            '<p>{}</p><p><a href="/console/">zkpush</a></p></html>'
        )
        return page.format(self.detail).encode()


class _SignInNeeded(Exception):
    """The page needs a session."""


@attrs.frozen
class _Target:
    """A page or form that a request has found."""

    capability: str
    route: ConsolePage | ConsoleForm
    names: Mapping[str, object]


class ConsoleResource(Resource):
    """Serves the pages, forms and live parts of all capabilities."""

    isLeaf = True

    def __init__(
        self,
        additions: Sequence[ConsoleAddition],
        sign_in: SignIn,
        hub_of: Any,
        proxies: Proxies,
        refusals: RefusalLog,
        reactor: Any,
    ) -> None:
        """`hub_of` makes the `LiveHub`, given its parts, what renders them, and `living`."""
        super().__init__()
        self._sign_in = sign_in
        self._proxies = proxies
        self._refusals = refusals
        self._reactor = reactor
        self._wall = wall_clock(reactor)
        self._renderer = Renderer(additions, assets())
        self.pages: list[tuple[str, ConsolePage | ConsoleForm]] = []
        """Pages and forms with the names of their capabilities."""
        self.parts: dict[str, tuple[str, LivePart]] = {}
        """Live parts with the names of their capabilities, by name."""
        for addition in additions:
            for route in addition.routes:
                if isinstance(route, LivePart):
                    self.parts[route.name] = addition.name, route
                else:
                    self.pages.append((addition.name, route))
        self._map = map_of(tuple((route.method, PREFIX + route.path) for _, route in self.pages))
        self.hub: LiveHub = hub_of(
            {name: part for name, (_, part) in self.parts.items()}, self._part, sign_in.living
        )

    # Serving.

    def render(self, request: ManageRequest) -> int:
        """Answer a request."""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        running = Deferred.fromCoroutine(self._run(request))
        running.addCallback(lambda reply: None if gone else self._write(request, reply))
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
            why = getattr(error, "why", error.detail)
            raise PageRefusal(
                error, self._renderer.said(why, self._language(request, None))
            ) from None

    async def _judge(
        self, request: ManageRequest, method: bytes, path: bytes, length: int | None
    ) -> int:
        self._check_private(request)
        target = self._match(method, path)
        if not isinstance(target.route, ConsoleForm):
            return 0
        security.check_own(request)
        room = target.route.most_bytes
        if target.route.scope is not None:
            visitor = await self._visitor(request)
            if visitor is None or target.route.scope not in visitor.scopes:
                room = min(room, 64 * 1024)
        if length is not None and length > room:
            raise too_large(room)
        return room

    async def _run(self, request: ManageRequest) -> Raw | Stream:
        path = unquote(request.path.decode("ascii", "replace"), errors="replace")
        if path.startswith(_STATIC):
            return self._static(path.removeprefix(_STATIC))
        if path in ("/", PREFIX):
            return self._redirect(request, Redirect(to="/"))
        visit = self._stranger(request)
        try:
            self._check_private(request)
            chosen = _argument(request, "lang")
            if chosen is not None and language_of(chosen) is not None:
                return self._redirect(request, Redirect(to=visit.path, language=chosen))
            visit = await self._known(request, visit)
            if path == _LIVE:
                return self._live(request, visit)
            return await self._page(request, visit)
        except _SignInNeeded:
            return self._to_sign_in(request, visit)
        except NotPrivate as error:
            return await self._error(request, visit, error.status, error.why)
        except Exception as error:
            explained = explain(error)
            return await self._error(
                request, visit, explained.status, getattr(error, "why", explained.detail)
            )

    def _check_private(self, request: ManageRequest) -> None:
        address, is_trusted = self._origin(request)
        security.check_private(request, address, is_trusted)

    def _origin(self, request: ManageRequest) -> tuple[str | None, bool]:
        """Return the address of the browser, and whether a trusted proxy stands between."""
        peer = getattr(request.transport.getPeer(), "host", None) if request.transport else None
        is_trusted = bool(self._proxies) and self._proxies.trusts(peer)
        return request.find_client(), is_trusted

    def _match(self, method: bytes, path: bytes) -> _Target:
        text = unquote(path.decode("ascii", "replace"), errors="replace")
        verb = method.decode("ascii", "replace")
        try:
            number, names = self._map.match(text, "GET" if verb == "HEAD" else verb)
        except MethodNotAllowed as error:
            takes = ", ".join(sorted(error.valid_methods or ()))
            raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, NO_PAGE, {"Allow": takes}) from None
        except HTTPException:
            raise ApiError(HTTPStatus.NOT_FOUND, NO_PAGE) from None
        if any(isinstance(value, int) and value > MOST_ID for value in names.values()):
            raise ApiError(HTTPStatus.NOT_FOUND, NO_PAGE)
        capability, route = self.pages[int(str(number))]
        return _Target(capability, route, names)

    async def _page(self, request: ManageRequest, visit: Visit) -> Raw | Stream:
        target = self._match(request.method, request.path)
        route = target.route
        if isinstance(route, ConsoleForm):
            security.check_own(request)
        if route.scope is not None:
            if visit.visitor is None:
                raise _SignInNeeded
            if not visit.allows(route.scope):
                self._note_no_scope(visit, route)
                raise ApiError(HTTPStatus.FORBIDDEN, NOT_ALLOWED)
        try:
            if isinstance(route, ConsoleForm):
                result = await self._sent(request, visit, target, route)
            else:
                result = await self._shown(request, visit, target, route)
        except ScopeNeeded:
            self._note_no_scope(visit, route)
            raise ApiError(HTTPStatus.FORBIDDEN, NOT_ALLOWED) from None
        except LookupError as error:
            raise ApiError(HTTPStatus.NOT_FOUND, str(error.args[0])) from None
        except (ValueError, ProtocolError) as error:
            raise ApiError(HTTPStatus.BAD_REQUEST, str(error)) from None
        return await self._reply(request, visit, target, result)

    async def _shown(
        self, request: ManageRequest, visit: Visit, target: _Target, page: ConsolePage
    ) -> Result:
        arguments = dict(target.names)
        if page.query is not None:
            values = {name: texts[-1] for name, texts in _query(request).items() if texts[-1]}
            known = {
                name: text for name, text in values.items() if name in page.query.__struct_fields__
            }
            parsed, mistakes = parse_query(page.query, known)
            if parsed is None:
                raise FormMistakes(*mistakes)
            arguments["query"] = parsed
        return await page.run(visit, **arguments)

    async def _sent(
        self, request: ManageRequest, visit: Visit, target: _Target, form: ConsoleForm
    ) -> Result:
        sent = read_form(header_of(request, "content-type") or "", request.content.getvalue())
        if visit.visitor is not None:
            token = sent.texts.get(CSRF, ("",))[-1]
            if not hmac.compare_digest(token.encode(), visit.csrf.encode()):
                raise ApiError(HTTPStatus.FORBIDDEN, security.FOREIGN)
        try:
            values = parse_form(form.fields, sent)
            if CONFIRMED not in sent.texts:
                question = await _question(form, visit, values, target.names)
                if question is not None:
                    return _asked(request, question, sent, target.names)
            return await form.run(visit, form=values, **target.names)
        except (ValueError, ProtocolError, LookupError, ApiError) as error:
            if form.again is None or (isinstance(error, ApiError) and error.status.value >= 500):
                raise
            whole, fields = _mistakes(error)
            status = (
                error.status if isinstance(error, ApiError) else HTTPStatus.UNPROCESSABLE_ENTITY
            )
            entry = FormEntry(sent.texts, whole, fields)
            view = await form.again(visit, entry=entry, **target.names)
            return attrs.evolve(view, status=status)

    # Replies.

    async def _reply(
        self, request: ManageRequest, visit: Visit, target: _Target, result: Result
    ) -> Raw | Stream:
        if isinstance(result, Redirect):
            return self._redirect(request, result)
        if isinstance(result, PageFile):
            headers = {**HEADERS, **_saved_as(result.name)}
            return Raw(result.content_type, result.body, headers=headers)
        if isinstance(result, PageStream):
            headers = {**result.stream.headers, **HEADERS, **_saved_as(result.name)}
            return attrs.evolve(result.stream, headers=headers)
        title = result.title
        if title is None:
            title = target.route.title if isinstance(target.route, ConsolePage) else ""
        body = await self._rendered(request, visit, target.capability, result, title)
        cookies = []
        secure = self._is_secure(request)
        if result.end_session:
            cookies.append(security.cookie(security.COOKIE, "", secure=secure, seconds=0))
        if self._cookie(request, security.NOTICE) is not None:
            cookies.append(security.cookie(security.NOTICE, "", secure=secure, seconds=0))
        return _html(body, result.status, cookies)

    async def _rendered(
        self, request: ManageRequest, visit: Visit, capability: str, view: View, title: str
    ) -> bytes:
        name = view.template if "/" in view.template else f"{capability}/{view.template}"
        values = {
            "entry": NOTHING_ENTERED,
            **view.values,
            "visit": visit,
            "now": int(self._wall() * 1000),
            "title": title,
            "navigation": navigation(self.pages, visit),
            "notice": self._notice(request),
            "live_parts": urlencode([("part", part) for part in view.live]),
            "sign_in_path": PREFIX + self._sign_in.path,
        }
        return (await self._on_thread(name, visit.language, values)).encode()

    async def _part(self, part: LivePart, argument: str | None, visit: Visit) -> str:
        """Render a live part for all who see the same."""
        if visit.visitor is not None:
            visit = attrs.evolve(visit, visitor=attrs.evolve(visit.visitor, name="", secret=""))
        capability, _ = self.parts[part.name]
        view = await part.run(visit, argument)
        name = view.template if "/" in view.template else f"{capability}/{view.template}"
        values = {**view.values, "visit": visit, "now": int(self._wall() * 1000), "is_live": True}
        return await self._on_thread(name, visit.language, values)

    async def _on_thread(
        self, name: str, language: ConsoleLanguage, values: Mapping[str, object]
    ) -> str:
        pool = self._reactor.getThreadPool()
        text: str = await deferToThreadPool(
            self._reactor, pool, self._renderer.render, name, language, values
        )
        return text

    async def _error(
        self, request: ManageRequest, visit: Visit, status: HTTPStatus, why: str
    ) -> Raw:
        view = View(template="console/error.html", values={"why": why}, status=status)
        title = Phrase("This did not work") if status.value >= 400 else Phrase("Console")
        body = await self._rendered(request, visit, "console", view, title)
        return _html(body, status)

    def _to_sign_in(self, request: ManageRequest, visit: Visit) -> Raw:
        """Send a browser without a session to the page to sign in, and back afterwards."""
        if request.getHeader(b"hx-request") is not None or request.method == b"POST":
            notice: Phrase | None = ENDED
        else:
            notice = None
        there = visit.path + (f"?{visit.query}" if visit.query else "")
        back = f"?{urlencode({'to': there})}" if request.method == b"GET" and there != "/" else ""
        return self._redirect(request, Redirect(to=self._sign_in.path + back, notice=notice))

    def _redirect(self, request: ManageRequest, redirect: Redirect) -> Raw:
        secure = self._is_secure(request)
        cookies = []
        if redirect.notice is not None:
            language = self._language(request, None)
            text = quote(self._renderer.said(redirect.notice, language)[:1000])
            cookies.append(
                security.cookie(security.NOTICE, text, secure=secure, seconds=NOTICE_SECONDS)
            )
        if redirect.session is not None:
            seconds = None if redirect.session else 0
            cookies.append(
                security.cookie(security.COOKIE, redirect.session, secure=secure, seconds=seconds)
            )
        if redirect.language is not None:
            cookies.append(
                security.cookie(security.LANGUAGE, redirect.language, secure=secure, seconds=YEAR)
            )
        to = PREFIX + redirect.to
        return _html(
            b"", HTTPStatus.SEE_OTHER, cookies, {"Location": quote(to, safe="/?&=%:+,-._~")}
        )

    def _static(self, name: str) -> Raw:
        asset: Asset | None = assets().find(name)
        if asset is None:
            return Raw("text/plain", b"There is no such file.", HTTPStatus.NOT_FOUND, HEADERS)
        kept = {"Cache-Control": f"public, max-age={YEAR}, immutable"}
        return Raw(asset.content_type, asset.body, headers={**HEADERS, **kept})

    def _live(self, request: ManageRequest, visit: Visit) -> Stream | Raw:
        if visit.visitor is None:
            return Raw("text/plain", b"", HTTPStatus.UNAUTHORIZED, HEADERS)
        secret = visit.visitor.secret
        names = _query(request).get("part", [])
        for name in names:
            try:
                part, _ = self.hub.find(name)
            except LookupError:
                return Raw("text/plain", b"", HTTPStatus.NOT_FOUND, HEADERS)
            if not visit.allows(part.scope):
                return Raw("text/plain", b"", HTTPStatus.FORBIDDEN, HEADERS)
        if self.hub.is_full or not names:
            return Raw("text/plain", b"", HTTPStatus.NO_CONTENT, HEADERS)

        def begin(running: Any) -> Any:
            console = LiveConsole(self.hub, self._reactor, running, secret)
            Deferred.fromCoroutine(self.hub.join(console, names, visit)).addErrback(
                lambda failure: _log.failure("A live page was not joined", failure)
            )
            return console.end

        return Stream("text/event-stream", begin, {**HEADERS, "X-Accel-Buffering": "no"})

    def _write(self, request: ManageRequest, reply: Raw | Stream) -> None:
        cookies = reply.headers.get(_COOKIES, "") if isinstance(reply, Raw) else ""
        headers = {name: text for name, text in reply.headers.items() if name != _COOKIES}
        write_header(request, attrs.evolve(reply, headers=headers))
        for each in filter(None, cookies.split("\n")):
            request.responseHeaders.addRawHeader(b"Set-Cookie", each.encode())
        if isinstance(reply, Stream):
            if request.method == b"HEAD":
                request.finish()
            else:
                reply.begin(request)
            return
        request.setHeader("Content-Length", str(len(reply.body)))
        if request.method != b"HEAD":
            request.write(reply.body)
        request.finish()

    # Visits.

    def _stranger(self, request: ManageRequest) -> Visit:
        """Make the visit of a request before its session is known."""
        host = header_of(request, "host") or ""
        try:
            address = request.find_client()
        except ApiError:
            address = None
        return Visit(
            visitor=None,
            address=address,
            agent=(header_of(request, "user-agent") or "")[:200],
            language=self._language(request, None),
            zone=ZoneInfo("UTC"),
            origin=f"{'https' if self._is_secure(request) else 'http'}://{host}",
            path=unquote(request.path.decode("ascii", "replace")).removeprefix(PREFIX) or "/",
            query=request.uri.partition(b"?")[2].decode("ascii", "replace"),
        )

    async def _known(self, request: ManageRequest, visit: Visit) -> Visit:
        visitor = await self._visitor(request)
        language = self._language(request, visitor)
        return attrs.evolve(
            visit,
            visitor=visitor,
            language=language,
            said=functools.partial(self._renderer.said, language=language),
            zone=_zone(None if visitor is None else visitor.zone),
        )

    async def _visitor(self, request: ManageRequest) -> Visitor | None:
        secret = self._cookie(request, security.COOKIE)
        visitor = None if not secret else await self._sign_in.find(secret)
        request.recognised(visitor is not None)
        return visitor

    def _language(self, request: ManageRequest, visitor: Visitor | None) -> ConsoleLanguage:
        remembered = self._cookie(request, security.LANGUAGE)
        for code in (None if visitor is None else visitor.language, remembered):
            found = language_of(code)
            if found is not None:
                return found
        return preferred(header_of(request, "accept-language"))

    def _notice(self, request: ManageRequest) -> str | None:
        text = self._cookie(request, security.NOTICE)
        return None if text is None else unquote(text)

    def _cookie(self, request: ManageRequest, name: str) -> str | None:
        wanted = security.cookie_name(name, self._is_secure(request))
        value: bytes | None = request.getCookie(wanted.encode())
        return None if value is None else value.decode("ascii", "replace")

    def _is_secure(self, request: ManageRequest) -> bool:
        try:
            _, is_trusted = self._origin(request)
        except ApiError:
            is_trusted = False
        return security.is_secure(request, is_trusted)

    def _note_no_scope(self, visit: Visit, route: ConsolePage | ConsoleForm) -> None:
        what = f"{route.method} {PREFIX}{route.path}"
        self._refusals.refuse_caller(Refusal.NO_SCOPE, visit.caller.actor, what, visit.address)


async def _question(
    route: ConsoleForm, visit: Visit, form: msgspec.Struct, names: Mapping[str, object]
) -> ConfirmationQuestion | None:
    asked = route.question
    if asked is None or isinstance(asked, ConfirmationQuestion):
        return asked
    return await asked(visit, form=form, **names)


def _asked(
    request: ManageRequest,
    question: ConfirmationQuestion,
    sent: SentForm,
    names: Mapping[str, object],
) -> View:
    """Return the page of a question: its form has the fields that were sent."""
    back = _VARIABLE.sub(lambda found: quote(str(names[found[1]]), safe=""), question.back)
    fields = [(name, text) for name, texts in sent.texts.items() for text in texts if name != CSRF]
    return View(
        template="console/question.html",
        title=question.title,
        values={
            "question": question,
            "subject": ", ".join(map(str, names.values())),
            "action": request.path.decode("ascii", "replace").removeprefix(PREFIX),
            "fields": [*fields, (CONFIRMED, "true")],
            "back": back,
        },
    )


_COOKIES = "\n"
"""Key of the cookies among the headers of a reply, one on each line."""


def _html(
    body: bytes,
    status: HTTPStatus,
    cookies: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Raw:
    more = {_COOKIES: "\n".join(cookies)} if cookies else {}
    return Raw(HTML, body, status, {**HEADERS, **(headers or {}), **more})


def _saved_as(name: str | None) -> dict[str, str]:
    """Return the headers of a file, which is shown unless it has a name."""
    headers = {"Cache-Control": "no-store"}
    if name is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return headers


def _query(request: ManageRequest) -> dict[str, list[str]]:
    text = request.uri.partition(b"?")[2].decode("ascii", "replace")
    return parse_qs(text, keep_blank_values=True, errors="replace", max_num_fields=200)


def _argument(request: ManageRequest, name: str) -> str | None:
    try:
        return _query(request).get(name, [None])[-1]
    except ValueError:
        return None


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, LookupError, OSError):
        return ZoneInfo("UTC")


def _mistakes(error: Exception) -> tuple[Sequence[str], Mapping[str, str]]:
    if isinstance(error, FormMistakes):
        return error.whole, error.fields
    if isinstance(error, ApiError):
        return [error.detail], {}
    # The first argument may be a `Phrase`, which is translated later.
    return [error.args[0] if error.args else str(error)], {}
