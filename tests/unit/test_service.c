/* SPDX-License-Identifier: MIT */
/* Tests of what a cgroup path says: systemd unit and container. */
#include "derive/service.h"

#include "derive/container.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID "4f0c9a1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef0123456789ab"
#define OTHER_ID "00000000000000000000000000000000000000000000000000000000000000ff"
#define POD "pod12345678-90ab-cdef-1234-567890abcdef"

static const struct path_case {
    const char *path, *unit, *runtime, *id;
} cases[] = {
    {"", "", "", ""},
    {"/", "", "", ""},
    {"//", "", "", ""},
    {"no slash at all", "", "", ""},
    {"/.service", "", "", ""},
    /* plain systemd */
    {"/init.scope", "init.scope", "", ""},
    {"/system.slice/ssh.service", "ssh.service", "", ""},
    {"/system.slice/ssh.service/", "ssh.service", "", ""},
    {"/system.slice/nginx.service/worker", "nginx.service", "", ""},
    {"/system.slice/dbus.socket", "dbus.socket", "", ""},
    {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "", ""},
    {"/system.slice/systemd-fsck@dev-disk-by\\x2duuid-1.service",
     "systemd-fsck@dev-disk-by\\x2duuid-1.service", "", ""},
    {"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "", ""},
    {"/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", "", ""},
    {"/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.foo.service",
     "app-org.foo.service", "", ""},
    {"/user.slice", "user.slice", "", ""},
    {"/a\033[31m)(/x.service", "x.service", "", ""},
    /* docker */
    {"/docker/" ID, "", "docker", ID},
    {"/docker/" ID "/init", "", "docker", ID},
    {"/docker/" ID "/system.slice/nginx.service", "nginx.service", "docker", ID},
    {"/docker/" ID "/docker/" OTHER_ID, "", "docker", OTHER_ID},
    {"/system.slice/docker-" ID ".scope", "docker-" ID ".scope", "docker", ID},
    {"/system.slice/docker.service", "docker.service", "", ""},
    {"/system.slice/docker.service/docker/" ID, "docker.service", "docker", ID},
    {"/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service/docker/" ID,
     "docker.service", "docker", ID},
    {"/system.slice:docker:" ID, "", "docker", ID},
    {"/ci_jobs/" ID, "", "container", ID},
    {"/docker/buildx", "", "", ""},
    {"/docker-not-hex.scope", "docker-not-hex.scope", "", ""},
    /* podman; conmon is outside of the container */
    {"/machine.slice/libpod-" ID ".scope", "libpod-" ID ".scope", "podman", ID},
    {"/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", "podman", ID},
    {"/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "", ""},
    {"/libpod_parent/libpod-" ID, "", "podman", ID},
    {"/machine.slice/machine-libpod_pod_" OTHER_ID ".slice/libpod-" ID ".scope",
     "libpod-" ID ".scope", "podman", ID},
    {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
     "libpod-" ID ".scope", "podman", ID},
    /* containerd, cri-o, kubernetes */
    {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-" ID
     ".scope",
     "cri-containerd-" ID ".scope", "containerd", ID},
    {"/kubepods.slice/kubepods-pod1_2.slice/crio-" ID ".scope", "crio-" ID ".scope", "cri-o", ID},
    {"/kubepods.slice/kubepods-pod1_2.slice/crio-conmon-" ID ".scope", "crio-conmon-" ID ".scope",
     "", ""},
    {"/kubepods.slice/kubepods-pod1_2.slice/docker-" ID ".scope", "docker-" ID ".scope", "docker",
     ID},
    {"/kubepods/burstable/" POD "/" ID, "", "kubernetes", ID},
    {"/kubepods/" POD "/" ID, "", "kubernetes", ID},
    {"/kubepods/besteffort/" POD "/crio-" ID, "", "cri-o", ID},
    {"/kubepods/besteffort/" POD, "", "", ""},
    {"/kubepods.slice/kubepods-pod1_2.slice/" ID, "kubepods-pod1_2.slice", "kubernetes", ID},
    {"/system.slice/containerd.service/kubepods-burstable-pod1_2.slice:cri-containerd:" ID,
     "containerd.service", "containerd", ID},
    {"/docker/" ID "/kubelet/kubepods/burstable/" POD "/" OTHER_ID, "", "kubernetes", OTHER_ID},
    {"/user.slice/user-1000.slice/nerdctl-" ID ".scope", "nerdctl-" ID ".scope", "containerd", ID},
    {"/ecs/11111111-2222-3333-4444-555555555555/" ID, "", "ecs", ID},
    /* lxc */
    {"/lxc/web", "", "lxc", "web"},
    {"/lxc/web/system.slice/nginx.service", "nginx.service", "lxc", "web"},
    {"/lxc.payload.web", "", "lxc", "web"},
    {"/lxc.payload.web/init.scope", "init.scope", "lxc", "web"},
    {"/lxc.payload/web", "", "lxc", "web"},
    {"/lxc.monitor.web", "", "", ""},
    {"/lxc", "", "", ""},
    /* systemd-nspawn and other machines */
    {"/machine.slice/systemd-nspawn@debian.service", "systemd-nspawn@debian.service",
     "systemd-nspawn", "debian"},
    {"/machine.slice/systemd-nspawn@debian.service/payload/system.slice/cron.service",
     "cron.service", "systemd-nspawn", "debian"},
    {"/machine.slice/machine-debian\\x2dtest.scope", "machine-debian\\x2dtest.scope",
     "systemd-nspawn", "debian\\x2dtest"},
    {"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
     "machine-qemu\\x2d1\\x2dvm.scope", "qemu", "1\\x2dvm"},
};

static void assert_part(struct path_part part, const char *expected, const char *path)
{
    if (part.length != strlen(expected) || memcmp(part.start, expected, part.length) != 0)
        fail_msg("%s: \"%.*s\" instead of \"%s\"", path, (int)part.length, part.start, expected);
}

static void paths_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t length = strlen(cases[i].path);
        struct container_name container = service_container(cases[i].path, length);

        assert_part(service_unit(cases[i].path, length), cases[i].unit, cases[i].path);
        assert_string_equal(container.runtime, cases[i].runtime);
        assert_part(container.id, cases[i].id, cases[i].path);
    }
}

