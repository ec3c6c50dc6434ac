/* SPDX-License-Identifier: MIT */
/* Lines of the files in /proc/net: fields of fixed form, numbers in bounds, or no row at all. */
#include "collect/proc_net_line.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where the parser is. Errors stick: the caller looks at `bad` once, at the end. */
struct cursor {
    const char *at;
    const char *end;
    bool bad;
};

static void expect(struct cursor *cursor, char wanted)
{
    if (cursor->at < cursor->end && *cursor->at == wanted)
        cursor->at++;
    else
        cursor->bad = true;
}

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && *cursor->at == ' ')
        cursor->at++;
}

/* At least one blank. */
static void next_field(struct cursor *cursor)
{
    expect(cursor, ' ');
    skip_blanks(cursor);
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

/* A hexadecimal number of `least` to 16 digits that is not larger than `limit`. */
static uint64_t hex(struct cursor *cursor, int least, uint64_t limit)
{
    uint64_t number = 0;
    int digits = 0, value;

    while (cursor->at < cursor->end && digits <= 16 && (value = digit_value(*cursor->at)) >= 0) {
        number = number << 4 | (uint64_t)value;
        digits++;
        cursor->at++;
    }
    if (digits < least || digits > 16 || number > limit)
        cursor->bad = true;
    return number;
}

/* A decimal number that is not larger than `limit` (less than 2^63 / 10). */
static uint64_t decimal(struct cursor *cursor, uint64_t limit)
{
    const char *start = cursor->at;
    uint64_t number = 0;

    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' && number <= limit)
        number = number * 10 + (uint64_t)(*cursor->at++ - '0');
    if (cursor->at == start || number > limit)
        cursor->bad = true;
    return number;
}

/*
 * A kernel address, printed as it is, hashed, as zeros, or hidden. The number that it is; 0 when it
 * is none.
 */
static uint64_t pointer(struct cursor *cursor)
{
    struct cursor digits = {.at = cursor->at};
    uint64_t number;

    while (cursor->at < cursor->end && *cursor->at != ' ' && *cursor->at != ':')
        cursor->at++;
    if (cursor->at == digits.at)
        cursor->bad = true;
    digits.end = cursor->at;
    number = hex(&digits, 1, UINT64_MAX);
    return digits.bad || digits.at != digits.end ? 0 : number;
}

/* Nothing but blanks may follow. 0 or -EINVAL for the whole line. */
static int line_end(struct cursor *cursor)
{
    skip_blanks(cursor);
    return cursor->bad || cursor->at != cursor->end ? -EINVAL : 0;
}

/*
 * The words of an address are printed as numbers of this machine: stored as such they are in
 * network order again.
 */
static void parse_endpoint(struct cursor *cursor, uint8_t family, union address *address,
                           uint16_t *port)
{
    int words = family == AF_INET6 ? 4 : 1;
    char digits[9] = {0};

    for (int i = 0; i < words && !cursor->bad; i++) {
        struct cursor word = {.at = digits, .end = digits + 8};

        if (cursor->end - cursor->at < 8) {
            cursor->bad = true;
            return;
        }
        memcpy(digits, cursor->at, 8);
        cursor->at += 8;
        address->words[i] = (uint32_t)hex(&word, 8, UINT32_MAX);
        cursor->bad |= word.bad;
    }
    expect(cursor, ':');
    *port = (uint16_t)hex(cursor, 4, UINT16_MAX);
}

/* tr:tm->when and retrnsmt; the time is in ticks of USER_HZ. Only TCP has timers. */
static void parse_timer(struct cursor *cursor, struct socket *socket)
{
    uint64_t timer = hex(cursor, 2, TIMER_MAX - 1), when, retransmits;
    uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);

    expect(cursor, ':');
    when = hex(cursor, 8, UINT64_MAX);
    next_field(cursor);
    retransmits = hex(cursor, 8, UINT32_MAX);
    if (socket->proto != PROTO_TCP || cursor->bad || ticks == 0)
        return;
    when = when < UINT32_MAX ? when * 1000 / ticks : UINT32_MAX;
    socket->timer = (uint8_t)timer;
    socket->timer_ms = when < UINT32_MAX ? (uint32_t)when : UINT32_MAX;
    socket->retransmits = retransmits < UINT8_MAX ? (uint8_t)retransmits : UINT8_MAX;
    socket->has |= SOCKET_HAS_TIMER;
}

