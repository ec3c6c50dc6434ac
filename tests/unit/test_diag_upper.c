/* SPDX-License-Identifier: MIT */
/* Tests of what inet_diag tells of congestion controls, TLS and MPTCP: each attribute alone, and
 * shorter than this nwho knows it. */
#include "collect/inet_diag_message.h"

#include "netlink/netlink.h"

#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/tls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* An attribute with others in it, or with bytes. */
struct message {
    _Alignas(struct nlattr) char bytes[512];
    size_t length; /* behind the first header */
};

static struct nlattr *whole(struct message *message, uint16_t type)
{
    const struct nlattr header = {.nla_type = type,
                                  .nla_len = (uint16_t)(NLA_HDRLEN + message->length)};

    memcpy(message->bytes, &header, sizeof(header));
    return (struct nlattr *)(void *)message->bytes;
}

static void add(struct message *message, uint16_t type, const void *data, size_t length)
{
    const struct nlattr header = {.nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + length)};
    char *at = message->bytes + NLA_HDRLEN + message->length;

    assert_true(message->length + NLA_ALIGN(header.nla_len) + NLA_HDRLEN <= sizeof(message->bytes));
    memcpy(at, &header, sizeof(header));
    memcpy(at + NLA_HDRLEN, data, length);
    message->length += NLA_ALIGN(header.nla_len);
}

#define ADD(message, type, ctype, number) add(message, type, &(const ctype){number}, sizeof(ctype))

static void add_nested(struct message *message, uint16_t type, const struct message *nested)
{
    add(message, type | NLA_F_NESTED, nested->bytes + NLA_HDRLEN, nested->length);
}

struct fixture {
    struct snapshot snapshot;
    struct socket *socket;
};

static void open_with_socket(struct fixture *fixture)
{
    assert_int_equal(snapshot_init(&fixture->snapshot), 0);
    fixture->socket = snapshot_add_socket(&fixture->snapshot);
    assert_non_null(fixture->socket);
    fixture->socket->proto = PROTO_TCP;
}

/* What is said above TCP; NULL: nothing. */
static const struct upper_layer *tell(struct fixture *fixture, struct message *message,
                                      const char **ret_name)
{
    struct tcp_details *tcp;

    open_with_socket(fixture);
    tcp = snapshot_add_tcp(&fixture->snapshot, fixture->socket);
    assert_non_null(tcp);
    assert_int_equal(inet_diag_upper(&fixture->snapshot, tcp, whole(message, INET_DIAG_ULP_INFO)),
                     0);
    *ret_name = snapshot_string(&fixture->snapshot, tcp->ulp, NULL);
    return snapshot_upper(&fixture->snapshot, tcp);
}

static void tls_is_told(void **state)
{
    struct message tls = {.length = 0}, message = {.length = 0};
    const struct upper_layer *upper;
    struct fixture fixture;
    const char *name;

    (void)state;
    ADD(&tls, TLS_INFO_VERSION, uint16_t, 0x0304);
    ADD(&tls, TLS_INFO_CIPHER, uint16_t, 51);
    ADD(&tls, TLS_INFO_TXCONF, uint16_t, 2);
    ADD(&tls, TLS_INFO_RXCONF, uint8_t, 3); /* too short for what it is */
    add(&message, INET_ULP_INFO_NAME, "tls", 4);
    add_nested(&message, INET_ULP_INFO_TLS, &tls);
    upper = tell(&fixture, &message, &name);
    assert_non_null(upper);
    assert_string_equal(name, "tls");
    assert_int_equal(upper->kind, UPPER_TLS);
    assert_int_equal(upper->version, 0x0304);
    assert_int_equal(upper->cipher, 51);
    assert_int_equal(upper->send_mode, 2);
    assert_int_equal(upper->present,
                     1u << TLS_INFO_VERSION | 1u << TLS_INFO_CIPHER | 1u << TLS_INFO_TXCONF);
    snapshot_done(&fixture.snapshot);
}

static void subflows_are_told(void **state)
{
    struct message subflow = {.length = 0}, message = {.length = 0};
    const struct upper_layer *upper;
    struct fixture fixture;
    const char *name;

    (void)state;
    ADD(&subflow, MPTCP_SUBFLOW_ATTR_TOKEN_REM, uint32_t, 0xaabbccdd);
    ADD(&subflow, MPTCP_SUBFLOW_ATTR_TOKEN_LOC, uint32_t, 0x11223344);
    ADD(&subflow, MPTCP_SUBFLOW_ATTR_MAP_SEQ, uint64_t, UINT64_C(0x123456789abcdef0));
    ADD(&subflow, MPTCP_SUBFLOW_ATTR_MAP_DATALEN, uint16_t, 1400);
    ADD(&subflow, MPTCP_SUBFLOW_ATTR_FLAGS, uint32_t, 5);
    ADD(&subflow, MPTCP_SUBFLOW_ATTR_ID_LOC, uint8_t, 2);
    add_nested(&message, INET_ULP_INFO_MPTCP, &subflow);
    add(&message, INET_ULP_INFO_NAME, "mptcp", 5); /* without a NUL */
    upper = tell(&fixture, &message, &name);
    assert_non_null(upper);
    assert_string_equal(name, "mptcp");
    assert_int_equal(upper->kind, UPPER_SUBFLOW);
    assert_int_equal(upper->token, 0xaabbccdd);
    assert_int_equal(upper->token_local, 0x11223344);
    assert_true(upper->map_sequence == UINT64_C(0x123456789abcdef0));
    assert_int_equal(upper->map_length, 1400);
    assert_int_equal(upper->flags, 5);
    assert_int_equal(upper->id_local, 2);
    assert_false(upper->present & 1u << MPTCP_SUBFLOW_ATTR_ID_REM);
    assert_true(upper->present & 1u << MPTCP_SUBFLOW_ATTR_ID_LOC);
    snapshot_done(&fixture.snapshot);
}

