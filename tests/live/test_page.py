# SPDX-License-Identifier: MIT
"""The page of nwho serve in a real browser: what it shows of a known history, and how it is used."""
import contextlib
import functools
import json
import re
import socket
import time
from types import SimpleNamespace
from urllib.parse import unquote

from browser import browser
from live import BUILD, SOURCE, mksock, netns, run_tests, test, wait_for
from made_history import GAP, NAMES, TICK, TICKS, make_history
from recorder import ask, directory
from served import served

CULPRIT = "<b>x<i"  # has a finding, and a name that is markup
STYLE = SOURCE / "src/serve/web/style.css"
TOKEN = "0123456789abcdef"
CONTRAST = 4.5  # of text, WCAG 2.1 AA
TEXTS = {"ground": ("text", "muted", "accent"), "panel": ("text", "muted", "accent", "warn", "crit", "info"), "raised": ("text", "muted"),
         "bar": ("text",), "info-ground": ("info", "accent"), "warn-ground": ("warn",), "crit-ground": ("crit",)}
LINES = [f"series-{number}" for number in range(1, 7)]  # of charts: 3 is enough

_ended = contextlib.ExitStack()


@functools.cache
def scene():
    """A browser, and a recorder whose history has half an hour of known numbers, which ended a while ago; a program with a finding."""
    page = _ended.enter_context(browser())
    place = _ended.enter_context(directory())
    begin = int(time.time()) // TICK * TICK - 2 * TICKS * TICK
    make_history(place / "h.db", begin)
    (place / CULPRIT).symlink_to(BUILD / "tests/helpers/mksock")
    ns = _ended.enter_context(netns())
    culprit, *_ = _ended.enter_context(mksock(ns, "bound-inactive", "port=9000", program=place / CULPRIT))
    server = _ended.enter_context(served(place))
    wait_for(lambda: server.get("/api/v1/doctor")[0] == 200, what="the doctor's first look")
    return SimpleNamespace(page=page, get=server.get, store=place / "h.db", netns=ns.name, culprit=culprit["pid"], begin=begin, end=begin + TICKS * TICK, root=f"http://127.0.0.1:{server.address[1]}/")


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def loads(page):
    return int(page.run("return document.getElementById('panels')?.dataset.loads ?? 0"))


@contextlib.contextmanager
def loading(page):
    """What is done in the block makes the page ask for something else; at the end it shows that."""
    before = loads(page)
    yield
    wait_for(lambda: loads(page) > before, what="another load")


def show(at, since=None, until=None, hash_more=""):
    """The page of a link, in a wide window; it is only loaded where it is not there yet."""
    link = f"#since={iso(since or at.begin)}&until={iso(until or at.end)}{hash_more}"
    at.page.size(1400, 1100)
    if at.page.run("return location.origin + '/'") != at.root:
        at.page.open(f"{at.root}{link}")
        wait_for(lambda: loads(at.page) >= 1, what="the page")
    elif at.page.run("return location.hash") != link:
        with loading(at.page):
            at.page.run("location.hash = arguments[0]", link)


def hash_of(page):
    return unquote(page.run("return location.hash"))


def times_of(page):
    """What a brush or a click made of the link, in seconds."""
    found = {}
    for key, text in re.findall(r"(since|until|at)=([\d:TZ-]+)", hash_of(page)):
        found[key] = page.run("return Date.parse(arguments[0]) / 1000", text)
    return found


def told(at, *words):
    """Rows of the command line."""
    return ask(at.store, *words)["rows"]


def by_process(page):
    return {row[0]: row[3:] for row in page.table("#panel-processes table")[1:]}


def short(number):
    """Bytes as the command line writes them."""
    unit = 0
    while number >= 1024:
        number, unit = number / 1024, unit + 1
    return (f"{number:.1f}" if unit and number < 9.95 else f"{number:.0f}") + " KMGT"[unit].strip()


def as_table(page, panel):
    page.click(f"#panel-{panel} .head button")
    table = page.run("return [...document.querySelectorAll(arguments[0] + ' .body tr')].map(row => [...row.cells].map(cell => cell.querySelector('data')?.value ?? cell.textContent))", f"#panel-{panel}")
    page.click(f"#panel-{panel} .head button")
    return table


