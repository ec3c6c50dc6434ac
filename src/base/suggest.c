/* SPDX-License-Identifier: MIT */
/* Edit distance with transpositions (optimal string alignment), for short words in letters of any
 * case. */
#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

#define LONGEST 40

/* Headings are columns in capitals and with '-'. */
static char letter(char character)
{
    if (character >= 'A' && character <= 'Z')
        return (char)(character - 'A' + 'a');
    return character == '-' ? '_' : character;
}

static unsigned int smaller(unsigned int a, unsigned int b)
{
    return a < b ? a : b;
}

/* Rows of the distance matrix: the current one, the one before, and the one before that (for
 * transpositions). */
static unsigned int edit_distance(const char *a, const char *b)
{
    unsigned int rows[3][LONGEST + 1];
    unsigned int *before = rows[0], *last = rows[1], *now = rows[2];
    size_t a_length = strlen(a), b_length = strlen(b);

    if (a_length > LONGEST || b_length > LONGEST)
        return LONGEST;
    for (size_t k = 0; k <= b_length; k++)
        last[k] = (unsigned int)k;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned int *freed = before;

        now[0] = (unsigned int)i;
        for (size_t k = 1; k <= b_length; k++) {
            bool same = letter(a[i - 1]) == letter(b[k - 1]);

            now[k] = smaller(smaller(last[k], now[k - 1]) + 1, last[k - 1] + !same);
            if (i > 1 && k > 1 && letter(a[i - 1]) == letter(b[k - 2]) &&
                letter(a[i - 2]) == letter(b[k - 1]))
                now[k] = smaller(now[k], before[k - 2] + 1);
        }
        before = last;
        last = now;
        now = freed;
    }
    return last[b_length];
}

struct suggestion suggestion_for(const char *word)
{
    /* A third of the word may be wrong, of a short one a letter. */
    size_t length = strlen(word);

    return (struct suggestion){.word = word,
                               .distance = length < 3 ? 2 : (unsigned int)length / 3 + 1};
}

void suggestion_try(struct suggestion *suggestion, const char *name)
{
    unsigned int distance = edit_distance(suggestion->word, name);

    if (distance < suggestion->distance) {
        suggestion->distance = distance;
        suggestion->name = name;
    }
}
