/* SPDX-License-Identifier: MIT */
/* Tests of what a filter lets collectors leave out: much, and never a socket that it accepts. */
#include "filter_fixture.h"

#define SOCKETS 300
#define EXPRESSIONS 3000

struct random {
    uint64_t state;
};

/* xorshift64: the same numbers on every machine. */
static uint32_t random_below(struct random *random, uint32_t bound)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return (uint32_t)(random->state >> 33) % bound;
}

static void random_address(struct random *random, unsigned int kind, union address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t *v4 = address->bytes;

    if (kind == 1) {
        memcpy(address->bytes, mapped, sizeof(mapped));
        v4 += 12;
    }
    if (kind < 2) {
        v4[0] = (uint8_t)(random_below(random, 2) ? 10 : 127);
        v4[1] = (uint8_t)random_below(random, 2);
        v4[3] = (uint8_t)random_below(random, 3);
        return;
    }
    address->bytes[0] = (uint8_t)(random_below(random, 2) ? 0xfd : 0x20);
    address->bytes[15] = (uint8_t)random_below(random, 3);
}

static void add_random_socket(struct random *random, struct snapshot *snapshot)
{
    static const uint8_t families[] = {AF_UNIX, AF_PACKET, AF_NETLINK};
    static const uint8_t protos[] = {PROTO_UNIX, PROTO_PACKET, PROTO_NETLINK};
    struct socket *socket = snapshot_add_socket(snapshot);
    unsigned int kind = random_below(random, 3), other = random_below(random, 12);

    assert_non_null(socket);
    socket->inode = 5000 + snapshot->sockets_count;
    socket->state = (uint8_t)(1 + random_below(random, STATE_MAX - 1));
    socket->has = SOCKET_HAS_INODE | SOCKET_HAS_QUEUES;
    socket->recv_q = random_below(random, 3);
    if (other < 3) {
        socket->family = families[other];
        socket->proto = protos[other];
        return;
    }
    socket->proto = (uint8_t)(PROTO_TCP + random_below(random, PROTO_MPTCP));
    socket->family = kind ? AF_INET6 : AF_INET;
    random_address(random, kind, &socket->local);
    random_address(random, kind, &socket->peer);
    socket->local_port = (uint16_t)random_below(random, 5);
    socket->peer_port = (uint16_t)random_below(random, 5);
}

static void put_condition(struct random *random, struct buf *text)
{
    static const char *const conditions[] = {
        "tcp",
        "udp unix",
        "proto != raw",
        "netlink",
        "inet",
        "inet6",
        "family unix,inet",
        "state established",
        "exclude listening",
        "close-wait time-wait",
        "state all",
        "sport 1",
        "dport > 2",
        "port 1,3",
        "sport != 2",
        "dport 1-3",
        "port ge 4",
        "dst 10.0.0.1",
        "src 10.1.0.0/16",
        "host 127.0.0.0/8",
        "dst != 10.0.0.0/8",
        "src fd00::/8",
        "dst ::ffff:0:0/96",
        "net 10",
        "dst 10.0.0.2:3",
        "src loopback",
        "recv_q > 1",
        "rtt > 1ms",
        "listen",
        "exposed",
        "keepalive",
        "unowned",
        "process nginx",
        "pid 100",
        "pid 100,200",
        "pid 200+",
        "path /x",
        "sick",
        "in",
        "mark 5",
        "autobound",
        "dev lo",
        "inode > 5100",
    };

    buf_puts(text, conditions[random_below(random, ARRAY_SIZE(conditions))]);
}

static void put_expression(struct random *random, struct buf *text, unsigned int depth)
{
    static const char *const joins[] = {" and ", " or ", " ", " || ", " && "};
    unsigned int count = 1 + random_below(random, 3);

    for (unsigned int i = 0; i < count; i++) {
        if (i)
            buf_puts(text, joins[random_below(random, ARRAY_SIZE(joins))]);
        if (random_below(random, 4) == 0)
            buf_puts(text, "not ");
        if (depth && random_below(random, 2)) {
            buf_puts(text, "(");
            put_expression(random, text, depth - 1);
            buf_puts(text, ")");
        } else {
            put_condition(random, text);
        }
    }
}

