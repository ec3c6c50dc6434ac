/* SPDX-License-Identifier: MIT */
/* Journal: the chain of checksums in SQLite's write-ahead log, and where it is broken. */
#include "store/journal.h"

#include "base/cleanup.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* What SQLite documents of it. All numbers but the words that are added up are big-endian. */
#define HEADER_BYTES 32
#define HEADER_MAGIC 0x377f0682 /* and 1: the words are big-endian */
#define HEADER_VERSION 3007000
#define HEADER_SUMMED 24
#define HEADER_SALTS 16
#define FRAME_BYTES 24 /* before each page */
#define FRAME_SUMMED 8 /* of them: number of the page, pages of the file at the end of a */
#define FRAME_PAGES 4  /* transaction, else 0 */
#define FRAME_SALTS 8  /* those of the header; others: of an earlier journal in this place */
#define FRAME_SUM 16
#define WORD_BITS 32

struct sum {
    uint32_t first, second;
};

struct walk {
    sqlite3_file *file;
    struct journal *journal;
    struct sum sum; /* of all frames before */
    sqlite3_int64 bytes;
    uint8_t *frame;
};

static uint32_t number_at(const uint8_t *bytes)
{
    uint32_t number;

    memcpy(&number, bytes, sizeof(number));
    return be32toh(number);
}

static uint32_t word_at(const uint8_t *bytes, bool big_endian)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return big_endian ? be32toh(word) : le32toh(word);
}

static struct sum sum_at(const uint8_t *bytes)
{
    return (struct sum){number_at(bytes), number_at(bytes + 4)};
}

static bool is_equal(struct sum a, struct sum b)
{
    return a.first == b.first && a.second == b.second;
}

static struct sum add(struct sum sum, const uint8_t *bytes, uint32_t count, bool big_endian)
{
    for (uint32_t i = 0; i < count; i += 8) {
        sum.first += word_at(bytes + i, big_endian) + sum.second;
        sum.second += word_at(bytes + i + 4, big_endian) + sum.first;
    }
    return sum;
}

int read_below(sqlite3_file *file, void *to, int amount, sqlite3_int64 offset)
{
    int result = file->pMethods->xRead(file, to, amount, offset);

    return result == SQLITE_IOERR_CORRUPTFS ? SQLITE_IOERR_READ : result;
}

/* --- the header --- */

static bool is_header(const uint8_t *header)
{
    uint32_t magic = number_at(header), page_bytes = number_at(header + 8);

    return (magic & ~1u) == HEADER_MAGIC && number_at(header + 4) == HEADER_VERSION &&
           page_bytes >= 512 && page_bytes <= 65536 && !(page_bytes & (page_bytes - 1)) &&
           is_equal(add((struct sum){0}, header, HEADER_SUMMED, magic & 1),
                    sum_at(header + HEADER_SUMMED));
}

static void learn(struct journal *journal, const uint8_t *header)
{
    journal->big_endian = number_at(header) & 1;
    journal->page_bytes = number_at(header + 8);
    memcpy(journal->salts, header + HEADER_SALTS, JOURNAL_SALT_BYTES);
}

/* It waits for the disk before there is any frame. Another one may be written at this moment. */
static int read_header(struct walk *walk, bool *ret_whole)
{
    uint8_t header[HEADER_BYTES];
    bool whole = false;

    for (int i = 0; i < 2 && !whole; i++) {
        int result = read_below(walk->file, header, HEADER_BYTES, 0);

        if (result != SQLITE_OK)
            return result;
        whole = is_header(header);
    }
    if (whole) {
        learn(walk->journal, header);
        walk->sum = sum_at(header + HEADER_SUMMED);
    }
    *ret_whole = whole;
    return SQLITE_OK;
}

/* --- frames --- */

static struct sum sum_of(const struct journal *journal, struct sum before, const uint8_t *head,
                         const uint8_t *page)
{
    struct sum sum = add(before, head, FRAME_SUMMED, journal->big_endian);

    return add(sum, page, journal->page_bytes, journal->big_endian);
}

static bool has_salts(const struct walk *walk, const uint8_t *frame)
{
    return memcmp(frame + FRAME_SALTS, walk->journal->salts, JOURNAL_SALT_BYTES) == 0;
}

