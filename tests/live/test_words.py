# SPDX-License-Identifier: MIT
"""What words may mean: lists, units, names with blanks, users, abstract names, mistyped commands; and the hints."""
import os
import tempfile

from live import BUILD, mksock, netns, nwho, nwho_json, run_tests, test


def inodes(ns, *args, **options):
    return {row["inode"] for row in nwho_json(ns, "ls", *args, **options)["rows"]}


@test
def lists_and_units_are_read_as_they_are_written():
    with netns() as ns, mksock(ns, "listening", "--", "udp", "--", "close-wait", "--", "established") as facts:
        assert facts
        assert inodes(ns, "tcp,udp") == inodes(ns, "tcp udp") != set()
        assert inodes(ns, "established,close-wait") == inodes(ns, "state established,close-wait") != set()
        assert inodes(ns, "recv_q >= 0 bytes") == inodes(ns, "recv_q >= 0")
        assert inodes(ns, "rtt", "<", "10", "s") == inodes(ns, "rtt<10s") != set()


@test
def an_argument_of_names_is_one_name():
    with netns() as ns, tempfile.TemporaryDirectory() as directory:
        path, abstract = f"{directory}/my sock", f"nwho test {os.getpid()}"
        with mksock(ns, "listening", "comm=my server", "--", "unix-listening", f"path={path}", "--", "unix-listening",
                    f"abstract={abstract}") as facts:
            server, named, hidden = ({fact["inode"]} for fact in facts if fact["in_tables"])
            for words in (["my server"], ["process", "my server"], ['process "my server"'], ["tcp", "my server"],
                          ["process", "~", "^my server$"], ["owner", "my server"]):
                assert inodes(ns, *words) == server, words
            for words in ([path], ["path", path], ["unix", path], ["src", path], ["local", "=", path]):
                assert inodes(ns, *words) == named, words
            for words in ([f"@{abstract}"], ["path", f"@{abstract}"]):
                assert inodes(ns, *words) == hidden, words
            assert "my server" in nwho(ns, "my server").out
            assert path in nwho(ns, path).out and abstract in nwho(ns, f"@{abstract}").out


@test
def a_path_is_that_of_one_end():
    with netns() as ns, tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/sock"
        with mksock(ns, "unix-connected", f"path={path}", "--", "unix-pair") as facts:
            client = {fact["inode"] for fact in facts if fact["situation"] == "unix-connected" and not fact["path"]}
            others = {fact["inode"] for fact in facts if fact["path"]}
            assert len(client) == 1 and len(others) == 2, facts
            for words in (["dst", path], ["dst", f"unix:{path}"], ["peer", "=", path], ["peer_path", path], ["dst", f"{directory}/*"]):
                assert inodes(ns, *words) == client, words
            for words in (["src", path], ["local", "=", path], [path]):
                assert inodes(ns, *words) == others, words
            assert inodes(ns, "host", path) == client | others
            rows = nwho_json(ns, "ls", "unix", "-o", "inode,peer_path")["rows"]
            assert {row["inode"] for row in rows if row["peer_path"] == path} == client, rows


@test
def a_target_is_narrowed_by_letters():
    with netns() as ns, mksock(ns, "listening", "--", "udp", "--", "unix-pair", "--", "established", "family=6") as facts:
        pid = str(facts[0]["pid"])
        for words in ("mksock", pid):
            for letters, shown in (("-t", {"tcp"}), ("-u", {"udp"}), ("-tu", {"tcp", "udp"}), ("-x", {"unix"}), ("-6", {"tcp"})):
                for command in ([letters, words], [words, letters]):
                    out = nwho(ns, *command).out
                    assert {line.partition(" ")[0] for line in out.splitlines()} & {"tcp", "udp", "unix"} == shown, (command, out)
                    assert {row["proto"] for row in nwho_json(ns, *command)["rows"]} == shown, command
        assert "connection" not in nwho(ns, "-l", "mksock").out
        assert "nothing has to do with" in nwho(ns, "-w", "mksock", expect=1).err