@test
def shows_what_was_recorded():
    at = scene()
    page = at.page
    show(at)
    page.picture("page")
    heads, *rows = as_table(page, "rates")
    assert len(rows) == TICKS and heads[1:3] == ["\u00e9th received", "\u00e9th sent"], (heads, len(rows))
    values = [row[1] for row in rows]
    assert set(values) <= {"4000", "-", *values[GAP[1]:GAP[1] + 1]}, set(values)
    unknown = [index for index, value in enumerate(values) if value == "-"]
    assert set(range(GAP[0], GAP[1])) <= set(unknown), unknown  # and the first tick, which has nothing before it
    process, *_ = told(at, "--since", f"@{at.begin}", "--until", f"@{at.end}", "--limit", "1")
    shown = page.table("#panel-processes table")
    assert shown[1][0] == "plain (1000)" and shown[1][-2:] == [short(process["rx_bytes"]), short(process["tx_bytes"])], shown[:2]
    assert [row[0] for row in page.table("#panel-peers table")[1:]] == ["192.0.2.2", "192.0.2.1"]
    assert [row[0] for row in page.table("#panel-ports table")[1:]] == ["tcp 443"]
    states = as_table(page, "states")
    assert states[0][1] == "established" and {row[1] for row in states[1:]} <= {"1", "-"}, states
    assert "v2" in page.text("#panel-notes .timeline")
    command = page.text("#panel-peers footer code")
    assert command.startswith("nwho history ") and {"--by=peer", f"--since={iso(at.begin)}"} <= set(command.split()), command
    csv = page.run("return document.querySelector('#panel-peers footer a').getAttribute('href')")
    assert at.get(csv)[2].splitlines()[1].startswith("192.0.2.2,"), csv
    assert page.run("return document.querySelector('#panel-rates [role=img]').ariaLabel").count("received") >= 5


@test
def asks_nobody_else():
    at = scene()
    show(at)
    wait_for(lambda: "Asking" not in at.page.text("#panel-notes"), what="the doctor")
    asked = at.page.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert len(asked) > 15 and all(name.startswith(at.root) for name in asked), asked
    wrong = [entry for entry in at.page.log() if entry["level"] in ("SEVERE", "WARNING")]
    assert not wrong, wrong


@test
def sockets_are_those_of_now():
    at = scene()
    port = at.root.split(":")[2].strip("/")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        own = listener.getsockname()[1]
        show(at, hash_more=f"&filter=listening sport {port},{own}")
        # Not only a load shows sockets: what is asked for again in between takes its place.
        wait_for(lambda: [row[1:3] for row in at.page.table("#panel-sockets table")[1:]] == [["listening", f"127.0.0.1:{port}"]], what="the listener")
        listener.listen()
        at.page.run("document.getElementById('panel-sockets').scrollIntoView()")
        wait_for(lambda: f"127.0.0.1:{own}" in at.page.text("#panel-sockets"), what="what is asked for again and again")
        assert re.fullmatch(r"2, of \d\d:\d\d:\d\d(, with warnings)?", at.page.text("#sockets-count")), at.page.text("#sockets-count")
    with loading(at.page):
        at.page.click("#panel-sockets thead th:nth-child(2) button")
    assert "sort=sockets.state:desc" in hash_of(at.page), hash_of(at.page)
    at.page.until("return document.querySelector('#panel-sockets th[aria-sort]')?.innerText.startsWith('State')", what="the order")


@test
def only_what_is_seen_is_asked_for_again():
    at = scene()
    show(at, hash_more="&filter=listening")
    wait_for(lambda: len(at.page.table("#panel-sockets table")) > 1, what="sockets")

    def asked_by(action):
        """What the page asks for at once."""
        found = at.page.run(f"scrollTo(0, 0); const kept = fetch, found = []; window.fetch = (...words) => {{ found.push(words[0].split('?')[0]); return kept(...words); }};"
                            f"{action}; window.fetch = kept; return found")
        return {path.removeprefix("/api/v1/") for path in found}

    again = "document.dispatchEvent(new Event('visibilitychange'))"
    assert asked_by(f"Object.defineProperty(document, 'hidden', {{ configurable: true, value: true }}); {again}; delete document.hidden") == set()
    at.page.size(1400, 400)  # only charts have room in it
    at.page.run("scrollTo(0, 0)")
    wait_for(lambda: asked_by(again) == {"doctor"}, what="sockets to be out of view")
    at.page.run("document.getElementById('panel-sockets').scrollIntoView()")
    wait_for(lambda: "sockets" in asked_by(f"document.getElementById('panel-sockets').scrollIntoView(); {again}"), what="sockets to be in view")


@test
def time_wait_is_shown_when_it_is_asked_for():
    at = scene()
    port = at.root.split(":")[2].strip("/")

    def states():
        at.get("/api/v1/status")  # its connection is over, for a minute
        return {row[1] for row in at.page.table("#panel-sockets table")[1:]}

    show(at, hash_more=f"&filter=sport {port}")
    wait_for(lambda: "listening" in states(), what="the listener")
    assert "time-wait" not in states() and "--no-time-wait" in at.page.text("#panel-sockets footer code"), states()
    with loading(at.page):
        at.page.click("#closed")
    assert "closed=time-wait" in hash_of(at.page) and "--no-time-wait" not in at.page.text("#panel-sockets footer code")
    wait_for(lambda: "time-wait" in states(), what="what is over")
    with loading(at.page):
        at.page.click("#closed")
    show(at, hash_more=f"&filter=state time-wait sport {port}")
    wait_for(lambda: states() == {"time-wait"}, what="what the filter asks for")


