/* SPDX-License-Identifier: MIT */
/* Terminal: curses. */
#include "tui/terminal.h"

#include "tui/keys.h"
#include "tui/signals.h"

#include <curses.h>
#include <fcntl.h>
#include <langinfo.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>

#undef columns /* term.h makes macros of capability names */

#define ESCAPE_DELAY 25 /* ms: over ssh the bytes of one key arrive together */

static struct {
    SCREEN *screen;
    struct give_back give_back;
    int errors; /* memfd that stands for stderr meanwhile */
    bool tells_frames;
} state = {.errors = -1, .give_back.stderr_before = -1};

/* --- what the terminal can --- */

/* A capability that is a string; NULL when there is none. */
static const char *capability(const char *name)
{
    const char *bytes = tigetstr(name);

    return bytes == (const char *)-1 ? NULL : bytes; /* NOLINT: that is how it says "no string" */
}

/* Appends a capability without the delays ("$<5>") that old terminals needed. */
static void add_restore(const char *name)
{
    struct give_back *give_back = &state.give_back;
    const char *at = capability(name);

    while (at && *at && give_back->length < sizeof(give_back->bytes)) {
        if (at[0] == '$' && at[1] == '<' && strchr(at, '>'))
            at = strchr(at, '>') + 1;
        else
            give_back->bytes[give_back->length++] = *at++;
    }
}

static void make_restore(void)
{
    static const char mouse_off[] = "\033[?1006l\033[?1002l\033[?1000l";
    struct give_back *give_back = &state.give_back;

    if (capability("kmous")) {
        memcpy(give_back->bytes, mouse_off, sizeof(mouse_off) - 1);
        give_back->length = sizeof(mouse_off) - 1;
    }
    add_restore("sgr0");
    add_restore("rmkx");
    add_restore("rmcup");
    add_restore("cnorm");
    if (!capability("rmcup") && give_back->length + 2 < sizeof(give_back->bytes)) {
        give_back->bytes[give_back->length++] = '\r';
        give_back->bytes[give_back->length++] = '\n';
    }
}

int terminal_check(struct buf *reason)
{
    const char *name = getenv("TERM");
    int error = 0;
    bool can;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        buf_printf(reason, "standard %s is no terminal",
                   isatty(STDOUT_FILENO) ? "input" : "output");
        return -ENOTTY;
    }
    if (!name || !*name) {
        buf_puts(reason, "TERM is not set, so that nobody knows what the terminal can");
        return -ENOTSUP;
    }
    if (setupterm(name, STDOUT_FILENO, &error) != OK) {
        buf_printf(reason, "the terminal \"%s\" (TERM) is not known here", name);
        return -ENOTSUP;
    }
    can = capability("cup") && capability("clear");
    del_curterm(cur_term);
    if (!can)
        buf_printf(reason, "the terminal \"%s\" (TERM) cannot move its cursor", name);
    return can ? 0 : -ENOTSUP;
}

static void choose_attributes(struct terminal *terminal, bool color)
{
    unsigned int *attributes = terminal->attributes;

    attributes[PAINT_TITLE] = A_BOLD;
    attributes[PAINT_HEAD] = A_REVERSE;
    attributes[PAINT_SORTED] = A_REVERSE | A_BOLD;
    attributes[PAINT_SELECTED] = A_REVERSE;
    attributes[PAINT_DIM] = capability("dim") ? A_DIM : A_NORMAL;
    attributes[PAINT_WARN] = A_BOLD;
    attributes[PAINT_KEY] = A_BOLD;
    if (!color || !has_colors() || start_color() != OK)
        return;
    use_default_colors();
    init_pair(1, COLOR_GREEN, -1);
    init_pair(2, COLOR_CYAN, -1);
    init_pair(3, COLOR_RED, -1);
    attributes[PAINT_RX] = (unsigned int)COLOR_PAIR(1);
    attributes[PAINT_GOOD] = (unsigned int)COLOR_PAIR(1);
    attributes[PAINT_TX] = (unsigned int)COLOR_PAIR(2);
    attributes[PAINT_WARN] = (unsigned int)COLOR_PAIR(3) | A_BOLD;
}

