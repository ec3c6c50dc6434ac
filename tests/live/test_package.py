# SPDX-License-Identifier: MIT
"""The release: its tarball becomes, without clang and bpftool, a package of Debian. That is installed, used, removed and
purged on a copy of this machine that nobody else sees: an overlay in a mount namespace, which goes with its last process."""
import atexit
import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
from pathlib import Path

import live
from live import BUILD, SOURCE, mksock, netns, run_tests, test, wait_for

FULL = os.environ.get("NWHO_FULL") == "1"
# Neither optimized nor for a debugger: a third of the time. What that changes is not what is tested here.
OPTIONS = {"DEB_BUILD_OPTIONS": "noopt noautodbgsym", "DEB_CFLAGS_APPEND": "-g0"}
UNOPTIMIZED = "hardening-no-fortify-functions"
TOOLS = live.run([SOURCE / "tools/make-links", "--list"]).out.split()
VERSION = re.search(r"^  version: '(.*)',", (SOURCE / "meson.build").read_text(), re.M)[1]
DAY = re.search(r"^## \S+ \((.*)\)", (SOURCE / "CHANGES.md").read_text(), re.M)[1]


@functools.cache
def scratch():
    """A directory for all of this file, with a name that is nowhere else."""
    path = Path(tempfile.mkdtemp(prefix="nwho-package-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            live.skip(f"there is no {program}")


def make(directory, *command, **environment):
    """Runs a maker of the release in a directory of its own, which it fills; gives the paths that it says."""
    directory.mkdir()
    (directory / "tmp").mkdir()
    run = live.run([*command[:1], directory / "out", *command[1:]], cwd=SOURCE, timeout=1500,
                   env={**os.environ, "TMPDIR": str(directory / "tmp"), **environment})
    assert list((directory / "tmp").iterdir()) == [], "something was left behind"
    return [Path(line) for line in run.out.split()]


@functools.cache
def release():
    """The tarball of what is committed."""
    need("git", "clang", "bpftool", "xz")
    if live.run(["git", "-C", SOURCE, "rev-parse", "HEAD"], expect=None).rc != 0:
        live.skip("a tarball is made of a git repository")
    return make(scratch() / "release", SOURCE / "tools/make-tarball")[0]


@functools.cache
def without_bpf_tools():
    """A PATH on which clang and bpftool are not to be found; who calls them leaves a file `called`."""
    directory = scratch() / "bin"
    directory.mkdir()
    for name in ("clang", "bpftool"):
        (directory / name).write_text(f"#!/bin/sh\necho {name} >>{directory}/called\nexit 127\n")
        (directory / name).chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


@functools.cache
def package():
    """The package that is made of the tarball."""
    need("dpkg-buildpackage", "dh", "scdoc")
    tarball = release()
    packages = make(scratch() / "package", SOURCE / "packaging/make-deb", tarball, PATH=without_bpf_tools(), **OPTIONS)
    assert [path.name.split("_")[0] for path in packages] == ["nwho"], packages
    return packages[0]


@functools.cache
def unpacked():
    directory = scratch() / "unpacked"
    live.run(["dpkg-deb", "-x", package(), directory])
    return directory


class Machine:
    """A copy of this machine: what is written there is in memory, and gone with the namespace."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.root, self.upper = directory / "root", directory / "upper"
        script = ('mount -t tmpfs nwho-test "$1" && mkdir "$1/upper" "$1/work" "$1/root" &&'
                  ' mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" nwho-test "$1/root" &&'
                  ' mount -t tmpfs nwho-test "$1/root/run" && mount -t tmpfs nwho-test "$1/root/tmp" &&'
                  ' for i in proc sys dev; do mount --rbind "/$i" "$1/root/$i" || exit; done && echo ready && exec cat')
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh", directory],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = self.holder.stdout.readline() == b"ready\n"

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()

    def prefix(self):
        return ["nsenter", f"--target={self.holder.pid}", "--mount", "chroot", self.root, "env", "-C", "/",
                "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]

    def run(self, *command, ns=None, expect=0, **options):
        prefix = self.prefix()
        if ns is not None:
            prefix[2:2] = [f"--net=/run/netns/{ns.name}"]
        return live.run([*prefix, *command], expect, **options)

    def written(self):
        """What is there, or is not, other than on this machine; but for the notes that dpkg and the system keep of what they did."""
        known = re.compile(r"(var/(lib/dpkg|log|cache)|etc/(group|gshadow|passwd|shadow|subgid|subuid|ld\.so\.cache|\.pwd\.lock))(/|-?$)")
        lines = live.run(["nsenter", f"--target={self.holder.pid}", "--mount", "find", self.upper, "-mindepth", "1",
                          "-printf", "%P\t%y\n"]).out.splitlines()
        return {name for name, kind in (line.rsplit("\t", 1) for line in lines)
                if not known.match(name) and not (kind == "d" and os.path.isdir(f"/{name}"))}


@contextlib.contextmanager
def machine():
    need("dpkg", "unshare", "nsenter", "chroot")
    copy = Machine(Path(tempfile.mkdtemp(dir=scratch())) / "machine")
    try:
        if not copy.ready:
            live.skip("this kernel, or this container, lets nobody mount an overlay")
        yield copy
    finally:
        copy.close()


# --- the tarball ---

@test
def the_tarball_has_what_the_build_made():
    """A revision gives the same skeletons in every directory; all files are nobody's, and as old as the release."""
    with tarfile.open(release()) as tar:
        members = tar.getmembers()
        skeletons = {os.path.basename(member.name): tar.extractfile(member).read() for member in members
                     if member.name.endswith(".lskel.h")}
    top = f"nwho-{VERSION}"
    assert {member.name.split("/")[0] for member in members} == {top} and release().name == f"{top}.tar.xz"
    assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, int(live.run([SOURCE / "tools/release-time"]).out))}
    names = [member.name for member in members]
    assert len(names) == len(set(names)) and {f"{top}/meson.build", f"{top}/LICENSE", f"{top}/src/bpf/skeletons/SOURCES"} <= set(names)
    assert not [name for name in names if "/build/" in name]
    built = {path.name: path.read_bytes() for path in (BUILD / "src/bpf").glob("*.lskel.h")}
    if live.run(["git", "-C", SOURCE, "status", "--porcelain"]).out:
        live.skip("the source is not what is committed")
    assert skeletons.keys() == built.keys() and skeletons
    assert [name for name in built if built[name] != skeletons[name]] == []