/* The number of drops is the last field of all but TCP, whose further fields are of no use here. */
static int parse_inet_end(struct cursor *cursor, struct proc_row *row)
{
    struct socket *socket = &row->socket;

    decimal(cursor, UINT32_MAX); /* references */
    next_field(cursor);
    row->kernel_address = pointer(cursor);
    if (socket->proto == PROTO_TCP)
        return cursor->bad ? -EINVAL : 0;
    next_field(cursor);
    socket->drops = (uint32_t)decimal(cursor, UINT32_MAX);
    socket->has |= SOCKET_HAS_DROPS;
    return line_end(cursor);
}

/* What the fields mean for this protocol and state. */
static void settle_inet(struct socket *socket)
{
    if (socket->state == STATE_NEW_SYN_RECV_UNUSED)
        socket->state = STATE_SYN_RECV;
    if (socket->proto == PROTO_TCP &&
        (socket->timer == TIMER_TIMEWAIT || socket->state == STATE_TIME_WAIT ||
         socket->state == STATE_SYN_RECV))
        socket->flags |= SOCKET_REPLY_ONLY;
    /* Without a file the kernel mostly prints 0 as the user. */
    if (socket->inode != 0 || socket->uid != 0)
        socket->has |= SOCKET_HAS_UID;
    if (socket->proto == PROTO_RAW) {
        socket->protocol = socket->local_port;
        socket->local_port = 0;
    }
}

/*
 * sl, local address, remote address, st, tx_queue:rx_queue, tr:tm->when, retrnsmt, uid, timeout,
 * inode, ref, pointer, then what differs. For a listening TCP socket rx_queue is the accept queue;
 * its limit is not told.
 */
int proc_line_inet(const char *line, size_t length, struct proc_row *ret_row)
{
    struct cursor cursor = {.at = line, .end = line + length};
    struct socket *socket = &ret_row->socket;
    uint64_t probes;

    skip_blanks(&cursor);
    decimal(&cursor, UINT32_MAX);
    expect(&cursor, ':');
    next_field(&cursor);
    parse_endpoint(&cursor, socket->family, &socket->local, &socket->local_port);
    next_field(&cursor);
    parse_endpoint(&cursor, socket->family, &socket->peer, &socket->peer_port);
    next_field(&cursor);
    socket->state = (uint8_t)hex(&cursor, 2, STATE_NEW_SYN_RECV_UNUSED);
    next_field(&cursor);
    socket->send_q = (uint32_t)hex(&cursor, 8, UINT32_MAX);
    expect(&cursor, ':');
    socket->recv_q = (uint32_t)hex(&cursor, 8, UINT32_MAX);
    socket->has |= SOCKET_HAS_QUEUES | SOCKET_HAS_INODE;
    next_field(&cursor);
    parse_timer(&cursor, socket);
    next_field(&cursor);
    socket->uid = (uint32_t)decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    probes = decimal(&cursor, UINT32_MAX);
    if (socket->timer == TIMER_KEEPALIVE || socket->timer == TIMER_PERSIST)
        socket->retransmits = probes < UINT8_MAX ? (uint8_t)probes : UINT8_MAX;
    next_field(&cursor);
    socket->inode = (uint32_t)decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    if (cursor.bad || socket->state == STATE_UNKNOWN)
        return -EINVAL;
    settle_inet(socket);
    return parse_inet_end(&cursor, ret_row);
}

/* The St column is of enum socket_state (include/uapi/linux/net.h), the flag is __SO_ACCEPTCON. */
static int unix_state(uint64_t flags, uint64_t column, struct socket *socket)
{
    static const uint8_t states[] = {
        [1] = STATE_UNCONNECTED,
        [2] = STATE_ESTABLISHED, /* connecting: nobody has accepted it yet */
        [3] = STATE_ESTABLISHED,
        [4] = STATE_UNCONNECTED, /* disconnecting: its file is gone */
    };

    if (flags & ~UINT64_C(0x10000) || column == 0)
        return -EINVAL;
    socket->state = flags ? STATE_LISTENING : states[column];
    return 0;
}

/*
 * Num: RefCount Protocol Flags Type St Inode [Path]. The path is printed raw but for NULs, which
 * are shown as "@" in abstract names; a newline in it makes a line of its own.
 */
