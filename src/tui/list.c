/* SPDX-License-Identifier: MIT */
/* List: which rows stand where, and which one is selected. */
#include "tui/list.h"

#include "base/vec.h"

void list_done(struct list *list)
{
    free(list->rows);
    free(list->order);
    map_done(&list->places);
    *list = (struct list){0};
}

void list_reset(struct list *list)
{
    list->top = list->selected = list->left = list->next_place = 0;
    list->follows = false;
    list->frozen = false;
    map_clear(&list->places);
    list_forget_widths(list);
}

void list_forget_widths(struct list *list)
{
    memset(list->widths, 0, sizeof(list->widths));
}

/* --- the order --- */

struct place {
    uint32_t place, row;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

/* Gives every row that has no place yet one behind the others. */
static int freeze_places(struct list *list)
{
    int r = 0;

    if (!list->frozen) {
        map_clear(&list->places);
        list->next_place = 0;
    }
    for (uint32_t row = 0; row < list->count && r == 0; row++)
        if (map_get(&list->places, list->rows[row].identity) == MAP_NONE)
            r = map_set(&list->places, list->rows[row].identity, list->next_place++);
    list->frozen = true;
    return r;
}

static void sort_places(struct list *list, struct place *places)
{
    for (uint32_t row = 0; row < list->count; row++)
        places[row] =
            (struct place){.place = map_get(&list->places, list->rows[row].identity), .row = row};
    qsort(places, list->count, sizeof(*places), compare_places);
    for (uint32_t i = 0; i < list->count; i++)
        list->order[i] = places[i].row;
}

static int order_frozen(struct list *list)
{
    struct place *places = calloc(list->count + 1u, sizeof(*places));
    int r = places ? freeze_places(list) : -ENOMEM;

    if (r == 0)
        sort_places(list, places);
    free(places);
    return r;
}

/* The selected row is found again; one that is gone leaves its place to the next. */
static void follow(struct list *list)
{
    if (!list->follows) {
        list->selected = 0;
        return;
    }
    for (uint32_t place = 0; place < list->count; place++)
        if (list->rows[list->order[place]].identity == list->identity) {
            list->selected = place;
            return;
        }
    list_select(list, list->selected);
}

int list_update(struct list *list, const struct tui_source *source, uint32_t grouping,
                const struct tui_answer *answer, bool freeze)
{
    uint32_t count = answer->grid.row_count;
    int r = VEC_RESERVE(&list->rows, &list->row_capacity, 0, count + 1);

    if (r == 0)
        r = VEC_RESERVE(&list->order, &list->order_capacity, 0, count + 1);
    if (r < 0)
        return r;
    list->count = count;
    for (uint32_t row = 0; row < count; row++) {
        list->rows[row] = (struct tui_row){0};
        source->row(source->context, &answer->grid, row, &list->rows[row]);
        list->rows[row].identity ^= (uint64_t)(grouping + 1) << 59;
        list->order[row] = row;
    }
    if (freeze)
        r = order_frozen(list);
    else
        list->frozen = false;
    if (r == 0)
        follow(list);
    return r;
}

/* --- the selection --- */

void list_select(struct list *list, uint32_t place)
{
    if (list->count == 0) {
        list->selected = 0;
        return;
    }
    list->selected = place < list->count ? place : list->count - 1;
    list->identity = list->rows[list->order[list->selected]].identity;
    list->follows = true;
}

void list_move(struct list *list, int64_t places)
{
    int64_t place = (int64_t)list->selected + places;

    list_select(list, place < 0 ? 0 : place > UINT32_MAX ? UINT32_MAX : (uint32_t)place);
}

uint32_t list_row(const struct list *list)
{
    return list->selected < list->count ? list->order[list->selected] : LIST_NO_ROW;
}

const struct column *list_heading(const struct list *list, int column)
{
    for (uint32_t i = 0; i < list->heading_count; i++)
        if (column >= list->headings[i].begin && column < list->headings[i].end)
            return list->headings[i].column;
    return NULL;
}