@test
def a_changed_source_makes_the_skeletons_useless():
    """Then they are made again, and without clang there are none: never the ones of other sources."""
    directory = scratch() / "changed"
    directory.mkdir()
    live.run(["tar", "-x", "-f", release(), "-C", directory, "--strip-components=1"])
    configure = ["meson", "setup", "-Dauto_features=disabled", "-Dtests=disabled", "-Dbpf=enabled"]
    environment = {**os.environ, "PATH": without_bpf_tools()}
    assert re.search(r"BPF iterators *: *YES", live.run([*configure, "before"], cwd=directory, env=environment).out)
    (directory / "src/bpf/record.h").write_bytes((directory / "src/bpf/record.h").read_bytes() + b"\n")
    refused = live.run([*configure, "-Dbpf_skeletons=shipped", "after"], cwd=directory, env=environment, expect=1)
    assert "bpf_skeletons=shipped needs" in refused.out, refused


# --- the package ---

@test
def neither_clang_nor_bpftool_was_called():
    package()
    assert not (scratch() / "bin/called").exists(), (scratch() / "bin/called").read_text()


@test
def the_package_is_whole():
    fields = dict(line.split(": ", 1) for line in live.run(["dpkg-deb", "-f", package()]).out.splitlines() if line[0] != " ")
    assert fields["Package"] == "nwho" and re.fullmatch(re.escape(VERSION) + r"-\d+", fields["Version"]), fields
    assert {"libc6", "libncursesw6", "libsqlite3-0", "libzstd1"} <= {word.split()[0] for word in fields["Depends"].split(", ")}
    root = unpacked()
    for name in ("nwho.1", *(f"nwho-{tool}.1" for tool in (*TOOLS, "serve", "fleet", "export", "sniff"))):
        if (SOURCE / f"docs/{name}.scd").exists():
            assert (root / f"usr/share/man/man1/{name}.gz").is_file(), name
    for name in ("usr/share/bash-completion/completions/nwho", "usr/share/zsh/vendor-completions/_nwho",
                 "usr/share/fish/vendor_completions.d/nwho.fish", "usr/share/man/man5/nwho.conf.5.gz", "etc/nwho/nwho.conf",
                 "usr/lib/sysusers.d/nwho.conf", "usr/lib/tmpfiles.d/nwho.conf", "usr/share/doc/nwho/copyright",
                 "usr/share/doc/nwho/changelog.gz", "usr/share/doc/nwho/SECURITY.md",
                 "usr/share/doc/nwho/examples/prometheus/prometheus.yml", "usr/share/doc/nwho/examples/log-pipelines/vector.yaml"):
        assert list(root.glob(name + "*")), name
    assert f'"{DAY}"' in live.run(["zcat", root / "usr/share/man/man1/nwho.1.gz"]).out.split("\n.SH", 1)[0]
    assert {path.name for path in (root / "usr/lib/nwho/bin").iterdir()} == set(TOOLS)
    taken = [path for directory in ("usr/bin", "usr/sbin", "bin", "sbin") for path in root.glob(f"{directory}/*")]
    assert taken == [root / "usr/bin/nwho"], taken
    assert not [path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o6022]