static bool is_whole(const struct walk *walk, struct sum before)
{
    const uint8_t *frame = walk->frame;

    return has_salts(walk, frame) &&
           is_equal(sum_of(walk->journal, before, frame, frame + FRAME_BYTES),
                    sum_at(frame + FRAME_SUM));
}

/* Where in its frame a word is that is added up. */
static uint32_t place_of_word(uint32_t word)
{
    return word * 4 < FRAME_SUMMED ? word * 4 : FRAME_BYTES + word * 4 - FRAME_SUMMED;
}

/* Whether the change of one bit of the word makes that difference of the sums. */
static bool is_by_bit_of(uint32_t word, struct sum factor, struct sum difference)
{
    for (unsigned int i = 0; i < WORD_BITS; i++) {
        uint32_t mask = UINT32_C(1) << i, change = word & mask ? -mask : mask;

        if (change * factor.first == difference.first &&
            change * factor.second == difference.second)
            return true;
    }
    return false;
}

/* What a word adds to the sums is multiplied on the way to their end by two numbers that its place
 * tells. */
static bool is_by_one_bit(const struct walk *walk, struct sum difference)
{
    uint32_t words = (FRAME_SUMMED + walk->journal->page_bytes) / 4;
    struct sum factors[2] = {{1, 1}, {0, 1}};

    for (uint32_t i = words; i > 0; i -= 2) {
        for (uint32_t j = 0; j < 2; j++) {
            const uint8_t *word = walk->frame + place_of_word(i - 2 + j);
            uint32_t added = factors[j].first + factors[j].second;

            if (is_by_bit_of(word_at(word, walk->journal->big_endian), factors[j], difference))
                return true;
            factors[j] = (struct sum){added, added + factors[j].second};
        }
    }
    return false;
}

static bool has_one_bit(uint64_t bits)
{
    return bits && !(bits & (bits - 1));
}

static uint64_t bits_between(const uint8_t *a, const uint8_t *b)
{
    uint64_t left, right;

    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return left ^ right;
}

static uint64_t joined(struct sum sum)
{
    return (uint64_t)sum.first << WORD_BITS | sum.second;
}

/* A frame that is not whole: a power cut leaves it half, or as it was in an earlier journal. */
static bool has_flipped_bit(const struct walk *walk)
{
    const uint8_t *frame = walk->frame;
    struct sum kept = sum_at(frame + FRAME_SUM);
    struct sum sum = sum_of(walk->journal, walk->sum, frame, frame + FRAME_BYTES);

    if (!has_salts(walk, frame))
        return is_equal(sum, kept) &&
               has_one_bit(bits_between(frame + FRAME_SALTS, walk->journal->salts));
    return has_one_bit(joined(kept) ^ joined(sum)) ||
           is_by_one_bit(walk, (struct sum){kept.first - sum.first, kept.second - sum.second});
}

static uint32_t frame_bytes(const struct walk *walk)
{
    return FRAME_BYTES + walk->journal->page_bytes;
}

static int read_frame(const struct walk *walk, sqlite3_int64 offset)
{
    return read_below(walk->file, walk->frame, (int)frame_bytes(walk), offset);
}

/* The checksum that one of a frame goes on from: that of the frame before, or of the header. */
static int read_sum_before(sqlite3_file *file, const struct journal *journal, sqlite3_int64 offset,
                           struct sum *ret_sum)
{
    sqlite3_int64 place = offset == HEADER_BYTES
                              ? HEADER_SUMMED
                              : offset - FRAME_BYTES - journal->page_bytes + FRAME_SUM;
    uint8_t bytes[8];
    int result = read_below(file, bytes, sizeof(bytes), place);

    if (result == SQLITE_OK)
        *ret_sum = sum_at(bytes);
    return result;
}

/*
 * Whether behind a frame that is not right there is the end of a transaction. A writer that lives
 * may have been writing that frame: then it is right when it has come to that end.
 */
