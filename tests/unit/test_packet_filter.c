/* SPDX-License-Identifier: MIT */
/* Expressions about packets and processes: what libpcap gets, and which packets are wanted. */
#include "table/captured.h"
#include "table/packet_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* A machine with curl, which sh started, and nginx. */
struct machine {
    struct snapshot snapshot;
    struct captured_processes captured;
    struct buf scratch;
    struct view view;
    struct arena arena;
    unsigned int taken; /* bit N: part N takes the packet */
};

enum { SH, CURL, NGINX };

static int set_up(void **state)
{
    static const struct {
        uint32_t pid, ppid, uid;
        const char *comm;
    } made[] = {{10, 1, 1000, "sh"}, {11, 10, 1000, "curl"}, {12, 1, 33, "nginx"}};
    struct machine *machine = calloc(1, sizeof(*machine));
    uint32_t index;

    assert_non_null(machine);
    assert_int_equal(snapshot_init(&machine->snapshot), 0);
    for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
        struct process *process;
        uint32_t comm;

        assert_int_equal(
            snapshot_intern(&machine->snapshot, made[i].comm, strlen(made[i].comm), &comm), 0);
        assert_int_equal(snapshot_add_process(&machine->snapshot, made[i].pid, &index), 0);
        process = &machine->snapshot.processes[index];
        process->comm = comm;
        process->ppid = made[i].ppid;
        process->uid = made[i].uid;
        process->has = PROCESS_HAS_COMM | PROCESS_HAS_PPID | PROCESS_HAS_UID;
    }
    machine->view = (struct view){.snapshot = &machine->snapshot,
                                  .captured = &machine->captured,
                                  .scratch = &machine->scratch};
    *state = machine;
    return 0;
}

static int tear_down(void **state)
{
    struct machine *machine = *state;

    snapshot_done(&machine->snapshot);
    buf_done(&machine->scratch);
    arena_done(&machine->arena);
    free(machine);
    return 0;
}

static bool takes(void *context, uint32_t number)
{
    const struct machine *machine = context;

    return machine->taken & 1u << number;
}

static struct packet_filter parse(struct machine *machine, const char *text)
{
    struct filter_error error = {{0}, 0, 0};
    struct packet_filter filter;

    if (packet_filter_parse(text, &machine->arena, &filter, &error) != 0)
        fail_msg("%s: %s", text, error.message);
    return filter;
}