@test
def it_has_no_path_of_where_it_was_built():
    marker = str(scratch()).encode()
    assert [path for path in unpacked().rglob("*") if path.is_file() and marker in path.read_bytes()] == []


@test
def lintian_has_nothing_to_say():
    need("lintian")
    run = live.run(["lintian", "--fail-on=error,warning,info", f"--suppress-tags={UNOPTIMIZED}", "--no-cfg", "--allow-root", package()],
                   expect=None, timeout=300)
    assert run.rc == 0 and run.out == "", run.out + run.err


def install(copy):
    name = "tmp/nwho.deb"
    with open(package(), "rb") as file:
        copy.run("sh", "-c", f"cat >/{name}", stdin=file)
    return copy.run("dpkg", "--no-triggers", "--path-include=*", "-i", f"/{name}", timeout=300)


def the_program_works(copy, ns):
    assert copy.run("nwho", "--version").out == f"nwho {VERSION}\n"
    with mksock(ns, "listening", "port=8080") as facts:
        for sources in ("bpf", "sock_diag,proc_fd"):
            # As far as this kernel and container let the program of the build do it.
            known = live.run([*ns.prefix(), BUILD / "nwho", "ls", "-l", "--sources", sources, "--json=local_port,pid"], expect=None)
            found = copy.run("nwho", "ls", "-l", "--sources", sources, "--json=local_port,pid", ns=ns, expect=None)
            assert found.rc == known.rc and json.loads(found.out)["rows"] == json.loads(known.out)["rows"], (found, known)
            if sources != "bpf":
                assert {"local_port": 8080, "pid": facts[0]["pid"]} in json.loads(found.out)["rows"]
        old = copy.run("sh", "-c", "PATH=/usr/lib/nwho/bin:$PATH; netstat -V; exec ss -Hltn", ns=ns).out
        assert f"nwho {VERSION}" in old and ":8080 " in old, old


def the_shell_completes(copy):
    script = """. /usr/share/bash-completion/completions/nwho
        compopt() { :; }
        COMP_WORDS=(nwho ls --sort rtt_u) COMP_CWORD=3; _nwho; echo "${COMPREPLY[@]}" """
    assert copy.run("bash", "-c", script).out == "rtt_us\n"


def the_manual_is_found(copy):
    if shutil.which("man"):
        assert "NAME" in copy.run("man", "-P", "cat", "nwho.conf").out
        assert copy.run("man", "-w", "nwho-ss").out == "/usr/share/man/man1/nwho-ss.1.gz\n"


def the_recorder_is_ready_and_does_not_run(copy):
    unit = copy.run("sh", "-c", "ls /lib/systemd/system/nwho.service").out.strip()
    if shutil.which("systemd-analyze"):
        verified = copy.run("systemd-analyze", "verify", "--man=no", unit)
        assert "nwho.service" not in verified.err, verified.err
    assert copy.run("sh", "-c", "ls /etc/systemd/system/*/nwho.service", expect=2).out == ""
    assert copy.run("stat", "-c", "%U:%G %a", "/var/lib/nwho").out == "root:nwho 2750\n"
    assert copy.run("nwho", "serve", "--status", expect=1)


