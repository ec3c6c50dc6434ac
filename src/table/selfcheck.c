/* SPDX-License-Identifier: MIT */
/* The table of nwho selfcheck: whether sources agree, and which of them work. */
#include "model/selfcheck.h"

#include "base/hash.h"
#include "table/cells.h"

static const struct selfcheck_row *get_row(const struct view *view, uint32_t row)
{
    return &view->selfcheck->rows[row];
}

static struct value get_kind(const struct view *view, uint32_t row)
{
    return value_name(selfcheck_kind_name(get_row(view, row)->kind));
}

static struct value get_part(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->part);
}

static struct value get_name(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->name);
}

static struct value get_result(const struct view *view, uint32_t row)
{
    return value_name(selfcheck_result_name(get_row(view, row)->result));
}

static struct value get_count(const struct view *view, uint32_t row, enum teller teller)
{
    const struct selfcheck_row *check = get_row(view, row);

    return cell_number(check->tellers & 1u << teller, check->counts[teller]);
}

static struct value get_bpf(const struct view *view, uint32_t row)
{
    return get_count(view, row, TELLER_BPF);
}

static struct value get_netlink(const struct view *view, uint32_t row)
{
    return get_count(view, row, TELLER_NETLINK);
}

static struct value get_proc(const struct view *view, uint32_t row)
{
    return get_count(view, row, TELLER_PROC);
}

static bool is_comparison(const struct view *view, uint32_t row)
{
    return get_row(view, row)->kind == SELFCHECK_COMPARISON;
}

static struct value get_passing(const struct view *view, uint32_t row)
{
    return cell_number(is_comparison(view, row), get_row(view, row)->passing);
}

static struct value get_differing(const struct view *view, uint32_t row)
{
    return cell_number(is_comparison(view, row), get_row(view, row)->differing);
}

static struct value get_detail(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->detail);
}

static struct value get_lacks(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->lacks);
}

static struct value get_fix(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->fix);
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)

static const struct column columns[] = {
    {"kind", "KIND",
     "comparison (of all that is of one sort), difference (one thing of which not every source "
     "tells) or source",
     KIND_NAME, SHOWN | COLUMN_KEY, 0, get_kind},
    {"part", "PART", "What it is about: sockets, owners, traffic, packets and so on", KIND_TEXT,
     SHOWN | COLUMN_KEY, 0, get_part},
    {"name", "NAME", "Protocol, socket or process, or source", KIND_TEXT, SHOWN | COLUMN_KEY, 0,
     get_name},
    {"result", "RESULT",
     "Of a comparison agrees, differs, or alone (only one source tells); of a source works, unused "
     "(it has nothing to tell here) or missing",
     KIND_NAME, SHOWN, 0, get_result},
    {"bpf", "BPF", "How many BPF tells of", KIND_COUNT, SHOWN, 0, get_bpf},
    {"netlink", "NETLINK", "How many sock_diag tells of", KIND_COUNT, SHOWN, 0, get_netlink},
    {"proc", "/PROC", "How many /proc tells of", KIND_COUNT, SHOWN, 0, get_proc},
    {"passing", "PASSING", "Differences of the first reading that were gone in a later one",
     KIND_COUNT, SHOWN, 0, get_passing},
    {"differing", "DIFFERING", "Differences that stayed in every reading", KIND_COUNT, SHOWN, 0,
     get_differing},
    {"detail", "DETAIL", "What it is for, who tells and who does not, or what fails", KIND_TEXT,
     SHOWN, 0, get_detail},
    {"lacks", "LACKS", "What is missing: option of the kernel, capability, mount or library",
     KIND_TEXT, SHOWN, 0, get_lacks},
    {"fix", "FIX", "The command that mends it, or what to do", KIND_TEXT, SHOWN, 0, get_fix},
};

static uint32_t row_count(const struct view *view)
{
    return view->selfcheck ? view->selfcheck->count : 0;
}

static uint64_t row_identity(const struct view *view, uint32_t row)
{
    const struct selfcheck_row *check = get_row(view, row);
    size_t length;
    const char *name = snapshot_string(view->snapshot, check->name, &length);

    return hash_bytes(hash_number(HASH_INIT, check->kind), name, length);
}

static const char *const words[] = {"part", "name", "result", "kind", NULL};

const struct table table_selfcheck = {
    .name = "selfcheck",
    .help = "Whether sources agree, which of them work, and what the others lack (nwho selfcheck)",
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .words = words,
    .words_are = "a part, a source, a protocol or a result",
    .row_count = row_count,
    .identity = row_identity,
};