/* The path need not end with a NUL: what stands behind its length is not read. */
static void length_is_respected(void **state)
{
    static const char path[] = "/system.slice/ssh.service/docker/" ID;
    struct container_name container = service_container(path, 25);

    (void)state;
    assert_part(service_unit(path, 25), "ssh.service", path);
    assert_int_equal(container.id.length, 0);
    assert_part(service_unit(path, 24), "system.slice", path);
}

static void long_ids_are_shown_short(void **state)
{
    (void)state;
    assert_int_equal(service_id_shown((struct path_part){ID, 64}), 12);
    assert_int_equal(service_id_shown((struct path_part){"deadbeef", 8}), 8);
    assert_int_equal(service_id_shown((struct path_part){"a-long-name-of-a-container", 26}), 26);
}

/* A process in a container of lxc with this name, and in this namespace. */
static void add_process(struct snapshot *snapshot, const char *name, uint32_t netns)
{
    const uint32_t pid = snapshot->processes_count + 1;
    struct process *process;
    uint32_t index, cgroup;
    char path[64];

    snprintf(path, sizeof(path), "/lxc.payload.%s", name);
    assert_int_equal(snapshot_add_process(snapshot, pid, &index), 0);
    assert_int_equal(snapshot_intern(snapshot, path, strlen(path), &cgroup), 0);
    process = &snapshot->processes[index];
    process->cgroup = cgroup;
    process->netns = netns;
    process->has = PROCESS_HAS_CGROUP | PROCESS_HAS_NETNS;
}

static void a_name_is_one_container(void **state)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    uint32_t netns = 99;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    add_process(&snapshot, "web2", 2);
    add_process(&snapshot, "web", 1);
    add_process(&snapshot, "webcam", 3);
    add_process(&snapshot, "db-a", 4);
    add_process(&snapshot, "db-b", 4);
    add_process(&snapshot, "hidden", 5);
    snapshot.processes[5].has = PROCESS_HAS_CGROUP;
    assert_int_equal(container_netns(&snapshot, "we", &netns), -EEXIST);
    assert_int_equal(container_netns(&snapshot, "", &netns), -ENOENT);
    assert_int_equal(container_netns(&snapshot, "web3", &netns), -ENOENT);
    assert_int_equal(container_netns(&snapshot, "hidden", &netns), -ENOENT);
    assert_int_equal(netns, 99);
    assert_int_equal(container_netns(&snapshot, "web", &netns), 0);
    assert_int_equal(netns, 1);
    assert_int_equal(container_netns(&snapshot, "webc", &netns), 0);
    assert_int_equal(netns, 3);
    /* As the containers of a pod. */
    assert_int_equal(container_netns(&snapshot, "db", &netns), 0);
    assert_int_equal(netns, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_understood),
        cmocka_unit_test(length_is_respected),
        cmocka_unit_test(long_ids_are_shown_short),
        cmocka_unit_test(a_name_is_one_container),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