def the_group_reads_what_was_recorded(copy, ns):
    prefix = copy.prefix()
    prefix[2:2] = [f"--net=/run/netns/{ns.name}"]
    recorder = subprocess.Popen([*map(str, prefix), "nwho", "serve", "--foreground", "--every", "1", "--listen", "none"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        def asked(group, **options):
            return copy.run("setpriv", "--reuid=nobody", f"--regid={group}", "--clear-groups", "nwho", "history", "--since", "-1h",
                            "--by", "iface", "--json=iface", **options)
        wait_for(lambda: copy.run("test", "-e", "/var/lib/nwho/history.db", expect=None).rc == 0, what="a history")
        wait_for(lambda: "lo" in asked("nwho", expect=None).out, what="something recorded that the group may read")
        assert asked("nogroup", expect=2).err
    finally:
        recorder.send_signal(signal.SIGTERM)
        said = recorder.communicate(timeout=60)[1]
    assert recorder.returncode == 0, said
    assert "lo" in asked("nwho").out
    assert copy.run("sh", "-c", "stat -c '%G %a' /var/lib/nwho/history.db").out == "nwho 640\n"


@test
def it_is_installed_used_removed_and_purged():
    with machine() as copy, netns() as ns:
        before = copy.written()
        install(copy)
        the_program_works(copy, ns)
        the_shell_completes(copy)
        the_manual_is_found(copy)
        the_recorder_is_ready_and_does_not_run(copy)
        the_group_reads_what_was_recorded(copy, ns)
        copy.run("dpkg", "--no-triggers", "--remove", "nwho")
        left = copy.written() - before
        assert "etc/nwho/nwho.conf" in left and "var/lib/nwho/history.db" in left and "usr/bin/nwho" not in left, left
        copy.run("dpkg", "--no-triggers", "--purge", "nwho")
        assert copy.written() - before == set()
        assert copy.run("dpkg-query", "-W", "nwho", expect=1).out == ""


# --- other packages ---

# What Fedora has, and Debian's rpm does not, or has otherwise.
MACROS = r"""
%meson meson setup --buildtype=plain --prefix=%{_prefix} --libdir=%{_lib} --sysconfdir=%{_sysconfdir} --wrap-mode=nodownload output
%meson_build meson compile -C output
%meson_install DESTDIR=%{buildroot} meson install -C output --no-rebuild
%_sharedstatedir /var/lib
%_unitdir /usr/lib/systemd/system
%_sysusersdir /usr/lib/sysusers.d
%_tmpfilesdir /usr/lib/tmpfiles.d
%systemd_requires Requires: systemd
%systemd_post() systemctl preset %{?*} || :
%systemd_preun() systemctl disable --now %{?*} || :
%systemd_postun_with_restart() systemctl try-restart %{?*} || :
%sysusers_create_compat() systemd-sysusers %{?*} || :
%find_lang /usr/lib/rpm/find-lang.sh %{buildroot}
%debug_package %{nil}
"""


def spec_options(directory):
    directory.mkdir()
    (directory / "macros").write_text(MACROS)
    return ["--load", directory / "macros", "--define", f"_topdir {directory}", "--define", f"_sourcedir {release().parent}"]


@test
def the_spec_is_read_by_rpm():
    need("rpmspec")
    known = live.run(["rpmspec", *spec_options(scratch() / "spec"), "-P", SOURCE / "packaging/nwho.spec"])
    assert known.err == "" and re.search(rf"^Version: +{re.escape(VERSION)}$", known.out, re.M)
    # A macro that nobody knows stays as it is.
    assert re.findall(r"%(?!prep|build|install|pre|post|preun|postun|files|license|doc|dir|config|attr|changelog|description)\w+", known.out) == []


@test
def the_rpm_is_built():
    """A minute: with NWHO_FULL=1 only."""
    if not FULL:
        live.skip("takes a minute: NWHO_FULL=1")
    need("rpmbuild", "rpm")
    directory = scratch() / "rpm"
    live.run(["rpmbuild", *spec_options(directory), "--define", "optflags -O0", "--nodeps", "-bb", SOURCE / "packaging/nwho.spec"],
             timeout=1500, env={**os.environ, "PATH": without_bpf_tools()})
    packages = list((directory / "RPMS").rglob("*.rpm"))
    assert len(packages) == 1, packages
    files = live.run(["rpm", "-qpl", packages[0]]).out.split("\n")
    assert {"/usr/bin/nwho", "/etc/nwho/nwho.conf", "/usr/lib/systemd/system/nwho.service", "/var/lib/nwho",
            *(f"/usr/lib/nwho/bin/{tool}" for tool in TOOLS)} <= set(files), files
    assert live.run(["rpm", "-qpc", packages[0]]).out == "/etc/nwho/nwho.conf\n"


@test
def the_apkbuild_says_what_abuild_wants():
    """There is no abuild in Debian: only its variables and functions are looked at."""
    script = """. "$1"; echo "$pkgname-$pkgver-r$pkgrel"; echo "$source"; for i in $license $arch $makedepends $subpackages; do echo "$i"; done |
        grep -c .; for i in build check package; do command -v $i; done"""
    lines = live.run(["sh", "-eu", "-c", script, "sh", SOURCE / "packaging/APKBUILD"]).out.splitlines()
    assert (SOURCE / "packaging/nwho.pre-install").exists() and (SOURCE / "packaging/nwho.initd").exists()
    assert lines[:2] == [f"nwho-{VERSION}-r0", f"nwho-{VERSION}.tar.xz"] and int(lines[2]) > 10 and lines[3:] == ["build", "check", "package"], lines


@test
def two_builds_are_the_same_bytes():
    """Minutes: with NWHO_FULL=1 only."""
    if not FULL:
        live.skip("takes minutes: NWHO_FULL=1")
    again = make(scratch() / "release-again", SOURCE / "tools/make-tarball")[0]
    optimized = [make(scratch() / name, SOURCE / "packaging/make-deb", again) for name in ("one", "another")]
    assert len(optimized[0]) == 2  # with the package of debugging symbols
    digests = [[hashlib.sha256(path.read_bytes()).hexdigest() for path in paths] for paths in (*optimized, [again], [release()])]
    assert digests[0] == digests[1] and digests[2] == digests[3], digests


run_tests()