/* Keys as some terminals send them whatever TERM says: screen and tmux, rxvt, the console. */
static void define_keys(void)
{
    static const struct {
        const char *bytes;
        int key;
    } keys[] = {
        {"\033[1~", KEY_HOME},  {"\033[7~", KEY_HOME},  {"\033[H", KEY_HOME},  {"\033OH", KEY_HOME},
        {"\033[4~", KEY_END},   {"\033[8~", KEY_END},   {"\033[F", KEY_END},   {"\033OF", KEY_END},
        {"\033[A", KEY_UP},     {"\033[B", KEY_DOWN},   {"\033[C", KEY_RIGHT}, {"\033[D", KEY_LEFT},
        {"\033OA", KEY_UP},     {"\033OB", KEY_DOWN},   {"\033OC", KEY_RIGHT}, {"\033OD", KEY_LEFT},
        {"\033[5~", KEY_PPAGE}, {"\033[6~", KEY_NPAGE}, {"\033[3~", KEY_DC},
    };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        define_key(keys[i].bytes, keys[i].key);
}

static void set_modes(void)
{
    define_keys();
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    typeahead(-1);
    set_escdelay(ESCAPE_DELAY);
    curs_set(0);
}

/* stderr goes to a file in memory, so that what somebody says does not tear the screen. */
static int capture_errors(void)
{
    int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

    state.give_back.stderr_before = before;
    state.errors = memfd_create("stderr", MFD_CLOEXEC);
    if (before < 0 || state.errors < 0)
        return -errno;
    fcntl(state.errors, F_SETFL, O_APPEND);
    return dup2(state.errors, STDERR_FILENO) < 0 ? -errno : 0;
}

static void give_back_errors(void)
{
    struct buf rest = BUF_INIT;
    int before = state.give_back.stderr_before;

    if (before >= 0) {
        terminal_errors(&rest);
        dup2(before, STDERR_FILENO);
        close(before);
        rest.fd = STDERR_FILENO;
        buf_flush(&rest);
        buf_done(&rest);
    }
    if (state.errors >= 0)
        close(state.errors);
    state.errors = state.give_back.stderr_before = -1;
}

/* Signals before curses, which leaves those alone that have a handler. */
static int open_screen(void)
{
    int r;

    state.give_back.length = 0;
    if (tcgetattr(STDIN_FILENO, &state.give_back.before) < 0)
        return -errno;
    r = capture_errors();
    if (r == 0)
        r = signals_catch(&state.give_back);
    if (r < 0)
        return r;
    state.screen = newterm(NULL, stdout, stdin);
    if (state.screen)
        return 0;
    signals_release();
    return -ENOTSUP;
}

int terminal_start(const struct terminal_options *options, struct terminal *ret_terminal)
{
    const char *codeset = nl_langinfo(CODESET);
    struct terminal terminal = {.utf8 = strcmp(codeset, "UTF-8") == 0};
    int r = open_screen();

    if (r < 0) {
        give_back_errors();
        return r;
    }
    terminal.glyphs = terminal.utf8 && !options->ascii;
    make_restore();
    state.tells_frames = getenv("NWHO_TEST_FRAMES") != NULL;
    set_modes();
    choose_attributes(&terminal, options->color);
    getmaxyx(stdscr, terminal.rows, terminal.columns);
    *ret_terminal = terminal;
    return 0;
}

/* A title by which a test knows whether what it sees is a whole frame. */
static void tell_frame(bool whole)
{
    static const char titles[2][24] = {"\033]2;nwho: drawing\a", "\033]2;nwho: drawn\a"};

    if (state.tells_frames && write(STDOUT_FILENO, titles[whole], strlen(titles[whole])) < 0)
        state.tells_frames = false;
}

/* endwin() gives the terminal the title back that it had in the middle of the first frame. */
static void leave_screen(void)
{
    endwin();
    tell_frame(true);
}

void terminal_stop(void)
{
    if (!state.screen)
        return;
    signals_writing(true);
    if (!capability("rmcup")) { /* the screen stays: the next prompt stands in its last line */
        move(LINES - 1, 0);
        clrtoeol();
        refresh();
    }
    leave_screen();
    signals_writing(false);
    signals_release();
    delscreen(state.screen);
    state.screen = NULL;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &state.give_back.before);
    give_back_errors();
}

/* --- while it is used --- */

/* Another program may have used the terminal meanwhile: modes and screen are set again. */
static void start_again(struct terminal *terminal)
{
    reset_prog_mode();
    terminal_resize(terminal);
    terminal_set_mouse(terminal, terminal->mouse);
}

void terminal_suspend(struct terminal *terminal)
{
    bool mouse = terminal->mouse;

    if (mouse)
        terminal_set_mouse(terminal, false);
    terminal->mouse = mouse;
    leave_screen();
    signals_stand_still();
    start_again(terminal);
}