int proc_line_unix(const char *line, size_t length, struct proc_row *ret_row)
{
    struct cursor cursor = {.at = line, .end = line + length};
    struct socket *socket = &ret_row->socket;
    uint64_t protocol, flags, column;

    ret_row->kernel_address = pointer(&cursor);
    socket->local.words[0] = (uint32_t)ret_row->kernel_address;
    socket->local.words[1] = (uint32_t)(ret_row->kernel_address >> 32);
    expect(&cursor, ':');
    expect(&cursor, ' ');
    socket->references = (uint32_t)hex(&cursor, 8, UINT32_MAX);
    expect(&cursor, ' ');
    protocol = hex(&cursor, 8, 0);
    expect(&cursor, ' ');
    flags = hex(&cursor, 8, UINT32_MAX);
    expect(&cursor, ' ');
    socket->type = (uint8_t)hex(&cursor, 4, SOCK_SEQPACKET);
    expect(&cursor, ' ');
    column = hex(&cursor, 2, 4);
    ret_row->unix_state = (uint8_t)column;
    next_field(&cursor);
    socket->inode = (uint32_t)decimal(&cursor, UINT32_MAX);
    socket->has |= SOCKET_HAS_INODE;
    if (cursor.bad || protocol != 0 || unix_state(flags, column, socket) < 0)
        return -EINVAL;
    if (cursor.at == cursor.end)
        return 0;
    expect(&cursor, ' ');
    ret_row->path = cursor.at;
    ret_row->path_length = (size_t)(cursor.end - cursor.at);
    if (ret_row->path_length > 0 && *ret_row->path == '@') {
        socket->flags |= SOCKET_ABSTRACT;
        ret_row->path++;
        ret_row->path_length--;
    }
    return cursor.bad ? -EINVAL : 0;
}

/*
 * sk, RefCnt, Type, Proto, Iface, R (running), Rmem, User, Inode. What waits to be sent is not
 * told, so that the queues are not known.
 */
int proc_line_packet(const char *line, size_t length, struct proc_row *ret_row)
{
    struct cursor cursor = {.at = line, .end = line + length};
    struct socket *socket = &ret_row->socket;

    ret_row->kernel_address = pointer(&cursor);
    next_field(&cursor);
    decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    socket->type = (uint8_t)decimal(&cursor, SOCK_PACKET);
    next_field(&cursor);
    socket->protocol = (uint32_t)hex(&cursor, 4, UINT16_MAX);
    next_field(&cursor);
    /* -1: its device is gone. */
    if (cursor.end - cursor.at > 2 && memcmp(cursor.at, "-1", 2) == 0)
        cursor.at += 2;
    else
        socket->ifindex = (uint32_t)decimal(&cursor, INT32_MAX);
    next_field(&cursor);
    decimal(&cursor, 1);
    next_field(&cursor);
    socket->recv_q = (uint32_t)decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    socket->uid = (uint32_t)decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    socket->inode = (uint32_t)decimal(&cursor, UINT32_MAX);
    socket->state = STATE_UNCONNECTED;
    socket->has |= SOCKET_HAS_UID | SOCKET_HAS_INODE;
    return line_end(&cursor);
}

/* sk, Eth (the protocol), Pid (port id), Groups, Rmem, Wmem, Dump, Locks, Drops, Inode. */
int proc_line_netlink(const char *line, size_t length, struct proc_row *ret_row)
{
    struct cursor cursor = {.at = line, .end = line + length};
    struct socket *socket = &ret_row->socket;

    ret_row->kernel_address = pointer(&cursor);
    next_field(&cursor);
    socket->protocol = (uint32_t)decimal(&cursor, UINT8_MAX);
    next_field(&cursor);
    socket->local.words[0] = (uint32_t)decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    socket->local.words[1] = (uint32_t)hex(&cursor, 8, UINT32_MAX);
    next_field(&cursor);
    socket->recv_q = (uint32_t)decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    socket->send_q = (uint32_t)decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    decimal(&cursor, 1);
    next_field(&cursor);
    decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    socket->drops = (uint32_t)decimal(&cursor, UINT32_MAX);
    next_field(&cursor);
    socket->inode = (uint32_t)decimal(&cursor, UINT32_MAX);
    socket->state = STATE_UNCONNECTED;
    socket->has |= SOCKET_HAS_QUEUES | SOCKET_HAS_DROPS | SOCKET_HAS_INODE;
    if (socket->local.words[0] == 0)
        socket->flags |= SOCKET_KERNEL;
    return line_end(&cursor);
}