@test
def an_empty_answer_names_the_other_namespaces():
    there_are_others = "only this network namespace was read, and there are others"
    with netns() as ns, mksock(ns, "listening"):
        for words in ("ls udp", "ls sport :1", "ports udp", "ps user nobody", "count state udp", "kill --dry-run udp", ":1",
                      "udp", "tcp sport :1", "nobodys-process", "why-busy tcp/1", "if nobodys-device", "routes 192.0.2.1"):
            result = nwho(ns, *words.split(), expect=1)
            assert there_are_others in result.err, (words, result)
            for option in ("-q", "--all-netns"):
                assert there_are_others not in nwho(ns, *words.split(), option, expect=None).err, words
        for words in ("ls", "stats NoCounter"):
            assert there_are_others not in nwho(ns, *words.split(), expect=None).err, words
        alone = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", 'umount -l -a -t nsfs; exec "$@"', "sh"]
        assert there_are_others not in ns.run([*alone, f"{BUILD}/nwho", "ls", "udp"], expect=1).err


@test
def the_overview_counts_as_the_commands_that_it_names():
    situations = "listening -- udp -- unix-pair -- unix-listening -- established -- packet".split()
    with netns() as ns, mksock(ns, *situations):
        for letters in ([], ["-t"], ["-u"], ["-x"], ["-tx"], ["-4"]):
            out = nwho(ns, *letters).out
            for heading, columns, of_command in (("BUSIEST OWNERS", "pid,process,user,sockets,listening,established,close_wait,unit", "ps"),
                                                 ("LISTENERS", "proto,local,serves,scope,accept,owner", "ports")):
                head, rows = out.partition(f"{heading} (nwho ")[2].partition("\n")[::2]
                command = head.partition(")")[0].split()
                assert command[0] == of_command, out
                want = [line.split() for line in nwho(ns, *command, "-o", columns).out.splitlines()]
                assert [line.split() for line in rows.partition("\n\n")[0].splitlines()] == want, (command, out)


@test
def both_ends_of_a_connection_are_one_connection():
    with netns() as ns, mksock(ns, "established", "--", "established") as facts:
        port = facts[0]["local_port"]
        ends = [fact for fact in facts if port in (fact["local_port"], fact.get("peer_port")) and fact["state"] == "established"]
        assert f"{len(ends)} sockets of 1 connection:" in nwho(ns, f":{port}").out, nwho(ns, f":{port}")


@test
def who_cannot_see_owners_is_not_told_that_there_are_none():
    with netns() as ns, mksock(ns, "listening"):
        out = nwho(ns, user="nobody").out
        assert "owners hidden: run as root" in out and "0 processes" not in out, out
        assert "BUSIEST OWNERS (nwho ps -a): hidden (run as root)" in out, out
        for quiet in ([], ["-q"]):
            nwho(ns, "ports", "--strict", *quiet, user="nobody", expect=3)


@test
def states_are_known_as_old_tools_write_them():
    with netns() as ns, mksock(ns, "time-wait", "--", "close-wait"):
        for old, new in (("TIME_WAIT", "time-wait"), ("CLOSE_WAIT", "close-wait"), ("FIN_WAIT2", "fin-wait-2"),
                         ("FIN_WAIT_2", "fin-wait-2")):
            assert inodes(ns, old) == inodes(ns, new), old
        assert nwho(ns, "count", "peer", "CLOSE_WAIT").out == nwho(ns, "count", "peer", "close-wait").out


@test
def what_nobody_can_have_is_an_error_and_what_is_not_there_a_hint():
    with netns() as ns, netns() as other, mksock(ns, "listening"):
        for words in ("user nobody-at-all", "%nobody-at-all", "uid nobody-at-all"):
            result = nwho(ns, "ls", *words.split(), expect=2)
            assert "there is no user 'nobody-at-all'" in result.err, result
        for words, hint in (("nobodys-process", "'nobodys-process' was taken for the name of a process"),
                            ("direction incoming", "direction: listen, in, out"),
                            (f"netns {other.name}", "-N NAME or --all-netns")):
            result = nwho(ns, "ls", *words.split(), expect=1)
            assert hint in result.err, (words, result)
            assert "nwho: " not in nwho(ns, "ls", "-q", *words.split(), expect=1).err, words
        for words, hint in ((["tcp", "nobodys-process"], "'nobodys-process' was taken for"), (["netns", other.name], "--all-netns")):
            result = nwho(ns, *words, expect=1)
            assert f'"{" ".join(words)}"' in result.err and hint in result.err, (words, result)
        for words in ("sport :1", "process nobodys-process"):
            assert "nothing found" not in nwho(ns, "ls", *words.split(), expect=1).err, words


