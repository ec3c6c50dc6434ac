/* SPDX-License-Identifier: MIT */
/* Notes about traffic of processes that ended before they could be looked at. */
#include "cli/session.h"

#include "table/flow_doubts.h"

int session_note_doubts(struct session *session, const struct query *rows,
                        const struct group_plan *plan)
{
    struct frame *frame = session->now;
    struct buf unmatched = BUF_INIT, unnamed = BUF_INIT;
    struct flow_doubts doubts;
    int r;

    if (rows->table != &table_flows)
        return 0;
    r = flow_doubts_find(&frame->view, rows, plan, &doubts);
    if (r < 0)
        return r;
    flow_doubts_write_unmatched(&doubts, &unmatched);
    flow_doubts_write_unnamed(&doubts, &unnamed);
    if (unmatched.length)
        snapshot_note(&frame->snapshot, NOTE_INCOMPLETE, "accounting", 0, "%s",
                      buf_string(&unmatched));
    if (unnamed.length)
        snapshot_note(&frame->snapshot, NOTE_DETAIL, "accounting", 0, "%s", buf_string(&unnamed));
    buf_done(&unmatched);
    buf_done(&unnamed);
    return 0;
}
