"""Work of some days in the console, on one site: conflicts, jobs, forwarders, people."""

from __future__ import annotations

import http.client
import json
import pathlib
import re
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from ..browser import PASSWORD
from .acts import approve, make_first_account, overflow
from .conftest import SECONDS, LiveSite, until
from .test_console import SERIAL, OpenPage

TERMINAL = "Front door"
OTHER = "ELSEWHERE1"
PHONE = {"width": 360, "height": 740}


class Payroll:
    """A receiver of punches that can be down."""

    def __init__(self) -> None:
        received: list[bytes] = []
        self.received = received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._handler = Handler
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._server.server_close()

    def start(self) -> None:
        """Begin to answer."""
        self._server = HTTPServer(("127.0.0.1", self.port), self._handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class WorkSite(LiveSite):
    """A site with an approved simulated terminal, and the session of its first account."""

    def __init__(self, data: pathlib.Path, chromium: Browser) -> None:
        super().__init__(data)
        context = chromium.new_context(locale="en-GB")
        page = context.new_page()
        make_first_account(page, self)
        self.simulate()
        page.get_by_role("link", name=re.compile("Approve it")).first.click()
        approve(page, TERMINAL)
        self.session = context.storage_state()
        context.close()

    def api(self, method: str, path: str, body: object = None) -> None:
        """Send a request of a program."""
        headers = {"Authorization": f"Bearer {self.daemon.token}"}
        headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        port = self.daemon.manage.port
        assert port is not None
        _ask(port, method, f"/api/v1{path}", content, headers)

    def upload(self, sn: str, table: str, body: bytes) -> None:
        """Send an upload as a terminal does, after its first request."""
        port = self.daemon.terminals.port
        assert port is not None
        path = f"/iclock/cdata?SN={sn}"
        _ask(port, "GET", f"{path}&options=all&pushver=2.4.1", None, {})
        reply = _ask(port, "POST", f"{path}&table={table}&Stamp=1", body, {})
        assert reply.startswith(b"OK"), reply


def _ask(
    port: int, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, dict(headers))
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    assert reply.status < 300, (path, reply.status, content)
    return content


@pytest.fixture(scope="module")
def work(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkSite]:
    """One site for all tests of this module, each of which leaves it usable."""
    found = WorkSite(tmp_path_factory.mktemp("work") / "data", chromium)
    yield found
    found.end()


@pytest.fixture
def page(work: WorkSite, open_page: OpenPage) -> Page:
    """A page in which the first account has signed in."""
    return open_page(storage_state=work.session, viewport={"width": 1280, "height": 860})


def test_a_conflict_is_settled(work: WorkSite, page: Page) -> None:
    """What a terminal says otherwise is shown beside what is stored, and one side is chosen."""
    work.api("PUT", "/users/901", {"name": "Ann Ash"})
    work.run("devices", "approve", OTHER, "--add", "--timezone", "UTC")
    work.upload(OTHER, "OPERLOG", b"USER PIN=901\tName=Bob Birch\tPri=0\n")
    page.goto(f"{work.url}/console/people/conflicts")
    sides = page.get_by_role("region", name="Both sides")
    expect(sides).to_contain_text("Ann Ash")
    expect(sides).to_contain_text("Bob Birch")
    page.get_by_role("button", name=re.compile("Take")).click()
    expect(page.get_by_text("No terminal contradicts what is stored.")).to_be_visible()
    page.goto(f"{work.url}/console/people/901")
    expect(page.get_by_role("heading", name="Bob Birch")).to_be_visible()


def test_a_job_is_sent_and_watched(work: WorkSite, page: Page) -> None:
    """A command is chosen and sent, and its page shows by itself that it succeeded."""
    page.goto(f"{work.url}/console/jobs/new")
    page.get_by_role("link", name=re.compile("Check for new data")).click()
    page.get_by_label(re.compile("^Terminal")).first.select_option(label=TERMINAL)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("1 of 1 commands have ended")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("done|succeeded"))).to_be_visible()


