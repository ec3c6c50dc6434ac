/* SPDX-License-Identifier: MIT */
/* What is said of protocols that no source could bring, or only one that is not exact. */
#include "collect/missing.h"

#include "base/buf.h"

/* Every kernel that can run this program has sockets of these. */
#define ALWAYS_THERE                                                                               \
    (PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_RAW) | PROTO_BIT(PROTO_UNIX) |  \
     PROTO_BIT(PROTO_NETLINK))

/* Only sock_diag tells of these. */
#define ONLY_SOCK_DIAG                                                                             \
    (PROTO_BIT(PROTO_MPTCP) | PROTO_BIT(PROTO_SCTP) | PROTO_BIT(PROTO_DCCP) |                      \
     PROTO_BIT(PROTO_VSOCK))

enum loss {
    LOSS_NONE,    /* the kernel does not have it, or it was not asked for */
    LOSS_UNKNOWN, /* sock_diag is not allowed, and sockets of this kind are rare */
    LOSS_ROWS,
};

static bool is_not_in_kernel(int error)
{
    return error == -ENOENT || error == -EINVAL;
}

static bool is_refusal(int error)
{
    return error == -EPERM || error == -EACCES || error == -EPROTONOSUPPORT ||
           error == -EAFNOSUPPORT || error == -ESOCKTNOSUPPORT || error == -EOPNOTSUPP ||
           error == -ENOSYS;
}

static enum loss loss_of(const struct collection *collection, unsigned int proto)
{
    const struct request *request = collection->request;
    int error = collection->failures[proto];

    if (!collection_protos(collection, PROTO_BIT(proto)))
        return LOSS_NONE;
    if (!(request->sources & SOURCE_SOCK_DIAG))
        return PROTO_BIT(proto) & ONLY_SOCK_DIAG ? LOSS_UNKNOWN
               : PROTO_BIT(proto) & ALWAYS_THERE ? LOSS_ROWS
                                                 : LOSS_NONE;
    if (error == 0)
        return LOSS_NONE;
    if (PROTO_BIT(proto) & ALWAYS_THERE)
        return LOSS_ROWS;
    if (is_not_in_kernel(error)) /* mostly not in use either: a word only to who asked for it */
        return request->protos == PROTO_BIT(proto) ? LOSS_UNKNOWN : LOSS_NONE;
    return is_refusal(error) ? LOSS_UNKNOWN : LOSS_ROWS;
}

/* The protocols of one kind of loss, and the error of the last of them. */
static uint32_t lost_protos(const struct collection *collection, enum loss loss, int *ret_error)
{
    uint32_t protos = 0;

    for (unsigned int proto = PROTO_UNKNOWN + 1; proto < PROTO_MAX; proto++)
        if (loss_of(collection, proto) == loss) {
            protos |= PROTO_BIT(proto);
            *ret_error = collection->failures[proto];
        }
    return protos;
}

static void put_names(struct buf *text, uint32_t protos)
{
    const char *separator = "";

    for (unsigned int proto = PROTO_UNKNOWN + 1; proto < PROTO_MAX; proto++)
        if (protos & PROTO_BIT(proto)) {
            buf_puts(text, separator);
            buf_puts(text, socket_proto_name(proto));
            separator = ", ";
        }
}

static void note_names(struct collection *collection, enum note_effect effect, uint32_t protos,
                       int error, const char *what)
{
    struct buf names = BUF_INIT;

    put_names(&names, protos);
    snapshot_note(collection->snapshot, effect, "sock_diag", error, "%s sockets %s",
                  buf_string(&names), what);
    buf_done(&names);
}

/* TCP and UDP from files: without this note they would look as good as from elsewhere. */
static void note_files(struct collection *collection, uint32_t files, uint32_t unknown,
                       bool unix_files)
{
    int error = collection->failures[files & PROTO_BIT(PROTO_TCP) ? PROTO_TCP : PROTO_UDP];
    struct buf text = BUF_INIT;

    put_names(&text, files);
    buf_puts(&text, " sockets are read from /proc/net, which may miss or repeat some while they "
                    "change and tells no details");
    if (unix_files)
        buf_puts(&text, ", nor the other ends of unix sockets");
    if (unknown) {
        buf_puts(&text, "; it does not know ");
        put_names(&text, unknown);
    }
    if (is_not_in_kernel(error))
        buf_puts(&text, "; sudo modprobe -a tcp_diag udp_diag lets them be asked for");
    snapshot_note(collection->snapshot, NOTE_DETAIL, unix_files ? NOTE_SOURCE_UNIX : "sock_diag",
                  error, "%s", buf_string(&text));
    buf_done(&text);
}

/* A kernel may have sock_diag, and not for these. */
static void note_unix_file(struct collection *collection)
{
    int error = collection->failures[PROTO_UNIX];

    if (error)
        snapshot_note(collection->snapshot, NOTE_DETAIL, NOTE_SOURCE_UNIX, error,
                      "unix sockets are read from /proc/net, which tells neither their other ends "
                      "nor their queues%s",
                      is_not_in_kernel(error) ? "; sudo modprobe unix_diag lets them be asked for"
                                              : "");
}

void missing_protos_note(struct collection *collection)
{
    uint32_t by_files = collection->protos_by_files & ~collection_file_protos(collection);
    uint32_t files = by_files & (PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP));
    bool unix_files = by_files & PROTO_BIT(PROTO_UNIX);
    int lost_error = 0, unknown_error = 0;
    uint32_t lost, unknown;

    if (!(collection->request->needs & NEED_SOCKETS))
        return;
    lost = lost_protos(collection, LOSS_ROWS, &lost_error);
    unknown = lost_protos(collection, LOSS_UNKNOWN, &unknown_error);
    if (lost)
        note_names(collection, NOTE_INCOMPLETE, lost, lost_error, "are missing");
    if (files)
        note_files(collection, files, unknown, unix_files);
    else if (unknown)
        note_names(collection, NOTE_DETAIL, unknown, unknown_error, "cannot be listed");
    if (!files && unix_files)
        note_unix_file(collection);
}
