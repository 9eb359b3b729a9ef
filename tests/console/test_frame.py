"""The frame of the console: how pages and forms are served, and to whom."""

from __future__ import annotations

import base64
import pathlib
import re

import pytest
import pytest_twisted

from zkpush.handlers.accounts.store import AccountStore

from ..rig import Rig
from .browser import PASSWORD, Browser, document, first_link, location, signed_in, text_of


@pytest_twisted.ensureDeferred
async def test_the_first_account_is_made_by_a_link_that_works_once(rig: Rig) -> None:
    """The link leads to the first account, which has signed in then; afterwards it is over."""
    link = await first_link(rig)
    browser = Browser(rig)
    done = await browser.send(
        link,
        link,
        {"name": "ann", "password": PASSWORD, "again": PASSWORD, "zone": "Europe/Madrid"},
    )
    assert location(done) == "/first-terminal"
    shown = await browser.get("/")
    assert shown.status == 200
    assert "ann" in text_of(shown)
    assert (await Browser(rig).get(link)).status == 410
    assert (await rig.api("POST", "/console/link")).status == 409


@pytest_twisted.ensureDeferred
async def test_a_person_signs_in_and_out(rig: Rig) -> None:
    """A page without a session leads to the sign-in and back; signing out ends the session."""
    first = await signed_in(rig)
    browser = Browser(rig)
    asked = await browser.get("/accounts")
    assert location(asked) == "/sign-in?to=%2Faccounts"
    done = await browser.send(location(asked), "/sign-in", {"name": "ann", "password": PASSWORD})
    assert location(done) == "/accounts"
    assert (await browser.get("/accounts")).status == 200
    stolen = dict(browser.cookies)
    assert location(await browser.send("/", "/sign-out", {})) == "/sign-in"
    browser.cookies = stolen
    assert location(await browser.get("/accounts")).startswith("/sign-in")
    assert (await first.get("/accounts")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_form_of_another_site_does_nothing(rig: Rig) -> None:
    """A form needs the token of its session, and comes from a page of the console."""
    browser = await signed_in(rig)
    assert (await browser.post("/account", {"zone": "UTC"})).status == 403
    assert (await browser.post("/account", {"zone": "UTC", "csrf": "0" * 64})).status == 403
    evil = await browser.post(
        "/sign-in", {"name": "ann", "password": PASSWORD}, ["Sec-Fetch-Site: cross-site"]
    )
    assert evil.status == 403
    other = await browser.post("/sign-out", {}, ["Origin: https://evil.example"])
    assert other.status == 403
    assert (await browser.get("/account")).status == 200


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", [], 200),
        ("::1", [], 200),
        ("192.0.2.7", [], 403),
        ("192.0.2.7", ["X-Forwarded-Proto: https", "X-Forwarded-For: 127.0.0.1"], 403),
        ("127.0.0.1", ["X-Forwarded-For: 192.0.2.7"], 403),
        ("10.0.0.1", ["X-Forwarded-For: 192.0.2.7"], 403),
        ("10.0.0.1", ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https"], 200),
    ],
)
@pytest_twisted.ensureDeferred
async def test_no_password_is_taken_over_plain_http(
    make_rig, address: str, headers: list[str], status: int
) -> None:
    """Beyond this machine the console needs TLS, or a trusted proxy that says it has TLS."""
    rig = await make_rig(proxies={"trusted": ["10.0.0.1"]})
    browser = Browser(rig, address)
    assert (await browser.get("/sign-in", headers)).status == status
    sent = await browser.post("/sign-in", {"name": "a", "password": "b"}, headers)
    assert sent.status == (422 if status == 200 else 403)
    if status == 403:
        assert b"zkpush console setup" in sent.body or b"proxies.trusted" in sent.body


@pytest_twisted.ensureDeferred
async def test_cookies_over_tls_are_bound_to_the_host(make_rig) -> None:
    """Over TLS the cookie of the session is secure and has the prefix of the host."""
    rig = await make_rig(proxies={"trusted": ["10.0.0.1"]})
    made = await rig.api("POST", "/accounts", {"name": "ann", "scopes": ["read"]})
    path = made.json["link"]["path"].removeprefix("/console")
    browser = Browser(rig, "10.0.0.1")
    proxied = ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https"]
    sent = await browser.post(path, {"password": PASSWORD, "again": PASSWORD}, proxied)
    cookies = [value.decode() for name, value in sent.headers if name == b"Set-Cookie"]
    session = next(one for one in cookies if one.startswith("__Host-zkpush="))
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(session.split("; "))