@test
def a_recording_is_asked_for_its_own_users():
    with netns() as ns, tempfile.TemporaryDirectory() as directory, mksock(ns, "listening"):
        file = f"{directory}/snapshot"
        nwho(ns, "ls", "--record", file)
        for words in ("user root", "uid root", "user 0", "uid 0"):
            assert inodes(None, *words.split(), "--replay", file), words
        nwho(None, "ls", "--replay", file, "user", "nobody-at-all", expect=1)
        nwho(None, "ls", "--replay", file, "uid", "nobody-at-all", expect=1)


@test
def ports_that_the_kernel_chooses_are_those_of_the_namespace():
    def chosen(*args):
        return {(row["netns"], row["local_port"]) for row in nwho_json(None, "ls", *args, "autobound")["rows"]}

    sockets = ("listening", "port=2050", "--", "listening", "port=40000")
    with (netns("net.ipv4.ip_local_port_range=32768 60999") as ns, netns("net.ipv4.ip_local_port_range=2000 2100") as other,
          tempfile.TemporaryDirectory() as directory, mksock(ns, *sockets), mksock(other, *sockets)):
        expected = {(ns.name, 40000), (other.name, 2050)}
        both = ("-N", ns.name, "-N", other.name)
        assert chosen(*both) == expected
        nwho(None, "ls", *both, "--record", f"{directory}/snapshot")
        assert chosen("--replay", f"{directory}/snapshot") == expected


@test
def options_have_their_values_attached():
    with netns() as ns, mksock(ns, "listening"):
        assert nwho(ns, "ls", "-W0.01", "--times", "2").out.count("listening") == 2
        for words in (["-W", "1"], ["--watch", "1"]):
            assert "--watch=1 or -W1" in nwho(ns, "ls", *words, expect=2).err, words
        for words in (["-V"], ["ls", "-V"], ["--version", "--json"], ["count", "state", "--version"]):
            assert nwho(ns, *words).out.startswith("nwho "), words


@test
def letters_narrow_the_overview_and_processes():
    with netns() as ns, mksock(ns, "listening", "--", "udp"):
        out = nwho(ns, "-t").out
        assert "  tcp " in out and "  udp " not in out and "netlink" not in out, out
        out = nwho(ns, "-u", "--csv").out
        assert "udp," in out and "tcp," not in out, out
        assert nwho(ns, "-6", "--csv", expect=None).out.count("\n") <= 1 + 2
        assert "nwho ports" in nwho(ns, "-l", expect=2).err


@test
def a_mistyped_command_is_recognised():
    with netns() as ns:
        for word, command in (("lss", "ls"), ("list", "ls"), ("connections", "ls"), ("listeners", "ports"), ("pots", "ports")):
            for words in ([word], [word, "established"]):
                result = nwho(ns, *words, expect=1)
                assert f"did you mean nwho {command}?" in result.err, (words, result)
        for words in (["port", "22"], ["state", "established"], ["process", "nobodys-process"]):
            assert "did you mean" not in nwho(ns, *words, expect=1).err, words


@test
def networks_have_a_length_for_each_family():
    with netns() as ns:
        for address in ("10.9.0.1/16", "fd00:1:2:3::1/64"):
            ns.add_address(address)
        with mksock(ns, "established", "addr=10.9.0.1", "--", "established", "family=6", "addr=fd00:1:2:3::1"):
            for key, networks in (("peer/24", {"10.9.0.0/24", "fd00:1:2:3::/64"}), ("peer/24/32", {"10.9.0.0/24", "fd00:1::/32"}),
                                  ("peer/48", {"10.9.0.1", "fd00:1:2::/48"}), ("peer/32/128", {"10.9.0.1", "fd00:1:2:3::1"})):
                rows = nwho_json(ns, "count", key, "established")["rows"]
                assert {row["peer_addr"] for row in rows} == networks, (key, rows)
        for key in ("peer/33/64", "peer/24/129", "peer/129", "peer/0", "peer/24/", "peer//64"):
            assert "a prefix" in nwho(ns, "count", key, expect=2).err, key


@test
def shares_are_rounded():
    with netns() as ns, mksock(ns, "listening", "--", "listening", "--", "udp"):
        rows = nwho_json(ns, "count", "proto")["rows"]
        assert [row["share"] for row in rows] == [67, 33], rows


@test
def unix_connections_have_no_peer_address_to_count():
    with netns() as ns, mksock(ns, "unix-connected") as facts:
        out = nwho(ns, str(facts[0]["pid"])).out
        assert "connection" in out and "with" not in out.replace("with sockets", ""), out


run_tests()
