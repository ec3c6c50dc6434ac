/* SPDX-License-Identifier: MIT */
/* Owners by BPF: one walk over the descriptors of all processes. */
#include "collect/bpf_pass.h"

static int add_holder(void *context, const struct record *record)
{
    struct bpf_pass *pass = context;
    uint32_t netns;
    int r;

    if (!record->owner)
        return 0;
    if (pass->only_wanted && map_get(&pass->wanted, record->head->inode) == MAP_NONE)
        return 0;
    r = bpf_pass_netns(pass, record->head->netns, &netns);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return bpf_pass_add_holder(pass, record);
}

/*
 * For a narrow question few sockets were found: the facts of processes that hold only others need
 * not be read.
 */
static int want_found(struct bpf_pass *pass)
{
    const struct snapshot *snapshot = pass->collection->snapshot;
    int r = 0;

    pass->only_wanted = pass->collection->request->match_count > 0;
    for (uint32_t i = 0; i < snapshot->sockets_count && pass->only_wanted && r == 0; i++)
        if (snapshot->sockets[i].inode)
            r = map_set(&pass->wanted, snapshot->sockets[i].inode, i);
    return r;
}

static int walk_owners(struct bpf_pass *pass)
{
    CLEANUP(iterator_close) struct iterator iterator = ITERATOR_INIT;
    uint32_t protos = bpf_holder_protos(pass->collection->request);
    int r = want_found(pass);

    if (r == 0)
        r = bpf_pass_open_descriptors(pass, protos, &iterator);
    return r < 0 ? r : bpf_pass_walk_descriptors(pass, &iterator, add_holder);
}

static int collect_owners(struct collection *collection)
{
    CLEANUP(bpf_pass_done) struct bpf_pass pass;
    struct snapshot *snapshot = collection->snapshot;
    uint32_t before = snapshot->holders_count;
    int r;

    bpf_pass_init(&pass, collection);
    if (collection->owners_done || !bpf_pays(collection, false, true))
        return 0;
    r = walk_owners(&pass);
    if (r < 0) {
        snapshot->holders_count = before;
        bpf_give_up(collection, BPF_SOURCE, r, "owners are searched in /proc instead");
        return 0;
    }
    return bpf_owners_finish(&pass);
}

const struct collector collector_owners_bpf = {
    .name = "owners_bpf",
    .provides = NEED_OWNERS | NEED_HELD,
    .source = SOURCE_BPF,
    .collect = collect_owners,
};