/* What libpcap gets: "EXPRESSION; PART; PART". */
static void check_packets(struct machine *machine, const char *text, const char *wanted)
{
    struct packet_filter filter = parse(machine, text);
    struct buf found = BUF_INIT;

    buf_puts(&found, filter.packets);
    for (uint32_t i = 0; i < filter.part_count; i++)
        buf_printf(&found, "; %s", filter.parts[i]);
    if (strcmp(buf_string(&found), wanted) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", text, buf_string(&found), wanted);
    packet_filter_done(&filter);
    buf_done(&found);
}

/* The answer for a packet from curl to nginx, only one of which is here where `end` is one. */
static void check(struct machine *machine, const char *text, int end, unsigned int taken,
                  bool wanted)
{
    struct packet_filter filter = parse(machine, text);

    machine->captured.netns = "blue";
    machine->captured.count = 0;
    if (end != NGINX)
        machine->captured.processes[machine->captured.count++] = CURL;
    if (end != CURL)
        machine->captured.processes[machine->captured.count++] = NGINX;
    machine->taken = taken;
    if (packet_filter_accepts(&filter, &machine->view, takes, machine) != wanted)
        fail_msg("%s: %swanted of %d", text, wanted ? "" : "not ", end);
    packet_filter_done(&filter);
}

/* Without a condition of ours libpcap gets each byte, be it right or wrong. */
static void libpcap_has_its_own(void **state)
{
    static const char *const texts[] = {
        "",
        "port 80 or port 443",
        "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 10.0.0.0/8",
        "((ip[0] & 0xf) << 2) + ((tcp[12]&0xf0)>>2) != 0 && !(icmp || arp)",
        "host process or user", /* names of hosts */
        "host unit and port 22",
        "ether proto \\ip and host user",
        "and and",
        "(port 80",
        "port 80)",
        "()",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct packet_filter filter = parse(*state, texts[i]);

        assert_string_equal(filter.packets, texts[i]);
        assert_null(filter.root);
        packet_filter_done(&filter);
    }
}

static void what_can_be_parted_is(void **state)
{
    check_packets(*state, "process nginx and port 443", "port 443");
    check_packets(*state, "port 80 or 443 and process nginx", "port 80 or 443");
    check_packets(*state, "tcp port 80 and pid 1,2 and not 443", "tcp port 80 and not 443");
    check_packets(*state, "tcp && (process a and (udp or icmp)) && user root",
                  "tcp and ((udp or icmp))");
    check_packets(*state, "process nginx", "");
    check_packets(*state, "not (process nginx or pid 5) and ip[0] & 0xf != 5", "ip[0] & 0xf != 5");
    check_packets(*state, "process ~ /x and [(]y/ and (tcp[12] & 0xf0) >> 2 > 20",
                  "(tcp[12] & 0xf0) >> 2 > 20");
    check_packets(*state, "\n process  \"a and b\"\tand\nudp ", "udp");
}

/* The rest is answered for each packet; parts beside each other stay one. */
static void what_cannot_is_asked(void **state)
{
    check_packets(*state, "process nginx or port 443", "; port 443");
    check_packets(*state, "process nginx or port 443 or 80 and udp", "udp; port 443 or 80");
    check_packets(*state, "not (tcp and process a)", "; tcp");
    check_packets(*state, "(pid 1 and tcp) or (pid 2 and udp)", "; tcp; udp");
}

/* As libpcap joins: `and` and `or` bind alike. */
static void truth(void **state)
{
    check(*state, "process curl", CURL, 0, true);
    check(*state, "process nginx", CURL, 0, false);
    check(*state, "process curl and process nginx", 3, 0, true); /* what they say to each other */
    check(*state, "process curl and process nginx", CURL, 0, false);
    check(*state, "not process nginx", 3, 0, false);
    check(*state, "process != nginx", 3, 0, false);
    check(*state, "!process nginx", CURL, 0, true);
    check(*state, "pid 11 or tcp", NGINX, 0, false);
    check(*state, "pid 11 or tcp", NGINX, 1, true);
    check(*state, "pid 11 or tcp and pid 12", CURL, 1, false); /* (11 or tcp) and 12 */
    check(*state, "pid 11 or (tcp and pid 12)", CURL, 0, true);
    check(*state, "not (tcp and pid 11)", CURL, 1, false);
    check(*state, "not (tcp and pid 11)", CURL, 0, true);
    check(*state, "not not pid 11", CURL, 0, true);
    check(*state, "uid 33", CURL, 0, false);
    check(*state, "uid != 33", 3, 0, false);
    check(*state, "uid < 100", NGINX, 0, true);
    check(*state, "pid 10+", CURL, 0, true);
    check(*state, "pid 10+", NGINX, 0, false);
    check(*state, "netns blue and proc cu*", CURL, 0, true);
    check(*state, "netns red", CURL, 0, false);
}

static void check_error(void **state, const char *text, uint32_t at, const char *part)
{
    struct machine *machine = *state;
    struct filter_error error = {{0}, 0, 0};
    struct packet_filter filter;

    assert_int_equal(packet_filter_parse(text, &machine->arena, &filter, &error), -EINVAL);
    if (error.at != at || !strstr(error.message, part))
        fail_msg("%s: \"%s\" at %u", text, error.message, error.at);
}

static void errors_are_pointed_at(void **state)
{
    char deep[1000] = "";

    check_error(state, "process nginx port 80", 14, "'and' or 'or' is expected");
    check_error(state, "port 80 process nginx", 8, "joined");
    check_error(state, "host (a or pid 5)", 11, "joined");
    check_error(state, "(process a or port 80", 0, "not closed");
    check_error(state, "process a)", 9, "not opened");
    check_error(state, "process a and", 13, "expected");
    check_error(state, "process a and ()", 15, "expected");
    check_error(state, "tcp and pid x", 12, "is no value for pid");
    check_error(state, "exe ~ '(' and tcp", 6, "regular expression");
    memset(deep, '(', 300);
    memcpy(deep + 300, "pid 1", sizeof("pid 1"));
    check_packets(*state, deep, deep); /* too deep to be ours */
    memcpy(deep + 150, "pid 1", sizeof("pid 1"));
    check_error(state, deep, 149, "not closed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(libpcap_has_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_can_be_parted_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(truth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_are_pointed_at, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