@test
def a_brush_makes_the_window():
    at = scene()
    page = at.page
    show(at)
    with loading(page):
        page.drag("#panel-rates .u-over", 0.6, 0.8)
    window = times_of(page)
    width = TICKS * TICK
    assert abs(window["since"] - at.begin - 0.6 * width) <= 2 * TICK and abs(window["until"] - at.begin - 0.8 * width) <= 2 * TICK, (window, at)
    (plain,) = told(at, "pid 1000", "--since", f"@{window['since']}", "--until", f"@{window['until']}")
    assert plain["rx_bytes"] < 60 * 1300 * TICK and by_process(page)["plain (1000)"][2] == short(plain["rx_bytes"]), by_process(page)
    page.picture("brushed")
    with loading(page):
        page.run("history.back()")
    assert times_of(page) == {"since": at.begin, "until": at.end}


@test
def a_click_replays_a_moment():
    at = scene()
    page = at.page
    show(at)
    with loading(page):
        page.drag("#panel-rates .u-over", 0.25, 0.25)
    moment = times_of(page)["at"]
    assert moment % TICK == 0 and abs(moment - at.begin - TICKS * TICK / 4) <= 2 * TICK, (moment, at)
    assert by_process(page)["plain (1000)"][-2:] == [short(1300 * TICK), "1"], by_process(page)
    flows = page.table("#panel-sockets table")
    assert {row[2] for row in flows[1:]} == {"192.0.2.1", "192.0.2.2"} and flows[1][1] == "tcp 443", flows[:3]
    assert "Replay" in page.text("#replay") and "at " in page.text("#panel-sockets h2")
    page.picture("replay")
    with loading(page):
        page.keys("Right")
    assert times_of(page)["at"] == moment + TICK
    with loading(page):
        page.keys("Escape")
    assert "at" not in times_of(page) and not page.run("return document.getElementById('replay').offsetWidth")
    with loading(page):  # nothing was recorded then
        page.drag("#panel-rates .u-over", 0.54, 0.54)
    assert "Nothing" in page.text("#panel-processes .message"), page.text("#panel-processes")


@test
def filters_are_those_of_the_command_line():
    at = scene()
    page = at.page
    show(at)
    with loading(page):
        page.type("#filter", "pid 1002")
    assert list(by_process(page)) == [f"{NAMES[2]} (1002)"] and "filter=pid 1002" in hash_of(page).replace("+", " ")
    with loading(page):
        page.type("#filter", "pid = (")
    wait_for(lambda: "^" in page.text("#filter-error"), what="the error of the filter")
    wait_for(lambda: page.run("return document.getElementById('filter').ariaInvalid") == "true", what="a field that is marked")
    page.picture("wrong-filter")
    with loading(page):
        page.type("#filter", "")
    assert not page.run("return document.getElementById('filter-error').offsetWidth")
    with loading(page):
        page.click("#panel-processes tbody button")
    assert page.run("return document.getElementById('filter').value") == "pid 1000" and len(by_process(page)) == 1
    page.log()  # what the server refused


@test
def names_are_text():
    at = scene()
    show(at)
    shown = [row[0] for row in at.page.table("#panel-processes table")[1:]]
    assert shown[:5] == [f"{name} ({1000 + number})" for number, name in enumerate(NAMES)], shown
    assert at.page.run("return document.querySelectorAll('main b, main img, main script').length") == 0
    with loading(at.page):
        at.page.run("location.hash += '&chart=process'")
    assert f"{NAMES[4]} (1004) received" in as_table(at.page, "rates")[0]