@pytest_twisted.ensureDeferred
async def test_the_secret_of_a_second_factor_is_sealed_on_disk(
    make_rig, tmp_path: pathlib.Path
) -> None:
    """It is in no file, neither as the text that the app gets nor as its bytes."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    await rig.api("POST", "/accounts", {"name": "ann-of-the-office", "scopes": ["read"]})
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    await rig.store.write(lambda tx: tx[AccountStore].change("ann-of-the-office", {"totp": secret}))
    await rig.stop()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"ann-of-the-office" in stored
    assert secret.encode() not in stored
    assert base64.b32decode(secret) not in stored


@pytest_twisted.ensureDeferred
async def test_static_files_are_kept_by_their_content(rig: Rig) -> None:
    """A page names its files with their digest, and browsers may keep these for a year."""
    browser = Browser(rig)
    tree = document(await browser.get("/sign-in"))
    names = [node.attrib["src"] for node in tree.iter("script")]
    names += [node.attrib["href"] for node in tree.iter("link")]
    assert len(names) == 5
    for name in names:
        found = await browser.get(name)
        assert found.status == 200
        assert found.header(b"Cache-Control") == b"public, max-age=31536000, immutable"
    assert (await browser.get("/static/console.000000000000.css")).status == 404
    root = await rig.api("GET", "/", headers=(), prefix="")
    assert root.header(b"Location") == b"/console/"


@pytest_twisted.ensureDeferred
async def test_the_language_is_that_of_the_browser_or_chosen(rig: Rig) -> None:
    """Arabic is written from right to left; a choice is remembered."""
    browser = Browser(rig, language="ar-EG,ar;q=0.9,en;q=0.5")
    shown = await browser.get("/sign-in")
    assert b'<html lang="ar" dir="rtl">' in shown.body
    assert location(await browser.get("/sign-in?lang=es")) == "/sign-in"
    assert b'<html lang="es" dir="ltr">' in (await browser.get("/sign-in")).body


@pytest_twisted.ensureDeferred
async def test_a_chosen_language_is_that_of_the_notice_as_well(rig: Rig) -> None:
    """What the next page says about the choice is not in the language before it."""
    browser = await signed_in(rig)
    chosen = await browser.send("/account", "/account", {"language": "es"})
    assert "Guardado." in text_of(await browser.get(location(chosen)))
    back = await browser.send("/account", "/account", {"language": "en"})
    assert "Saved." in text_of(await browser.get(location(back)))


@pytest_twisted.ensureDeferred
async def test_a_wrong_password_is_no_change_that_failed(rig: Rig) -> None:
    """A form that changes nothing does not say that nothing was changed."""
    await signed_in(rig)
    wrong = await Browser(rig).post("/sign-in", {"name": "ann", "password": "wrong wrong"})
    assert 'id="mistakes"' in wrong.body.decode()
    assert "Nothing was changed yet." not in text_of(wrong)


@pytest_twisted.ensureDeferred
async def test_arrows_turn_with_the_direction_of_reading(rig: Rig) -> None:
    """Only pictures that point along the line are mirrored."""
    browser = await signed_in(rig)
    page = (await browser.get("/")).body.decode()
    links = re.findall(r'<a href="/console(/[^"]*)"[^>]*><svg class="([^"]*)"', page)
    assert {link for link, classes in links if "turns" in classes.split()} == {"/forwarders"}


@pytest_twisted.ensureDeferred
async def test_a_guess_costs_more_each_time(rig: Rig) -> None:
    """After five failures of an address the next attempt has to wait; the right one, too."""
    await signed_in(rig)
    browser = Browser(rig)
    wrong = {"name": "ann", "password": "wrong wrong wrong"}
    for _ in range(5):
        assert (await browser.post("/sign-in", wrong)).status == 422
    right = {"name": "ann", "password": PASSWORD}
    refused = await browser.post("/sign-in", right)
    assert "too often" in text_of(refused)
    rig.clock.advance(3)
    assert location(await browser.post("/sign-in", right)) == "/"


@pytest_twisted.ensureDeferred
async def test_a_session_ends(rig: Rig) -> None:
    """It ends two hours after the last page, and a day after its begin in any case."""
    browser = await signed_in(rig)
    for _ in range(15):
        rig.clock.advance(100 * 60)
        if (await browser.get("/account")).status != 200:
            break
    else:
        raise AssertionError("the session has no end")
    assert rig.clock.seconds() >= 24 * 3600
    other = Browser(rig)
    await other.post("/sign-in", {"name": "ann", "password": PASSWORD})
    rig.clock.advance(121 * 60)
    assert location(await other.get("/account")).startswith("/sign-in")


@pytest_twisted.ensureDeferred
async def test_what_an_account_does_is_in_the_audit_log(rig: Rig) -> None:
    """Signing in and changes are recorded under the name of the account."""
    browser = await signed_in(rig)
    made = await browser.send("/accounts", "/accounts", {"name": "bob", "scopes": ["read"]})
    assert made.status == 200
    items = await rig.items("/audit")
    found = [(one["actor"], one["action"], one["subject"]) for one in items]
    assert ("account ann", "sign in", "account ann") in found
    assert ("account ann", "add account", "account bob") in found
    assert PASSWORD not in str(items)