void terminal_resize(struct terminal *terminal)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, TRUE);
    getmaxyx(stdscr, terminal->rows, terminal->columns);
}

void terminal_set_mouse(struct terminal *terminal, bool on)
{
    mmask_t wanted = BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON1_DOUBLE_CLICKED | BUTTON4_PRESSED;

#ifdef BUTTON5_PRESSED
    wanted |= BUTTON5_PRESSED;
#endif
    if (on || terminal->mouse)
        mousemask(on ? wanted : 0, NULL);
    mouseinterval(0); /* a click is seen when the button goes down: nothing waits for a second */
    terminal->mouse = on;
}

static void read_mouse(struct terminal_mouse *mouse)
{
    MEVENT event;

    *mouse = (struct terminal_mouse){0};
    if (getmouse(&event) != OK)
        return;
    mouse->row = event.y;
    mouse->column = event.x;
    if (event.bstate & BUTTON1_DOUBLE_CLICKED)
        mouse->what = MOUSE_DOUBLE;
    else if (event.bstate & (BUTTON1_CLICKED | BUTTON1_PRESSED))
        mouse->what = MOUSE_CLICK;
    else if (event.bstate & BUTTON4_PRESSED)
        mouse->what = MOUSE_WHEEL_UP;
#ifdef BUTTON5_PRESSED
    else if (event.bstate & BUTTON5_PRESSED)
        mouse->what = MOUSE_WHEEL_DOWN;
#endif
}

static uint32_t special_key(uint32_t code)
{
    static const struct {
        uint32_t curses;
        enum tui_key key;
    } keys[] = {
        {KEY_UP, TUI_KEY_UP},         {KEY_DOWN, TUI_KEY_DOWN},
        {KEY_LEFT, TUI_KEY_LEFT},     {KEY_RIGHT, TUI_KEY_RIGHT},
        {KEY_PPAGE, TUI_KEY_PAGE_UP}, {KEY_NPAGE, TUI_KEY_PAGE_DOWN},
        {KEY_HOME, TUI_KEY_HOME},     {KEY_FIND, TUI_KEY_HOME},
        {KEY_END, TUI_KEY_END},       {KEY_SELECT, TUI_KEY_END},
        {KEY_ENTER, TUI_KEY_ENTER},   {KEY_BACKSPACE, TUI_KEY_BACKSPACE},
        {KEY_DC, TUI_KEY_DELETE},     {KEY_F(1), TUI_KEY_F1},
        {KEY_F(5), TUI_KEY_F5},       {KEY_F(10), TUI_KEY_F10},
        {KEY_MOUSE, TUI_KEY_MOUSE},   {KEY_RESIZE, TUI_KEY_RESIZE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].curses == code)
            return keys[i].key;
    return TUI_KEY_RESIZE; /* says nothing to anybody */
}

uint32_t terminal_key(struct terminal_mouse *ret_mouse)
{
    wint_t code;
    int kind = get_wch(&code);

    if (kind == ERR)
        return TUI_KEY_NONE;
    if (kind == KEY_CODE_YES) {
        if (code == KEY_MOUSE)
            read_mouse(ret_mouse);
        return special_key(code);
    }
    switch (code) {
    case '\r':
    case '\n':
        return TUI_KEY_ENTER;
    case 0x7f:
    case '\b':
        return TUI_KEY_BACKSPACE;
    case 0x1b:
        return TUI_KEY_ESCAPE;
    default:
        return code;
    }
}

void terminal_errors(struct buf *out)
{
    off_t length = state.errors < 0 ? 0 : lseek(state.errors, 0, SEEK_END);
    char *at;
    ssize_t got;

    if (length <= 0)
        return;
    at = buf_reserve(out, (size_t)length);
    got = at ? pread(state.errors, at, (size_t)length, 0) : 0;
    if (got > 0)
        out->length += (size_t)got;
    if (ftruncate(state.errors, 0) == 0)
        lseek(state.errors, 0, SEEK_SET);
}

/* --- drawing --- */

void terminal_clear(void)
{
    erase();
}

void terminal_show(int cursor_row, int cursor_column)
{
    curs_set(cursor_row >= 0);
    if (cursor_row >= 0)
        move(cursor_row, cursor_column);
    else
        move(LINES - 1, 0); /* for terminals that cannot hide it */
    wnoutrefresh(stdscr);
    signals_writing(true);
    tell_frame(false);
    doupdate();
    tell_frame(true);
    signals_writing(false);
}