static int look_behind(struct walk *walk, sqlite3_int64 broken)
{
    sqlite3_int64 offset = broken, step = frame_bytes(walk);
    bool is_end = false;
    int result = SQLITE_OK;

    while (result == SQLITE_OK && !is_end && (offset += step) + step <= walk->bytes) {
        uint8_t head[FRAME_BYTES];
        struct sum before;

        result = read_below(walk->file, head, FRAME_BYTES, offset);
        if (result != SQLITE_OK || !has_salts(walk, head) || !number_at(head + FRAME_PAGES))
            continue;
        result = read_sum_before(walk->file, walk->journal, offset, &before);
        if (result == SQLITE_OK)
            result = read_frame(walk, offset);
        is_end = result == SQLITE_OK && is_whole(walk, before);
    }
    if (is_end)
        result = read_frame(walk, broken);
    if (is_end && result == SQLITE_OK && !is_whole(walk, walk->sum))
        walk->journal->lost_from = broken;
    return result;
}

static int walk_frames(struct walk *walk)
{
    sqlite3_int64 step = frame_bytes(walk), offset = HEADER_BYTES;
    int result = SQLITE_OK;

    for (; result == SQLITE_OK && offset + step <= walk->bytes; offset += step) {
        result = read_frame(walk, offset);
        if (result == SQLITE_OK && !is_whole(walk, walk->sum))
            break;
        walk->sum = sum_at(walk->frame + FRAME_SUM);
        if (number_at(walk->frame + FRAME_PAGES))
            walk->journal->known_until = offset + step;
    }
    if (result != SQLITE_OK || offset + step > walk->bytes)
        return result;
    walk->journal->is_one_bit = has_flipped_bit(walk);
    if (!walk->journal->is_one_bit)
        return look_behind(walk, offset);
    walk->journal->lost_from = offset;
    return SQLITE_OK;
}

int journal_look(sqlite3_file *file, struct journal *journal)
{
    CLEANUP_FREE uint8_t *frame = NULL;
    struct walk walk = {.file = file, .journal = journal};
    bool whole = false;
    int result = file->pMethods->xFileSize(file, &walk.bytes);

    if (result == SQLITE_OK && walk.bytes > HEADER_BYTES)
        result = read_header(&walk, &whole);
    if (result != SQLITE_OK || walk.bytes <= HEADER_BYTES)
        return result;
    if (!whole) {
        journal->lost_from = HEADER_BYTES;
        return SQLITE_OK;
    }
    walk.frame = frame = malloc(frame_bytes(&walk));
    result = frame ? walk_frames(&walk) : SQLITE_IOERR_NOMEM;
    /* Another process may have made it shorter: SQLite sees for itself. */
    return result == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : result;
}

/* Of a page the last bytes may differ: that of the file has a checksum there. */
static bool is_same_page(const uint8_t *a, const uint8_t *b, uint32_t page_bytes,
                         unsigned int bits_off)
{
    unsigned int bits = 0;

    for (uint32_t i = 0; i + 8 < page_bytes && bits <= bits_off; i += 8)
        bits += (unsigned int)__builtin_popcountll(bits_between(a + i, b + i));
    return bits <= bits_off;
}

/*
 * Whether the file has the page of the frame. One that a power cut has torn has the page of an
 * earlier journal, which may well be in the file: what counts is as it was written, but for the
 * bit.
 */
static int is_in(struct walk *walk, sqlite3_int64 offset, sqlite3_file *history, bool *ret_in)
{
    const struct journal *journal = walk->journal;
    uint8_t *frame = walk->frame, *page = frame + frame_bytes(walk);
    sqlite3_int64 number = number_at(frame);
    unsigned int bits_off = journal->is_one_bit && offset == journal->lost_from ? 1 : 0;
    struct sum before;
    int result = read_sum_before(walk->file, journal, offset, &before);

    *ret_in = false;
    if (result != SQLITE_OK || !number || !(bits_off || is_whole(walk, before)))
        return result;
    result =
        read_below(history, page, (int)journal->page_bytes, (number - 1) * journal->page_bytes);
    *ret_in = result == SQLITE_OK &&
              is_same_page(page, frame + FRAME_BYTES, journal->page_bytes, bits_off);
    return result == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : result;
}

/*
 * Whether SQLite takes the page out of the journal, and another one than the file has: a page may
 * have been written again as it was, which says nothing.
 */
