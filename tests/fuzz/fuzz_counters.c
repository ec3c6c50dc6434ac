/* SPDX-License-Identifier: MIT */
/* Fuzzing of the files of /proc/net that hold counters. */
#include "collect/counter_text.h"
#include "fuzz.h"
#include "model/snapshot.h"

static const struct {
    counter_parse_fn *parse;
    enum counter_source source;
} files[] = {
    {counter_parse_pairs, COUNTER_NETSTAT},
    {counter_parse_names, COUNTER_SNMP6},
    {counter_parse_sockstat, COUNTER_SOCKSTAT},
    {counter_parse_softnet, COUNTER_SOFTNET},
};

struct reading {
    struct snapshot snapshot;
    enum counter_source source;
};

static int add(void *context, const struct counter_item *item)
{
    struct reading *reading = context;
    struct counter *counter = snapshot_add_counter(&reading->snapshot);

    CHECK(counter && item->label);
    *counter = (struct counter){.value = item->value,
                                .cpu = item->cpu,
                                .source = (uint16_t)reading->source,
                                .flags = (uint16_t)item->flags};
    CHECK(snapshot_intern(&reading->snapshot, item->group, item->group_length, &counter->group) ==
          0);
    CHECK(snapshot_intern(&reading->snapshot, item->label, item->label_length, &counter->label) ==
          0);
    counter->name = counter->label;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reading reading;
    CLEANUP_FREE char *text = NULL;
    size_t file;

    if (size < 1)
        return 0;
    file = fuzz_choose(&data, &size, ARRAY_SIZE(files));
    text = fuzz_text(data, size);
    reading.source = files[file].source;
    fuzz_snapshot(&reading.snapshot);
    CHECK(files[file].parse(text, add, &reading) == 0);
    fuzz_show(&reading.snapshot);
    snapshot_done(&reading.snapshot);
    return 0;
}