def test_a_forwarder_that_was_down_sends_again(work: WorkSite, page: Page) -> None:
    """Its page shows the error and the backlog, then the deliveries; a day is sent again."""
    payroll = Payroll()
    url = f"http://127.0.0.1:{payroll.port}/punches"
    work.run("forwarders", "add", "payroll", "--url", url, "--allow-private")
    page.goto(f"{work.url}/console/forwarders")
    page.get_by_role("link", name="payroll").click()
    expect(page.get_by_text(re.compile("failed attempt")).first).to_be_visible()
    payroll.start()
    try:
        page.get_by_role("button", name="Send a test").click()
        until(lambda: bool(payroll.received), "the test did not arrive")
        page.goto(f"{work.url}/console/forwarders/1")
        until(lambda: len(payroll.received) > 1, "no punch arrived")
        count = len(payroll.received)
        page.get_by_label("From", exact=True).fill("2020-01-01")
        page.get_by_role("button", name="Send again", exact=True).click()
        expect(page.get_by_role("status")).to_be_visible()
        until(lambda: len(payroll.received) > count, "nothing was sent again")
    finally:
        payroll.stop()
        work.api("DELETE", "/forwarders/1")


def test_an_import_with_mistakes_stores_nothing(work: WorkSite, page: Page) -> None:
    """Each wrong line is named with its mistake; the corrected file is imported."""
    page.goto(f"{work.url}/console/people/import")

    def choose(lines: str) -> None:
        file = {"name": "people.csv", "mimeType": "text/csv", "buffer": lines.encode()}
        page.get_by_label(re.compile("^CSV file")).set_input_files(file)  # type: ignore[arg-type]  # a dict will do
        page.get_by_role("button", name="Check the file").click()

    choose("pin,name,privilege\n911,Cleo Cole,0\n912,Dan Dow,boss\n")
    expect(page.get_by_role("alert")).to_contain_text("Nothing is imported")
    expect(page.get_by_role("cell", name="912")).to_be_visible()
    expect(page.get_by_role("button", name="Import now")).to_have_count(0)
    page.get_by_role("link", name="Choose another file").click()
    choose("pin,name,privilege\n911,Cleo Cole,0\n912,Dan Dow,14\n")
    page.get_by_role("button", name="Import now").click()
    page.goto(f"{work.url}/console/people/912")
    expect(page.get_by_role("heading", name="Dan Dow")).to_be_visible()


def test_an_enrolment_is_watched_without_a_mouse_on_a_phone(
    work: WorkSite, open_page: OpenPage
) -> None:
    """The form is filled by keys; the progress changes by itself, and nothing is too wide."""
    work.api("PUT", "/users/921", {"name": "Eve Elm"})
    page = open_page(storage_state=work.session, viewport=PHONE)
    page.goto(f"{work.url}/console/people/921/enrol")
    page.get_by_label("Terminal", exact=True).focus()
    page.keyboard.type(TERMINAL)
    page.keyboard.press("Tab")
    page.keyboard.type("Right thumb")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Start"
    page.keyboard.press("Enter")
    # The terminal fetches the person first, and then the order.
    expect(page.get_by_text(re.compile("^Enrolled"))).to_be_visible(timeout=4 * SECONDS * 1000)
    assert overflow(page) <= 0


def test_an_account_without_a_scope_neither_sees_nor_does(
    work: WorkSite, page: Page, open_page: OpenPage
) -> None:
    """A second account sees no button and no page that it may not use; the server refuses both."""
    page.goto(f"{work.url}/console/accounts")
    made = json.loads(work.run("accounts", "add", "bob", "--scope", "read", "--json"))
    other = open_page()
    other.goto(f"{work.url}{made['link']['path']}")
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_label("The same password again").fill(PASSWORD)
    other.get_by_role("button", name="Continue").click()
    expect(other.get_by_role("heading", name="Overview")).to_be_visible()
    for name in ("Accounts", "Audit log", "API tokens", "Forwarders"):
        expect(page.get_by_role("link", name=name, exact=True).first).to_be_attached()
        expect(other.get_by_role("link", name=name, exact=True)).to_have_count(0)
    for path, name in (("/people", "Add a person"), ("/jobs", "Send a command")):
        page.goto(f"{work.url}/console{path}")
        expect(page.get_by_role("link", name=name).first).to_be_visible()
        other.goto(f"{work.url}/console{path}")
        expect(other.get_by_role("heading", level=1)).to_be_visible()
        expect(other.get_by_role("link", name=name)).to_have_count(0)
    for path in ("/accounts", "/people/new", "/jobs/new", f"/terminals/{SERIAL}/approve"):
        reply = other.goto(f"{work.url}/console{path}")
        assert reply is not None
        assert reply.status == 403
    token = other.locator("meta[name=csrf]").get_attribute("content")
    sent = other.request.post(
        f"{work.url}/console/terminals/{SERIAL}/block",
        form={"csrf": str(token)},
        headers={"Origin": work.url},
    )
    assert sent.status == 403
    assert '"approved"' in work.run("devices", "show", SERIAL, "--json")


