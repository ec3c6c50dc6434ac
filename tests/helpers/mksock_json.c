/* SPDX-License-Identifier: MIT */
/* mksock: writes what is true about one socket as one line of JSON. */
#include "mksock.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void put_bytes(FILE *out, const char *data, size_t length)
{
    fputc('"', out);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)data[i];
        if (byte < 0x20 || byte > 0x7e || byte == '\\' || byte == '"')
            fprintf(out, "\\\\x%02x", byte);
        else
            fputc(byte, out);
    }
    fputc('"', out);
}

static void put_text(FILE *out, const char *key, const char *value)
{
    fprintf(out, ",\"%s\":", key);
    if (value && value[0])
        put_bytes(out, value, strlen(value));
    else
        fputs("null", out);
}

static void put_name(FILE *out, const char *key, const struct mk_bytes *bytes)
{
    fprintf(out, ",\"%s\":", key);
    if (bytes->present)
        put_bytes(out, bytes->data, bytes->length);
    else
        fputs("null", out);
}

static void put_number(FILE *out, const char *key, int64_t value)
{
    if (value < 0)
        fprintf(out, ",\"%s\":null", key);
    else
        fprintf(out, ",\"%s\":%" PRId64, key, value);
}

static void put_address(FILE *out, const char *side, const struct sockaddr_storage *addr,
                        bool known)
{
    char text[INET6_ADDRSTRLEN] = "";
    int64_t port = -1;
    if (known && addr->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
        (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        port = ntohs(in->sin_port);
    } else if (known && addr->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
        port = ntohs(in6->sin6_port);
    } else if (known && addr->ss_family == AF_NETLINK) {
        port = ((const struct sockaddr_nl *)addr)->nl_pid;
    } else if (known && addr->ss_family == AF_VSOCK) {
        const struct sockaddr_vm *vm = (const struct sockaddr_vm *)addr;
        (void)snprintf(text, sizeof(text), "%u", vm->svm_cid);
        port = vm->svm_port;
    }
    fprintf(out, ",\"%s_addr\":", side);
    if (text[0])
        fprintf(out, "\"%s\"", text);
    else
        fputs("null", out);
    fprintf(out, ",\"%s_port\":", side);
    if (port >= 0)
        fprintf(out, "%" PRId64, port);
    else
        fputs("null", out);
}

static void put_holders(FILE *out, const struct mk_truth *truth)
{
    const struct mk_holder *first = truth->holder_count ? &truth->holders[0] : NULL;
    put_number(out, "pid", first ? first->pid : -1);
    put_number(out, "tid", first ? (first->tid ? first->tid : first->pid) : -1);
    put_number(out, "fd", first ? first->fd : -1);
    fputs(",\"holders\":[", out);
    for (size_t i = 0; i < truth->holder_count; i++) {
        const struct mk_holder *h = &truth->holders[i];
        fprintf(out, "%s{\"pid\":%d,\"fd\":%d", i ? "," : "", h->pid, h->fd);
        if (h->tid)
            fprintf(out, ",\"tid\":%d", h->tid);
        fputc('}', out);
    }
    fputs("],\"threads\":[", out);
    for (size_t i = 0; i < truth->thread_count; i++) {
        fprintf(out, "%s{\"tid\":%d,\"process\":", i ? "," : "", truth->threads[i].tid);
        put_bytes(out, truth->threads[i].name, strlen(truth->threads[i].name));
        fputc('}', out);
    }
    fputc(']', out);
}

/* Name, program and command line of this process: only true where it holds the socket itself. */
static void put_process(FILE *out, const struct mk_truth *truth)
{
    char buffer[4096];
    ssize_t n;
    struct stat st;
    if (truth->holder_count == 0 || truth->holders[0].pid != getpid())
        return;
    memset(buffer, 0, 16);
    (void)prctl(PR_GET_NAME, buffer);
    fputs(",\"process\":", out);
    put_bytes(out, buffer, strnlen(buffer, 16));
    n = readlink("/proc/self/exe", buffer, sizeof(buffer));
    fputs(",\"exe\":", out);
    put_bytes(out, buffer, n > 0 ? (size_t)n : 0);
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? 0 : read(fd, buffer, sizeof(buffer));
    if (fd >= 0)
        (void)close(fd);
    fputs(",\"cmdline\":", out);
    put_bytes(out, buffer, n > 0 ? (size_t)n : 0);
    if (stat("/proc/self/ns/net", &st) == 0)
        put_number(out, "netns", (int64_t)st.st_ino);
}

static void put_names(FILE *out, const struct mk_truth *truth)
{
    put_text(out, "role", truth->role);
    put_text(out, "proto", truth->proto);
    put_text(out, "family", truth->family);
    put_text(out, "type", truth->type);
    put_text(out, "state", truth->state);
    put_address(out, "local", &truth->local, truth->has_local);
    put_address(out, "peer", &truth->peer, truth->has_peer);
    put_text(out, "iface", truth->iface);
    put_name(out, "path", &truth->path);
    put_name(out, "peer_path", &truth->peer_path);
    put_text(out, "cc", truth->cc);
    put_text(out, "timer", truth->timer);
    put_text(out, "owner_note", truth->owner_note);
}

void mk_truth_print(struct mk *mk, const struct mk_truth *truth)
{
    FILE *out = mk->out;
    fputs("{\"situation\":", out);
    put_bytes(out, mk->situation, strlen(mk->situation));
    put_names(out, truth);
    put_number(out, "inode", truth->inode);
    if (truth->has_cookie)
        fprintf(out, ",\"cookie\":%" PRIu64, truth->cookie);
    else
        fputs(",\"cookie\":null", out);
    put_number(out, "peer_inode", truth->peer_inode);
    put_number(out, "uid", truth->uid);
    put_number(out, "recv_q", truth->recv_q);
    put_number(out, "send_q", truth->send_q);
    put_number(out, "backlog", truth->backlog);
    put_number(out, "v6only", truth->v6only);
    put_number(out, "mark", truth->mark);
    put_number(out, "tos", truth->tos);
    put_number(out, "ip_protocol", truth->ip_protocol);
    put_number(out, "packet_protocol", truth->packet_protocol);
    put_number(out, "netlink_protocol", truth->netlink_protocol);
    put_number(out, "netlink_groups", truth->netlink_groups);
    put_number(out, "shutdown", truth->shutdown);
    put_number(out, "queue_pid", truth->queue_pid);
    fprintf(out, ",\"in_tables\":%s", truth->in_tables ? "true" : "false");
    put_holders(out, truth);
    put_process(out, truth);
    fputs("}\n", out);
}