static bool in_prefix(const struct match *match, const struct socket *socket,
                      const union address *address)
{
    if (socket->family != match->family)
        return false;
    for (unsigned int bit = 0; bit < match->prefix; bit++)
        if ((address->bytes[bit / 8] ^ match->address.bytes[bit / 8]) & (0x80 >> bit % 8))
            return false;
    return true;
}

static bool match_holds(const struct request *request, uint32_t index, const struct socket *socket)
{
    const struct match *match = &request->matches[index];

    assert_true(index < request->match_count);
    switch (match->op) {
    case MATCH_ANY:
    case MATCH_AUTOBOUND:
        return true;
    case MATCH_AND:
        return match_holds(request, match->left, socket) &&
               match_holds(request, match->right, socket);
    case MATCH_OR:
        return match_holds(request, match->left, socket) ||
               match_holds(request, match->right, socket);
    case MATCH_NOT:
        return !match_holds(request, match->left, socket);
    case MATCH_LOCAL_PORT:
        return match->low <= socket->local_port && socket->local_port <= match->high;
    case MATCH_PEER_PORT:
        return match->low <= socket->peer_port && socket->peer_port <= match->high;
    case MATCH_LOCAL_ADDR:
        return in_prefix(match, socket, &socket->local);
    case MATCH_PEER_ADDR:
        return in_prefix(match, socket, &socket->peer);
    }
    return false;
}

/* What a collector would bring. */
static bool is_requested(const struct request *request, const struct socket *socket)
{
    bool inet = socket->family == AF_INET || socket->family == AF_INET6;

    if (!(request->protos & PROTO_BIT(socket->proto)) ||
        !(request->states & STATE_BIT(socket->state)))
        return false;
    if (!inet)
        return true;
    if (!(request->families & (1u << socket->family)))
        return false;
    return request->match_count == 0 || match_holds(request, request->match_count - 1, socket);
}

static bool is_held(const struct machine *machine, const struct request *request, uint32_t row)
{
    const struct socket_join *joined = &machine->join.sockets[row];

    for (uint32_t i = 0; i < joined->holder_count; i++) {
        const struct holder *holder = join_holder(&machine->snapshot, &machine->join, row, i);

        for (uint32_t p = 0; p < request->pid_count; p++)
            if (machine->snapshot.processes[holder->process].pid == request->pids[p])
                return true;
    }
    return request->pids == NULL;
}

static struct request full_request(void)
{
    return (struct request){
        .protos = PROTO_ALL,
        .states = STATE_ALL,
        .families = FAMILY_INET,
    };
}

static struct filter *compile(const char *text, struct arena *arena)
{
    struct filter_error error = {{0}, 0, 0};
    struct filter *filter = NULL;

    if (filter_compile(&table_sockets, text, arena, &filter, &error) < 0)
        fail_msg("%s: %s", text, error.message);
    return filter;
}

/* Returns how many sockets need not be read. */
static unsigned int check_expression(const struct machine *machine, const char *text)
{
    struct arena arena = {0};
    struct request request = full_request();
    struct filter *filter = compile(text, &arena);
    unsigned int spared = 0;

    assert_int_equal(filter_push_down(filter, &arena, &request), 0);
    for (uint32_t row = 0; row < machine->snapshot.sockets_count; row++) {
        bool requested = is_requested(&request, &machine->snapshot.sockets[row]);

        spared += !requested;
        if (!filter_accepts(filter, &machine->view, row))
            continue;
        if (!requested || !is_held(machine, &request, row))
            fail_msg("%s: socket %u is accepted, but not asked for", text, row);
    }
    filter_done(filter);
    arena_done(&arena);
    return spared;
}

