/* SPDX-License-Identifier: MIT */
/* What stands for the screen where nwho was built without ncurses. */
#include "tui/tui.h"

int tui_check(struct buf *reason)
{
    buf_puts(reason, "this nwho was built without ncurses");
    return -ENOTSUP;
}

int tui_run(const struct tui_source *source, struct tui_settings *settings, int *ret_signal)
{
    (void)source;
    (void)settings;
    (void)ret_signal;
    return -ENOTSUP;
}