@test
def findings_have_their_texts():
    at = scene()
    page = at.page
    show(at)
    row, = [row for row in json.loads(at.get("/api/v1/doctor")[2])["rows"] if row["netns"] == at.netns]
    assert row["check"] == "port-conflict" and row["process"] == CULPRIT and row["pid"] == at.culprit, row
    own = f"details[data-identity*='\"{at.netns}\"']"
    page.until("return document.querySelector(arguments[0])", own, what="the finding")
    assert page.text(f"{own} summary") == f"info port-conflict {CULPRIT} ({at.culprit}) {row['what']}", page.text(own)
    page.click(f"{own} summary")
    shown = page.text(own)
    texts = [row["cause"], *row["fix"], *row["avoid"], *row["next"], row["user"], row["local"], at.netns, row["evidence"][0]["counter"], row["evidence"][0]["source"]]
    assert row["fix"] and row["avoid"] and row["next"] and not [text for text in texts if text not in shown], (shown, texts)
    page.picture("finding")
    assert not page.run("return document.querySelector('#panel-notes b, #panel-notes i, #panel-notes dl script')")
    # What is open stays open, with its focus, when something else is to be shown.
    with loading(page):
        page.run("location.hash += '&at=' + arguments[0]", iso(at.begin))
    wait_for(lambda: "Findings at" in page.text("#panel-notes h2"), what="the findings of then")
    assert not page.run("return document.querySelector(arguments[0])", own)
    with loading(page):
        page.run("history.back()")
    page.until("return document.querySelector(arguments[0])", own, what="the finding again")
    page.click(f"{own} summary")
    page.run("""document.getElementById('panel-notes').querySelector('.body').append(document.createElement('hr'));
                const { replaceFindings, finding } = await import('/page/notes.js');
                replaceFindings(document.querySelector('#panel-notes .body'), [finding(arguments[0])])""", row)
    assert page.run("return document.querySelector(arguments[0]).open && document.activeElement === document.querySelector(arguments[0]).firstElementChild", own)


@test
def keys_do_it_all():
    at = scene()
    page = at.page
    show(at)
    page.keys("/")
    assert page.run("return document.activeElement.id") == "filter"
    page.keys("t", "Escape")
    assert page.run("return document.activeElement.id") != "filter" and not page.run("return document.documentElement.dataset.theme")
    page.keys("?")
    assert page.run("return document.getElementById('help').open") and "Leave replay" in page.text("#help")
    page.keys("Escape")
    assert not page.run("return document.getElementById('help').open")
    with loading(page):
        page.keys("2")
    assert "since" not in times_of(page)
    page.keys("Tab")  # from the top of what is seen
    assert page.run("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    heads = page.run("return [...document.querySelectorAll('main table')].every(table => table.caption && [...table.tHead.rows[0].cells].every(cell => cell.scope === 'col'))")
    assert heads


@test
def dark_and_light():
    at = scene()
    page = at.page
    ground = "return getComputedStyle(document.body).backgroundColor"
    show(at)
    found = {}
    for theme in ("dark", "light"):
        page.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        found[theme] = page.run(ground)
    assert found["dark"] != found["light"]
    page.keys("t")
    assert page.run(ground) == found["dark"]
    page.picture("dark")
    page.reload()
    wait_for(lambda: loads(page) >= 1, what="the page")
    assert page.run(ground) == found["dark"], "the choice was forgotten"
    page.run("localStorage.clear()")
    page.devtools("Emulation.setEmulatedMedia", features=[])


@test
def fits_a_phone():
    at = scene()
    show(at)
    at.page.size(360, 740)
    wait_for(lambda: at.page.run("return document.querySelector('.uplot').offsetWidth < 360"), what="narrow charts")
    at.page.picture("phone")
    wide = at.page.run("return [...document.querySelectorAll('body *')].filter(node => node.getBoundingClientRect().right > 361 && !node.closest('.scroll, footer code, .unseen, .skip')).map(node => node.outerHTML.slice(0, 80))")
    assert at.page.run("return document.documentElement.scrollWidth") <= 360 and not wide, wide


@test
def without_data_it_says_so():
    at = scene()
    show(at, at.begin - 7200, at.begin - 3600)
    assert "Nothing was measured" in at.page.text("#panel-processes .message") and "nothing measured" in at.page.text("#window-text")
    assert at.page.run("return document.querySelector('#panel-rates .body').classList.contains('empty')")
    at.page.picture("empty")


@test
def a_token_is_asked_for():
    at = scene()
    with directory() as place:
        (place / "token").write_text(f"{TOKEN}\n")
        (place / "token").chmod(0o600)
        with served(place, "--token-file", place / "token", wait=False) as server:
            at.page.open(f"http://127.0.0.1:{server.address[1]}/")
            at.page.until("return document.getElementById('token')?.open", what="the question")
            with loading(at.page):
                at.page.type("#token-input", TOKEN)
            wait_for(lambda: "LISTENING" in at.page.text("#panel-sockets").upper(), what="sockets")
            assert not at.page.run("return document.getElementById('token').open")


def luminance(colour):
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@test
def texts_have_contrast():
    pairs = {name: both for name, *both in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", STYLE.read_text())}
    low = []
    for grounds, texts, least in [(ground, texts, CONTRAST) for ground, texts in TEXTS.items()] + [("panel", LINES, 3)]:
        for text in texts:
            for theme in (0, 1):
                light, dark = sorted((luminance(pairs[name][theme]) for name in (grounds, text)), reverse=True)
                ratio = (light + 0.05) / (dark + 0.05)
                if ratio < least:
                    low.append((text, grounds, theme, round(ratio, 2)))
    assert not low, low


with _ended:
    run_tests()
