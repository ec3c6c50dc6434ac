# SPDX-License-Identifier: MIT
"""The doctor and the states of TCP in the language of the user; what programs read stays English."""
import contextlib
import json
import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path

from live import BUILD, mksock, netns, nwho, run_tests, skip, test

CATALOGUE = BUILD / "po"
CHINESE = re.compile("[\u4e00-\u9fff]")


@contextlib.contextmanager
def locales():
    """A directory with the locale zh_CN.UTF-8 for LOCPATH of glibc: a copy of C.UTF-8, as only its name matters here. musl takes every name."""
    if not (CATALOGUE / "zh_CN/LC_MESSAGES/nwho.mo").exists():
        skip("built without translations")
    with tempfile.TemporaryDirectory() as directory:
        for name in ("C.utf8", "C.UTF-8"):
            if Path("/usr/lib/locale", name).is_dir():
                shutil.copytree(f"/usr/lib/locale/{name}", f"{directory}/zh_CN.utf8", dirs_exist_ok=True)
        yield directory


def language(name, directory, **more):
    return {"LC_ALL": "", "LC_MESSAGES": "", "LANGUAGE": "", "LANG": name, "LOCPATH": directory, "NWHO_LOCALEDIR": str(CATALOGUE), **more}


def columns(line):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def needs_chinese(directory):
    text = nwho(None, "help", "states", env=language("zh_CN.UTF-8", directory)).out
    if not CHINESE.search(text):
        skip("there is no locale of that name to be made here")
    return text


@test
def states_are_explained_in_chinese():
    with locales() as directory:
        text = needs_chinese(directory)
        assert "\nclose-wait\n  含义    对端已关闭" in text and "nwho doctor close-wait" in text, text
        assert max(map(columns, text.splitlines())) <= 100, text
        # a line is filled before the next begins, as it may be broken between characters
        long = [columns(line) for line in text.splitlines()]
        assert sum(width > 90 for width in long) > 8, text
        assert not re.search(r"\n *[，。、；：？！）]", text), text


@test
def a_check_is_explained_in_chinese():
    with locales() as directory:
        needs_chinese(directory)
        for check in nwho(None, "doctor", "--list").out.split("\n")[:-1]:
            name = check.split()[0]
            text = nwho(None, "doctor", "--explain", name, env=language("zh_CN.UTF-8", directory)).out
            assert all(f"\n  {label}" in text for label in ("原因    ", "处理    ", "细查    ")), text
            assert max(map(columns, text.splitlines())) <= 100 or "https://" in text, text
            english = nwho(None, "doctor", "--explain", name, env=language("C", directory)).out
            assert not CHINESE.search(english) and "\n  cause   " in english, english
            # what is no word of a language is the same
            for words in (r"nwho [a-z]+", r"net\.[a-z0-9_.]+", r"tcp_[a-z_]+"):
                assert set(re.findall(words, english)) == set(re.findall(words, text)), (name, words)


@test
def findings_are_told_in_chinese_and_kept_in_english():
    with locales() as directory, netns() as ns, mksock(ns, "close-wait", "many=110"):
        needs_chinese(directory)
        ask = ("doctor", "-N", ns.name, "--window", "0.1", "close-wait")
        text = nwho(ns, *ask, expect=1, env=language("zh_CN.UTF-8", directory)).out
        assert re.search(r"^WARN close-wait: mksock\(\d+\) 有 110 个连接停在 close-wait，最久的已有 ", text, re.M), text
        assert re.search(r"^  原因    对端已经关闭了这些连接，而 mksock\(\d+\) 没有关闭", text, re.M) and "0 项检查正常" in text, text
        english = nwho(ns, *ask, expect=1, env=language("C", directory, LANGUAGE="zh_CN")).out
        assert "keeps 110 connections in close-wait" in english and not CHINESE.search(english), english
        for form in ("--json", "--csv", "--nagios"):
            for name in ("zh_CN.UTF-8", "C"):
                out = nwho(ns, *ask, form, expect=1, env=language(name, directory)).out
                assert "keeps 110 connections in close-wait" in out and not CHINESE.search(out), out
        row = json.loads(nwho(ns, *ask, "--json", expect=1, env=language("zh_CN.UTF-8", directory)).out)["rows"][0]
        assert row["check"] == "close-wait" and row["severity"] == "warn" and "has not" in row["cause"], row


@test
def numbers_and_errors_are_not():
    with locales() as directory:
        needs_chinese(directory)
        env = language("zh_CN.UTF-8", directory, LC_NUMERIC="zh_CN.UTF-8")
        assert nwho(None, "ls", "--watch=0.1", "--times", "1", "-q", expect={0, 1, 3}, env=env)
        for words in (["ls", "-o", "nothing"], ["ls", "--replay", "/no/such/file"], ["help", "zzzzzz"]):
            assert nwho(None, *words, expect=2, env=env).err == nwho(None, *words, expect=2).err


os.environ.pop("LANGUAGE", None)
run_tests()