static int is_older(struct walk *walk, sqlite3_int64 end, bool *ret_older)
{
    uint8_t *frame = walk->frame, *page = frame + frame_bytes(walk), head[FRAME_BYTES];
    sqlite3_int64 step = frame_bytes(walk), offset = end;
    uint32_t number = number_at(frame);
    int result = SQLITE_OK;

    while (result == SQLITE_OK && (offset -= step) >= HEADER_BYTES) {
        result = read_below(walk->file, head, FRAME_BYTES, offset);
        if (result == SQLITE_OK && number_at(head) == number)
            break;
    }
    if (result == SQLITE_OK && offset >= HEADER_BYTES) {
        result = read_frame(walk, offset);
        *ret_older = !is_same_page(page, frame + FRAME_BYTES, walk->journal->page_bytes, 0);
    }
    return result;
}

int journal_is_mixed(sqlite3_file *file, const struct journal *journal, sqlite3_file *history,
                     bool *ret_mixed)
{
    CLEANUP_FREE uint8_t *frame = NULL;
    struct journal known = *journal;
    struct walk walk = {.file = file, .journal = &known};
    uint32_t step = frame_bytes(&walk);
    sqlite3_int64 begin = journal->known_until ? journal->known_until : HEADER_BYTES;
    bool in = false, mixed = false;
    int result = file->pMethods->xFileSize(file, &walk.bytes);

    walk.frame = frame = malloc(2 * step);
    if (!frame)
        return SQLITE_IOERR_NOMEM;
    for (sqlite3_int64 offset = begin;
         journal->page_bytes && result == SQLITE_OK && !mixed && offset + step <= walk.bytes;
         offset += step) {
        result = read_frame(&walk, offset);
        if (result == SQLITE_OK)
            result = is_in(&walk, offset, history, &in);
        if (result == SQLITE_OK && in)
            result = is_older(&walk, begin, &mixed);
    }
    *ret_mixed = mixed;
    return result;
}

/* --- reading and writing --- */

/* A page that is read by its place was found whole once, or has been written since. */
static int check_page(sqlite3_file *file, const struct journal *journal, const uint8_t *page,
                      sqlite3_int64 offset)
{
    uint8_t head[FRAME_BYTES];
    struct sum before;
    int result = read_below(file, head, FRAME_BYTES, offset - FRAME_BYTES);

    if (result == SQLITE_OK)
        result = read_sum_before(file, journal, offset - FRAME_BYTES, &before);
    if (result != SQLITE_OK)
        return result;
    return is_equal(sum_of(journal, before, head, page), sum_at(head + FRAME_SUM)) ? SQLITE_OK
                                                                                   : SQLITE_CORRUPT;
}

static bool is_page(const struct journal *journal, int amount, sqlite3_int64 offset)
{
    return journal->page_bytes && amount == (int)journal->page_bytes &&
           (offset - HEADER_BYTES) % (FRAME_BYTES + amount) == FRAME_BYTES;
}

/* It had none when it was opened: another one has begun it. */
static int learn_late(sqlite3_file *file, struct journal *journal)
{
    uint8_t header[HEADER_BYTES];
    int result = read_below(file, header, HEADER_BYTES, 0);

    if (result == SQLITE_OK && is_header(header))
        learn(journal, header);
    return result;
}

int journal_read(sqlite3_file *file, struct journal *journal, void *to, int amount,
                 sqlite3_int64 offset)
{
    int result = read_below(file, to, amount, offset);

    if (result == SQLITE_OK && !journal->page_bytes && offset > 0)
        result = learn_late(file, journal);
    if (result != SQLITE_OK || !is_page(journal, amount, offset) ||
        (journal->stale && offset >= journal->stale))
        return result;
    return check_page(file, journal, to, offset);
}

/*
 * A page without the header of its frame replaces one of the same transaction. Then the checksums
 * are not right until SQLite writes the headers anew, from the first such frame on; or it gives the
 * transaction up, and another one takes the place.
 */
void journal_written(struct journal *journal, const void *from, int amount, sqlite3_int64 offset)
{
    if (offset == 0 && amount == HEADER_BYTES) {
        learn(journal, from);
        journal->stale = 0;
    }
    if (amount == FRAME_BYTES) {
        journal->page_next = offset + FRAME_BYTES;
        if (journal->page_next <= journal->stale)
            journal->stale = 0;
    }
    if (is_page(journal, amount, offset)) {
        if (offset != journal->page_next && (!journal->stale || offset < journal->stale))
            journal->stale = offset;
        journal->page_next = 0;
    }
}
