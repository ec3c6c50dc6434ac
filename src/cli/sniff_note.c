/* SPDX-License-Identifier: MIT */
/* nwho sniff -r: whose a packet is, by what a file of pcapng says of it. */
#include "cli/sniff.h"

#include "base/hash.h"
#include "base/vec.h"

#include <string.h>

/* Each has one address, as those of a capture have. NULL without memory. */
static const struct packet_process *keep(struct sniff *sniff, const struct packet_process *found)
{
    uint64_t hash =
        hash_bytes(hash_number(HASH_INIT, found->pid), found->comm, sizeof(found->comm));
    uint32_t index = map_get(&sniff->noted_processes, hash);
    struct packet_process *process;

    if (index != MAP_NONE && sniff->noted_list[index]->pid == found->pid &&
        memcmp(sniff->noted_list[index]->comm, found->comm, sizeof(found->comm)) == 0)
        return sniff->noted_list[index];
    process = arena_alloc(&sniff->session.arena, sizeof(*process));
    if (!process ||
        VEC_RESERVE(&sniff->noted_list, &sniff->noted_capacity, sniff->noted_count, 1) < 0 ||
        map_set(&sniff->noted_processes, hash, sniff->noted_count) < 0)
        return NULL;
    *process = *found;
    sniff->noted_list[sniff->noted_count++] = process;
    return process;
}

/* Columns that -o added may stand behind it. */
static bool begins_with(const char *text, size_t length, const char *word)
{
    size_t size = strlen(word);

    return length >= size && memcmp(text, word, size) == 0 && (length == size || text[size] == ' ');
}

/* "nginx[1187] listener", of `length` bytes: the process, and what it has to do with the packet. */
static bool read_process(const char *text, size_t length, struct packet_process *ret_process,
                         struct packet_end *ret_end)
{
    const char *open = memchr(text, '[', length), *word;
    size_t name = open ? (size_t)(open - text) : 0, rest;
    char *behind;

    if (!open || name > sizeof(ret_process->comm))
        return false;
    memcpy(ret_process->comm, text, name);
    ret_process->pid = (uint32_t)strtoul(open + 1, &behind, 10);
    if (*behind != ']' || !ret_process->pid)
        return false;
    word = behind + 2;
    rest = word < text + length ? (size_t)(text + length - word) : 0;
    ret_end->kind = PACKET_END_PROCESS;
    for (unsigned int kind = PACKET_END_LISTENER; kind <= PACKET_END_TIME_WAIT; kind++)
        if (begins_with(word, rest, packet_end_words[kind]))
            ret_end->kind = (uint8_t)kind;
    return true;
}

static int read_end(struct sniff *sniff, const char *text, size_t length,
                    struct packet_end *ret_end)
{
    struct packet_process found = {.pid = 0};

    if (!read_process(text, length, &found, ret_end))
        return 0;
    ret_end->process = keep(sniff, &found);
    return ret_end->process ? 0 : -ENOMEM;
}

/* Others write no such comment, but may have the pid. */
static int read_pid(struct sniff *sniff, const struct packet_note *note, struct packet_end *ret_end)
{
    struct packet_process found = {.pid = note->pid};

    ret_end->kind = PACKET_END_PROCESS;
    ret_end->process = keep(sniff, &found);
    return ret_end->process ? 0 : -ENOMEM;
}

/* The comment is "curl[12] > nginx[1187]", or one of them and the direction. */
int sniff_read_note(struct sniff *sniff, const struct packet_note *note,
                    struct packet_owner *ret_owner)
{
    const char *text = note->comment ? note->comment : "", *arrow = strstr(text, " > ");
    struct packet_end *alone =
        note->direction == PACKET_IN ? &ret_owner->receiver : &ret_owner->sender;
    int r;

    if (arrow) {
        r = read_end(sniff, text, (size_t)(arrow - text), &ret_owner->sender);
        return r < 0 ? r : read_end(sniff, arrow + 3, strlen(arrow + 3), &ret_owner->receiver);
    }
    r = read_end(sniff, text, strlen(text), alone);
    return r == 0 && !alone->process && note->pid ? read_pid(sniff, note, alone) : r;
}
