# SPDX-License-Identifier: MIT
"""nwho help: one screen first, everything else is found from there."""
from live import nwho, run_tests, test


def help_of(*words):
    return nwho(None, "help", *words).out


def names(what):
    return help_of(what).split()


@test
def the_first_screen_is_one():
    text = help_of()
    assert text == nwho(None, "--help").out
    lines = text.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80, text
    assert all(f"\n  nwho {command} " in text for command in ("TARGET", "ports", "ls", "top", "doctor", "why-busy")), text
    assert set(names("topic-names")) <= set(text.split()), text


@test
def all_commands_are_listed():
    text = help_of("commands")
    shown = [line.split()[1] for line in text.splitlines() if line.startswith("  nwho ")]
    assert set(names("command-names")) <= set(shown) and {"ss", "netstat", "tcpdump"} <= set(shown), text
    assert max(map(len, text.splitlines())) <= 80, text


@test
def every_topic_is_there():
    for topic in names("topic-names"):
        text = help_of(*topic.split("-"))  # as people write it: help exit codes
        assert len(text.splitlines()) > 4 and text == help_of(topic), (topic, text)
        assert max(map(len, text.splitlines())) <= 180 and "\\" not in text, (topic, text)


@test
def a_word_may_be_command_and_topic():
    text = help_of("history")
    assert "--replay FILE" in text and "nwho history [FILTER]: " in text and "--since TIME" in text


@test
def an_unknown_word_is_answered():
    for word, hint in {"comands": "did you mean nwho help commands?", "tpo": "did you mean nwho help top?",
                       "netsat": "did you mean nwho help netstat?", "close-wait": "nwho doctor --explain NAME",
                       "established": "nwho help states", "rtt_us": "nwho columns sockets", "sport": "nwho help filters",
                       "zzzzzz": "nwho help lists commands and topics"}.items():
        result = nwho(None, "help", word, expect=2)
        assert result.out == "" and result.err.count("\n") == 1 and f'"{word}"' in result.err and hint in result.err, result


@test
def formats_take_columns():
    for option, begin in (("--json", "{"), ("--jsonl", '{"column":'), ("--csv", "column,type\n")):
        out = nwho(None, "columns", "sockets", f"{option}=column,type").out
        assert out.startswith(begin) and "Bytes" not in out, (option, out[:200])


run_tests()
