# SPDX-License-Identifier: MIT
"""The page of nwho serve in Chromium: how long the first view of a day takes, and what goes over the wire for it."""
import shutil
import statistics
import time

from browser import browser
from goals import report, verdict
from live import PATIENCE, wait_for
from made_history import TICK, make_history
from recorder import directory
from served import served

DAY_TICKS = 8640
RUNS = 5
TIMES = "return performance.getEntriesByName('nwho-chart').map(mark => mark.startTime)"
# Of all answers, the page itself among them; what was asked for after the first view is not of it.
BYTES = ("return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
         ".filter(entry => entry.startTime <= performance.getEntriesByName('nwho-loaded')[0].startTime).reduce((sum, entry) => sum + entry.transferSize, 0)")


def first_view(link):
    """(milliseconds until the last chart is drawn, bytes), in a browser that has nothing yet."""
    with browser() as page:
        page.open(link)
        wait_for(lambda: page.run("return performance.getEntriesByName('nwho-loaded').length"), timeout=PATIENCE, what="the page")
        return max(page.run(TIMES)[:2]), page.run(BYTES)


def bench(args):
    """Prints the table; gives whether all goals are met. Short: only whether it runs."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        print("page: skipped, chromium and chromedriver are not installed", flush=True)
        return True
    ticks = 60 if args.short else DAY_TICKS
    with directory() as place:
        end = int(time.time()) // TICK * TICK
        make_history(place / "h.db", end - ticks * TICK, ticks)
        with served(place) as server:
            link = f"http://127.0.0.1:{server.address[1]}/#since=@{end - ticks * TICK}&until=@{end}"
            found = [first_view(link) for _ in range(1 if args.short else args.runs or RUNS)]
    if args.short:
        print("page: ok", flush=True)
        return True
    took, size = (statistics.median(column) for column in zip(*found))
    return report("page: the first view of a day in Chromium", [
        ["from navigation to the last chart", f"{took:.0f} ms", "<= 1000 ms", verdict(took <= 1000)],
        ["bytes over the wire", f"{size / 1000:.0f} kB", "<= 150 kB", verdict(size <= 150000)]], args.markdown)
