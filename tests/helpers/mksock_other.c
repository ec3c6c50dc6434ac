/* SPDX-License-Identifier: MIT */
/* mksock: packet, netlink and vsock sockets. */
#include "mksock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>

/* Protocol 0 receives nothing; the default, all packets, is what a sniffer has. */
static int make_packet(struct mk *mk)
{
    const char *iface = mk_option(mk, "iface", NULL);
    int type = strcmp(mk_option(mk, "type", "raw"), "dgram") == 0 ? SOCK_DGRAM : SOCK_RAW;
    uint16_t protocol = htons((uint16_t)mk_number(mk, "proto", 3 /* ETH_P_ALL */));
    struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_protocol = protocol};
    int fd = socket(AF_PACKET, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return mk_fail_socket(mk, "socket");
    if (iface) {
        addr.sll_ifindex = (int)if_nametoindex(iface);
        if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
            return mk_fail_errno(mk, "bind");
    }
    return mk_report(mk, fd, "subject");
}

static int make_netlink(struct mk *mk)
{
    struct mk_truth truth;
    struct sockaddr_nl addr = {.nl_family = AF_NETLINK,
                               .nl_groups = (uint32_t)mk_number(mk, "groups", 0)};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)mk_number(mk, "protocol", 0));
    if (fd < 0)
        return mk_fail_socket(mk, "socket");
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        return mk_fail_errno(mk, "bind");
    if (mk_truth_from_fd(mk, fd, "subject", &truth) < 0)
        return -1;
    truth.netlink_groups = addr.nl_groups;
    mk_truth_print(mk, &truth);
    return 0;
}

static int make_vsock(struct mk *mk)
{
    struct sockaddr_vm addr = {.svm_family = AF_VSOCK,
                               .svm_cid = VMADDR_CID_ANY,
                               .svm_port = (unsigned)mk_number(mk, "port", VMADDR_PORT_ANY)};
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return mk_fail_socket(mk, "socket");
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        return mk_fail_errno(mk, "bind");
    if (listen(fd, (int)mk_number(mk, "backlog", 128)) < 0)
        return mk_fail_errno(mk, "listen");
    return mk_report_state(mk, fd, "subject", "listening");
}

const struct mk_situation mk_other_situations[] = {
    {"packet", "packet socket; type=raw|dgram proto=NUMBER iface=", make_packet},
    {"netlink", "netlink socket; protocol=NUMBER groups=MASK", make_netlink},
    {"vsock-listening", "vsock listener; port= backlog=", make_vsock},
    {NULL, NULL, NULL},
};