static void never_too_narrow(void **state)
{
    struct random random = {.state = 88172645463325252u};
    struct machine machine;
    struct buf text = BUF_INIT;
    unsigned int spared = 0;

    (void)state;
    machine_make(&machine);
    join_done(&machine.join);
    for (unsigned int i = 0; i < SOCKETS; i++)
        add_random_socket(&random, &machine.snapshot);
    assert_int_equal(join_make(&machine.snapshot, 0, &machine.join), 0);
    for (unsigned int i = 0; i < EXPRESSIONS; i++) {
        buf_reset(&text);
        put_expression(&random, &text, 3);
        spared += check_expression(&machine, buf_string(&text));
    }
    assert_true(spared > SOCKETS * EXPRESSIONS / 8);
    buf_done(&text);
    machine_done(&machine);
}

/* Everything in a request that a filter can change, as text. */
static void describe(const struct request *request, struct buf *text)
{
    buf_reset(text);
    buf_printf(text, "protos %x states %x families %x pids", request->protos, request->states,
               request->families);
    for (uint32_t i = 0; i < request->pid_count; i++)
        buf_printf(text, " %u", request->pids[i]);
    buf_printf(text, " matches %u", request->match_count);
}

static void expect_request(const char *expression, const char *wanted)
{
    struct arena arena = {0};
    struct request request = full_request();
    struct filter *filter = compile(expression, &arena);
    struct buf text = BUF_INIT;

    assert_int_equal(filter_push_down(filter, &arena, &request), 0);
    describe(&request, &text);
    if (!strstr(buf_string(&text), wanted))
        fail_msg("%s: %s, expected %s", expression, buf_string(&text), wanted);
    buf_done(&text);
    filter_done(filter);
    arena_done(&arena);
}

static void narrow_where_it_can(void **state)
{
    static const struct {
        const char *text, *request;
    } examples[] = {
        {"", "protos 1ffe states 3ffe families 404 pids matches 0"},
        {"tcp", "protos 2 states 3ffe"},
        {"tcp udp", "protos 6 "},
        {"not tcp", "protos 1ffc "},
        {"tcp and udp", "protos 0 "},
        {"tcp state established or udp", "protos 6 states 3ffe"},
        {"tcp state established or tcp close-wait", "protos 2 states 102 "},
        {"not (tcp or unix)", "protos 1dfc "},
        {"inet", "protos 1fe states 3ffe families 4 "},
        {"not inet", "families 400 "},
        {"dst fd00::1", "families 400 pids matches 1"},
        {"dst 10.0.0.1", "protos 1fe states 3ffe families 404 pids matches 3"},
        {"sport 22", "matches 1"},
        {"tcp not sport 22", "matches 2"},
        {"not sport 22", "matches 0"},
        {"sport 22 or dport 22", "matches 3"},
        {"sport 22 or process nginx", "matches 0"},
        {"sport 22 and process nginx", "matches 1"},
        {"not (sport 22 and process nginx)", "matches 0"},
        {"tcp not (sport 22 or process nginx)", "matches 2"},
        {"rtt > 1ms", "protos "},
        {"listen", "states 480"},
        {"/run/x", "protos 200 "},
        {"dst /run/x", "protos 200 "},
        {"host /run/x", "protos 200 "},
        {"pid 5", "pids 5 matches"},
        {"pid 5,6", "pids 5 6 matches"},
        {"pid 5 or pid 6 sport 22", "pids 5 6 matches"},
        {"pid 5 not pid 6", "pids 5 6 matches"},
        {"pid 5 or sport 22", "pids matches"},
        {"pid 5 process nginx", "pids matches"},
        {"not pid 5", "pids matches"},
        {"pid > 5", "pids matches"},
        {"pid 5+", "pids matches"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
        expect_request(examples[i].text, examples[i].request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(narrow_where_it_can),
        cmocka_unit_test(never_too_narrow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
