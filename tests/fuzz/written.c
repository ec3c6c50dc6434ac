/* SPDX-License-Identifier: MIT */
/* Bytes of others in all the places of each output format where there may be any. */
#include "written.h"

#include "../unit/fake_grid.h"
#include "base/clock.h"
#include "fuzz.h"
#include "out/csv.h"
#include "out/json.h"
#include "out/openmetrics.h"
#include "out/svg.h"
#include "savefile/pcapng.h"

#define TIME_S UINT64_C(1764547200)

const char *const written_names[WRITTEN_MAX] = {"json",        "jsonl", "csv",   "prom",
                                                "openmetrics", "svg",   "pcapng"};

static void write_grid(enum written format, const char *bytes, size_t size, struct buf *out)
{
    const uint8_t address[16] = {0x20, 1, 0xd, 0xb8};
    struct fake_row row;
    struct fake fake;
    int r;

    for (int i = 0; i < FAKE_COLUMNS; i++)
        row.cells[i] = value_bytes(bytes, size);
    row.cells[1] = row.cells[4] = row.cells[6] = value_uint(size);
    row.cells[3] = fake_address(address, AF_INET6);
    row.cells[5] = value_bool(true);
    row.cells[7] = fake_list(0, 3);
    CHECK(fake_init(&fake, &row, 1, FAKE_COLUMNS) == 0);
    if (format == WRITTEN_JSON)
        r = json_write(&fake.grid, out);
    else if (format == WRITTEN_JSONL)
        r = jsonl_write(&fake.grid, NULL, out);
    else
        r = csv_write(&fake.grid, false, out);
    CHECK(r == 0);
    fake_done(&fake);
}

static void write_metrics(enum metric_form form, const char *bytes, size_t size, struct buf *out)
{
    CLEANUP(buf_done) struct buf labels = BUF_INIT;

    openmetrics_label("process_executable_name", bytes, size, &labels);
    openmetrics_label("service", bytes, size, &labels);
    openmetrics_family(METRIC_PROCESS_BYTES, form, out);
    openmetrics_now(METRIC_PROCESS_BYTES, buf_string(&labels), UINT64_MAX, out);
    openmetrics_family(METRIC_PROCESS_RTT, form, out);
    openmetrics_part(METRIC_PROCESS_RTT, METRIC_SUM, buf_string(&labels), 123456789, out);
    openmetrics_part(METRIC_PROCESS_RTT, METRIC_COUNT, buf_string(&labels), 7, out);
    if (form == METRIC_OPENMETRICS)
        openmetrics_end(out);
}

static void write_svg(const char *bytes, size_t size, struct buf *out)
{
    const uint64_t rates[] = {0, size, UINT32_MAX}, measured[] = {SECOND_NS, 0, SECOND_NS};
    const struct svg_line line = {.name = bytes, .length = size, .bytes = rates, .total = size};
    const struct svg_mark mark = {
        .time_ns = (TIME_S + 1) * SECOND_NS, .text = bytes, .length = size};
    const struct svg_chart chart = {.title = "names",
                                    .since_ns = TIME_S * SECOND_NS,
                                    .until_ns = (TIME_S + 3) * SECOND_NS,
                                    .every_ns = SECOND_NS,
                                    .pieces = 3,
                                    .lines = &line,
                                    .count = 1,
                                    .measured_ns = measured,
                                    .marks = &mark,
                                    .mark_count = 1};

    CHECK(svg_write(&chart, out) == 0);
}

static void write_pcapng(const char *bytes, size_t size, struct buf *out)
{
    static const uint8_t address[4] = {192, 0, 2, 1};
    CLEANUP_FREE char *text = fuzz_text((const uint8_t *)bytes, size);
    const struct packet_interface interface = {
        .name = text, .description = text, .link_type = 1, .snapshot_length = 262144};
    const struct captured captured = {.bytes = (const uint8_t *)bytes,
                                      .captured = (uint32_t)size,
                                      .length = (uint32_t)size,
                                      .seconds = (int64_t)TIME_S,
                                      .fraction = 123456};
    const struct packet_note note = {
        .direction = PACKET_OUT, .pid = 1187, .tid = 1188, .comment = text};

    pcapng_put_section(out, text);
    pcapng_put_interface(out, &interface);
    if (*text)
        pcapng_put_name(out, AF_INET, address, text);
    pcapng_put_packet(out, &interface, &captured, &note);
    pcapng_put_statistics(out, 0, &interface, TIME_S * SECOND_NS, &(struct packet_counts){1, 2, 3});
}

void write_bytes(enum written format, const char *bytes, size_t size, struct buf *out)
{
    switch (format) {
    case WRITTEN_JSON:
    case WRITTEN_JSONL:
    case WRITTEN_CSV:
        write_grid(format, bytes, size, out);
        break;
    case WRITTEN_METRICS:
        write_metrics(METRIC_TEXT, bytes, size, out);
        break;
    case WRITTEN_OPENMETRICS:
        write_metrics(METRIC_OPENMETRICS, bytes, size, out);
        break;
    case WRITTEN_SVG:
        write_svg(bytes, size, out);
        break;
    case WRITTEN_PCAPNG:
        write_pcapng(bytes, size, out);
        break;
    case WRITTEN_MAX:
        break;
    }
    CHECK(!out->error);
}
