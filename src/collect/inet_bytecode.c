/* SPDX-License-Identifier: MIT */
/* Conditions as bytecode of INET_DIAG_REQ_BYTECODE. */
/*
 * The kernel (inet_diag_bc_run) accepts a socket when the program ends exactly at its end and
 * refuses it when a jump leads 4 bytes behind the end. So each piece falls through when it holds,
 * and jumps 4 bytes behind its own end when it does not.
 */
#include "collect/inet_bytecode.h"

#include <linux/inet_diag.h>
#include <string.h>
#include <sys/socket.h>

#define OP_SIZE ((int)sizeof(struct inet_diag_bc_op))
#define REFUSE OP_SIZE /* distance behind the end of a piece */

struct program {
    char *code;
    int length;
    int size;
};

static int emit(struct program *program, const void *bytes, int length)
{
    if (program->size - program->length < length)
        return -E2BIG;
    memcpy(program->code + program->length, bytes, (size_t)length);
    program->length += length;
    return 0;
}

static int emit_op(struct program *program, int code, int yes, int no)
{
    struct inet_diag_bc_op op = {
        .code = (unsigned char)code, .yes = (unsigned char)yes, .no = (unsigned short)no};

    return emit(program, &op, OP_SIZE);
}

/* low <= port <= high: two comparisons, each followed by its operand. */
static int emit_ports(struct program *program, const struct match *match, int at_least, int at_most)
{
    int r = emit_op(program, at_least, 2 * OP_SIZE, 4 * OP_SIZE + REFUSE);

    if (r == 0)
        r = emit_op(program, 0, 0, match->low);
    if (r == 0)
        r = emit_op(program, at_most, 2 * OP_SIZE, 2 * OP_SIZE + REFUSE);
    if (r == 0)
        r = emit_op(program, 0, 0, match->high);
    return r;
}

static int emit_address(struct program *program, const struct match *match, int code)
{
    struct inet_diag_hostcond condition = {
        .family = match->family, .prefix_len = match->prefix, .port = -1};
    int address_size = match->family == AF_INET ? 4 : 16;
    int length = OP_SIZE + (int)sizeof(condition) + address_size;
    int r = emit_op(program, code, length, length + REFUSE);

    if (r == 0)
        r = emit(program, &condition, (int)sizeof(condition));
    if (r == 0)
        r = emit(program, match->address.bytes, address_size);
    return r;
}

/* Size of one op with its operand. */
static int op_length(const struct inet_diag_bc_op *op)
{
    switch (op->code) {
    case INET_DIAG_BC_S_GE:
    case INET_DIAG_BC_S_LE:
    case INET_DIAG_BC_D_GE:
    case INET_DIAG_BC_D_LE:
        return 2 * OP_SIZE;
    case INET_DIAG_BC_S_COND:
    case INET_DIAG_BC_D_COND:
        return op->yes;
    default:
        return OP_SIZE;
    }
}

/* Every jump out of [start, end) that refuses is made longer by `more` bytes. */
static void lengthen_refusals(struct program *program, int start, int end, int more)
{
    int at = start;

    while (at < end) {
        struct inet_diag_bc_op op;

        memcpy(&op, program->code + at, sizeof(op));
        if (at + op.no == end + REFUSE) {
            op.no = (unsigned short)(op.no + more);
            memcpy(program->code + at, &op, sizeof(op));
        }
        at += op_length(&op);
    }
}

static int emit_match(struct program *program, const struct match *matches, uint32_t index,
                      int depth);

static int emit_and(struct program *program, const struct match *matches, const struct match *match,
                    int depth)
{
    int start = program->length, middle;
    int r = emit_match(program, matches, match->left, depth + 1);

    middle = program->length;
    if (r == 0)
        r = emit_match(program, matches, match->right, depth + 1);
    if (r == 0)
        lengthen_refusals(program, start, middle, program->length - middle);
    return r;
}

/* When the left side holds, a jump leads over the right side; when not, its refusal leads behind
 * that jump, to the right side. */
static int emit_or(struct program *program, const struct match *matches, const struct match *match,
                   int depth)
{
    int jump;
    int r = emit_match(program, matches, match->left, depth + 1);
    struct inet_diag_bc_op op = {.code = INET_DIAG_BC_JMP, .yes = (unsigned char)OP_SIZE};

    jump = program->length;
    if (r == 0)
        r = emit(program, &op, OP_SIZE);
    if (r == 0)
        r = emit_match(program, matches, match->right, depth + 1);
    if (r == 0) {
        op.no = (unsigned short)(program->length - jump);
        memcpy(program->code + jump, &op, sizeof(op));
    }
    return r;
}

static int emit_match(struct program *program, const struct match *matches, uint32_t index,
                      int depth)
{
    const struct match *match = &matches[index];
    int r;

    if (depth > 32)
        return -E2BIG;
    switch (match->op) {
    case MATCH_AND:
        return emit_and(program, matches, match, depth);
    case MATCH_OR:
        return emit_or(program, matches, match, depth);
    case MATCH_NOT:
        r = emit_match(program, matches, match->left, depth + 1);
        return r < 0 ? r : emit_op(program, INET_DIAG_BC_JMP, OP_SIZE, OP_SIZE + REFUSE);
    case MATCH_LOCAL_PORT:
        return emit_ports(program, match, INET_DIAG_BC_S_GE, INET_DIAG_BC_S_LE);
    case MATCH_PEER_PORT:
        return emit_ports(program, match, INET_DIAG_BC_D_GE, INET_DIAG_BC_D_LE);
    case MATCH_LOCAL_ADDR:
        return emit_address(program, match, INET_DIAG_BC_S_COND);
    case MATCH_PEER_ADDR:
        return emit_address(program, match, INET_DIAG_BC_D_COND);
    case MATCH_AUTOBOUND:
        return emit_op(program, INET_DIAG_BC_AUTO, OP_SIZE, OP_SIZE + REFUSE);
    case MATCH_ANY:
        break;
    }
    return emit_op(program, INET_DIAG_BC_NOP, OP_SIZE, OP_SIZE);
}

int inet_bytecode(const struct match *matches, uint32_t count, void *code, size_t size)
{
    struct program program = {.code = code, .size = (int)size};
    int r;

    if (count == 0 || matches[count - 1].op == MATCH_ANY)
        return 0;
    r = emit_match(&program, matches, count - 1, 0);
    return r < 0 ? r : program.length;
}
