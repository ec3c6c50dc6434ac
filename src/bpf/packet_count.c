/* SPDX-License-Identifier: MIT */
/* Loads the program that counts packets and attaches it to a packet socket (since 4.1). */
#include "bpf/packet_count.h"

#include "bpf/packet_count.lskel.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

/* A socket without a protocol sees nothing: the program is there before the first packet. */
static int attach(int fd, int prog_fd, uint32_t ifindex)
{
    struct sockaddr_ll link = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)ifindex};

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog_fd, sizeof(prog_fd)) < 0 ||
        bind(fd, (struct sockaddr *)&link, sizeof(link)) < 0)
        return -errno;
    return 0;
}

int packet_program_open(uint32_t ifindex, uint32_t mtu, bool ethernet,
                        struct packet_program *ret_program)
{
    CLEANUP_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    struct packet_count_bpf *skeleton;
    int r;

    if (fd < 0)
        return -errno;
    skeleton = packet_count_bpf__open();
    if (!skeleton)
        return -ENOMEM;
    r = packet_count_bpf__load(skeleton);
    if (r >= 0) {
        skeleton->bss->state.mtu = mtu;
        skeleton->bss->state.ethernet = ethernet;
        r = attach(fd, skeleton->progs.count_packet.prog_fd, ifindex);
    }
    if (r < 0) {
        packet_count_bpf__destroy(skeleton);
        return r;
    }
    *ret_program = (struct packet_program){
        .skeleton = skeleton, .state = &skeleton->bss->state, .socket = TAKE_FD(fd)};
    return 0;
}

void packet_program_close(struct packet_program *program)
{
    if (program->socket >= 0)
        close(program->socket);
    packet_count_bpf__destroy(program->skeleton);
    *program = PACKET_PROGRAM_INIT;
}