def test_people_are_changed_without_a_script(work: WorkSite, open_page: OpenPage) -> None:
    """A person is added, changed and found without JavaScript."""
    page = open_page(storage_state=work.session, java_script_enabled=False)
    page.goto(f"{work.url}/console/people/new")
    page.get_by_label(re.compile("^User ID")).fill("931")
    page.get_by_label(re.compile("^Name")).fill("Fay Fir")
    page.get_by_role("button", name="Save").click()
    page.goto(f"{work.url}/console/people?q=Fay")
    page.get_by_role("link", name="Fay Fir").click()
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label(re.compile("^Name")).fill("Fay Forest")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Fay Forest")).to_be_visible()


def test_work_is_done_from_right_to_left(work: WorkSite, open_page: OpenPage) -> None:
    """Who reads Arabic signs in, adds a person and finds the punches, on mirrored pages."""
    scopes = ("--scope", "read", "--scope", "write")
    made = json.loads(work.run("accounts", "add", "amal", *scopes, "--json"))
    page = open_page(locale="ar", viewport={"width": 1280, "height": 860})
    page.goto(f"{work.url}{made['link']['path']}")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=again]").fill(PASSWORD)
    page.locator("main button").click()
    page.locator("nav a[href='/console/people']").click()
    page.locator("a[href='/console/people/new']").click()
    page.locator("[name=pin]").fill("941")
    page.locator("[name=name]").fill("فاطمة Fir")
    page.locator("main button.main").click()
    expect(page.get_by_role("heading", name="فاطمة Fir")).to_be_visible()
    expect(page.get_by_role("status")).to_be_visible()
    work.run("devices", "approve", OTHER, "--add", "--timezone", "UTC")
    work.upload(OTHER, "ATTLOG", b"941\t2026-03-01 08:00:00\t0\t1\t0\t0\t0\t255\t\t\n")
    page.goto(f"{work.url}/console/attendance?person=941&since=2026-03-01&until=2026-03-01")
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("فاطمة Fir")
    boxes = [page.locator("thead th").nth(place).bounding_box() for place in (0, 1)]
    menu = page.locator("header.side").bounding_box()
    first, second = boxes
    assert first is not None
    assert second is not None
    assert menu is not None
    assert menu["x"] > first["x"] > second["x"]
    assert overflow(page) <= 0


LONG = "W" * 200
"""A word of a terminal that no line can hold."""
LONG_ID = LONG[:24]
"""The longest user ID that the API takes."""
WITH_LONG_WORDS = (
    "",
    "terminals",
    f"terminals/{OTHER}",
    f"terminals/{OTHER}/people",
    f"terminals/{OTHER}/requests",
    f"terminals/{OTHER}/settings",
    f"people/{LONG_ID}",
    f"people/{LONG_ID}/edit",
    f"people/{LONG_ID}/places",
    f"people/{LONG_ID}/remove",
    f"people/{LONG_ID}/photos",
    f"people/{LONG_ID}/enrol",
    f"attendance/people/{LONG_ID}",
    "people",
    "people/conflicts",
    "attendance",
    "areas/default",
    "audit",
    "rejects",
    "commands",
)


def test_long_words_of_terminals_fit_a_phone(work: WorkSite, open_page: OpenPage) -> None:
    """Names, user IDs and what a terminal says of itself are broken, and no page gets too wide."""
    work.run("devices", "approve", OTHER, "--add", "--timezone", "UTC")
    work.api("PATCH", f"/devices/{OTHER}", {"alias": LONG[:60]})
    work.upload(OTHER, "options", f"~DeviceName={LONG},FWVersion={LONG}".encode())
    stated = f"USER PIN={LONG_ID}\tName={LONG}\tPri=0\tGrp={LONG}\n"
    work.upload(OTHER, "OPERLOG", stated.encode())
    work.api("PUT", f"/users/{LONG_ID}", {"privilege": 14})
    work.upload(OTHER, "OPERLOG", stated.encode())
    work.upload(OTHER, "ATTLOG", f"{LONG_ID}\t2026-03-02 08:00:00\t0\t1\t0\t0\t0\n".encode())
    work.upload(OTHER, LONG[:60], LONG.encode())
    page = open_page(storage_state=work.session, viewport={"width": 375, "height": 812})
    page.goto(f"{work.url}/console/people/{LONG_ID}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(LONG[:60])
    wide = []
    for place in WITH_LONG_WORDS:
        page.goto(f"{work.url}/console/{place}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if overflow(page) > 0:
            wide.append((place[:40], overflow(page)))
    assert wide == []