/* Of layers that nwho knows nothing of there is the name. */
static void others_have_a_name_at_most(void **state)
{
    struct message message = {.length = 0}, nothing = {.length = 0};
    struct fixture fixture;
    const char *name;

    (void)state;
    add(&message, INET_ULP_INFO_NAME, "espintcp", 9);
    assert_null(tell(&fixture, &message, &name));
    assert_string_equal(name, "espintcp");
    snapshot_done(&fixture.snapshot);
    assert_null(tell(&fixture, &nothing, &name));
    assert_string_equal(name, "");
    snapshot_done(&fixture.snapshot);
}

static void mptcp_of_older_kernels_is_shorter(void **state)
{
    const struct mptcp_info info = {
        .mptcpi_subflows = 2,
        .mptcpi_add_addr_signal = 3,
        .mptcpi_subflows_max = 8,
        .mptcpi_token = 0x01020304,
        .mptcpi_write_seq = 1000,
        .mptcpi_snd_una = 900,
        .mptcpi_rcv_nxt = 77,
    };
    const size_t lengths[] = {sizeof(info), offsetof(struct mptcp_info, mptcpi_write_seq)};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct message message = {.length = lengths[i]};
        const struct upper_layer *upper;
        const struct nlattr *attribute;
        struct fixture fixture;

        memcpy(message.bytes + NLA_HDRLEN, &info, lengths[i]);
        attribute = whole(&message, INET_DIAG_INFO);
        open_with_socket(&fixture);
        assert_int_equal(inet_diag_mptcp(&fixture.snapshot, 0, NULL), 0);
        assert_int_equal(fixture.snapshot.upper_layers_count, 0);
        assert_int_equal(inet_diag_mptcp(&fixture.snapshot, 0, attribute), 0);
        /* A socket that is told twice has it once. */
        assert_int_equal(inet_diag_mptcp(&fixture.snapshot, 0, attribute), 0);
        assert_int_equal(fixture.snapshot.upper_layers_count, 1);
        upper = &fixture.snapshot.upper_layers[0];
        assert_int_equal(upper->kind, UPPER_MPTCP);
        assert_int_equal(upper->subflows, 2);
        assert_int_equal(upper->addresses_sent, 3);
        assert_int_equal(upper->subflows_limit, 8);
        assert_int_equal(upper->token, 0x01020304);
        assert_int_equal(upper->write_sequence, i == 0 ? 1000 : 0);
        assert_int_equal(upper->next_receive, i == 0 ? 77 : 0);
        snapshot_done(&fixture.snapshot);
    }
}

static void congestion_controls_are_told(void **state)
{
    static const struct {
        int attribute;
        uint8_t kind;
    } kinds[] = {
        {INET_DIAG_VEGASINFO, CONGESTION_VEGAS},
        {INET_DIAG_DCTCPINFO, CONGESTION_DCTCP},
        {INET_DIAG_BBRINFO, CONGESTION_BBR},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct nlattr *attributes[INET_DIAG_MAX + 1] = {NULL};
        struct message message = {.length = 8};
        const struct tcp_details *tcp;
        struct fixture fixture;

        open_with_socket(&fixture);
        assert_int_equal(inet_diag_congestion(&fixture.snapshot, 0, attributes), 0);
        assert_int_equal(fixture.snapshot.sockets[0].tcp, 0);
        memcpy(message.bytes + NLA_HDRLEN, &(const uint32_t[2]){17, 18}, 8);
        attributes[kinds[i].attribute] = whole(&message, (uint16_t)kinds[i].attribute);
        assert_int_equal(inet_diag_congestion(&fixture.snapshot, 0, attributes), 0);
        tcp = snapshot_tcp(&fixture.snapshot, &fixture.snapshot.sockets[0]);
        assert_non_null(tcp);
        assert_int_equal(tcp->congestion_kind, kinds[i].kind);
        assert_memory_equal(tcp->congestion_info, (&(const uint32_t[3]){17, 18, 0}), 12);
        snapshot_done(&fixture.snapshot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_is_told),
        cmocka_unit_test(subflows_are_told),
        cmocka_unit_test(others_have_a_name_at_most),
        cmocka_unit_test(mptcp_of_older_kernels_is_shorter),
        cmocka_unit_test(congestion_controls_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
