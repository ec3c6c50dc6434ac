/* SPDX-License-Identifier: MIT */
/* What is wrong with sockets, and with whoever has them. */
#include "derive/health/ills.h"
#include "table/cells.h"
#include "table/flow_cells.h"

struct value cell_ills(const struct view *view, uint64_t bits)
{
    buf_reset(view->scratch);
    for (unsigned int i = 0; i < ILL_COUNT; i++)
        if (bits & 1u << i) {
            if (view->scratch->length)
                buf_byte(view->scratch, ',');
            buf_puts(view->scratch, ill_word(i));
        }
    return view->scratch->length ? cell_scratch(view, 0) : value_none();
}

struct value socket_sick(const struct view *view, uint32_t row)
{
    return cell_ills(view, ills_of_socket(view->snapshot, view->join, view->rates, row));
}

struct value process_sick(const struct view *view, uint32_t process)
{
    return view->process_ills ? cell_ills(view, view->process_ills[process]) : value_none();
}

struct value flow_ill_bits(const struct view *view, uint32_t row)
{
    const struct flow *flow = &view->snapshot->flows[row];
    uint32_t ills;

    if (!view->ills || !flow->cookie || flow->flags & FLOW_CLOSED)
        return value_none();
    ills = map_get(view->ills, flow->cookie);
    return value_uint(ills == MAP_NONE ? 0 : ills);
}

struct value flow_sick(const struct view *view, uint32_t row)
{
    struct value bits = flow_ill_bits(view, row);

    return bits.type == VALUE_UINT ? cell_ills(view, bits.uint) : bits;
}
