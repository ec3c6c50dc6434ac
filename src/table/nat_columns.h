/* SPDX-License-Identifier: MIT */
/* Columns of tracked connections that their list and their events share. */
#pragma once

#include "table/nat_cells.h"

/* name, title, help, kind, flags, needs, getter */
/* clang-format off */
#define NAT_SIDE_COLUMNS                                                                           \
    {"local", "LOCAL", "Address and port of its socket; of what is forwarded: who began it",       \
     KIND_ENDPOINT, COLUMN_TEXT | COLUMN_COMPOSED, 0, nat_local},                                  \
    {"peer", "PEER", "Whom its socket believes to talk to",                                        \
     KIND_ENDPOINT, COLUMN_TEXT | COLUMN_COMPOSED, 0, nat_peer},                                   \
    {"nat_peer", "NAT-PEER", "Whom it really talks to, where NAT hides that",                      \
     KIND_ENDPOINT, COLUMN_TEXT | COLUMN_COMPOSED, 0, nat_true_peer},                              \
    {"nat_local", "NAT-LOCAL", "As whom the peer knows it, where NAT changes that",                \
     KIND_ENDPOINT, COLUMN_TEXT | COLUMN_COMPOSED, 0, nat_seen_local},                             \
    {"local_addr", "LOCAL-ADDR", "Address of its socket",                                          \
     KIND_ADDRESS, COLUMN_MACHINE, 0, nat_local_addr},                                             \
    {"local_port", "LPORT", "Port of its socket; of a ping its id",                                \
     KIND_PORT, COLUMN_MACHINE, 0, nat_local_port},                                                \
    {"peer_addr", "PEER-ADDR", "Address that its socket talks to",                                 \
     KIND_ADDRESS, COLUMN_MACHINE, 0, nat_peer_addr},                                              \
    {"peer_port", "PPORT", "Port that its socket talks to",                                        \
     KIND_PORT, COLUMN_MACHINE, 0, nat_peer_port},                                                 \
    {"nat_peer_addr", "NAT-PEER-ADDR", "Address of the peer behind NAT",                           \
     KIND_ADDRESS, COLUMN_MACHINE, 0, nat_true_peer_addr},                                         \
    {"nat_peer_port", "NAT-PPORT", "Port of the peer behind NAT",                                  \
     KIND_PORT, COLUMN_MACHINE, 0, nat_true_peer_port},                                            \
    {"nat_local_addr", "NAT-LOCAL-ADDR", "Address that the peer knows it by",                      \
     KIND_ADDRESS, COLUMN_MACHINE, 0, nat_seen_local_addr},                                        \
    {"nat_local_port", "NAT-LPORT", "Port that the peer knows it by",                              \
     KIND_PORT, COLUMN_MACHINE, 0, nat_seen_local_port}

#define NAT_ENTRY_COLUMNS                                                                          \
    {"mark", "MARK", "Mark of the connection (connmark)", KIND_HEX, COLUMN_MACHINE, 0, nat_mark},  \
    {"labels", "LABELS", "Labels: the numbers of their bits",                                      \
     KIND_TEXT, COLUMN_MACHINE, 0, nat_labels},                                                    \
    {"helper", "HELPER", "Helper that follows it (ftp, sip)",                                      \
     KIND_TEXT, COLUMN_MACHINE, 0, nat_helper},                                                    \
    {"zone", "ZONE", "Zone of the table", KIND_ID, COLUMN_MACHINE, 0, nat_zone},                   \
    {"security", "SECURITY", "Label of the security module", KIND_TEXT, 0, 0, nat_security},       \
    {"id", "ID", "Number of the entry in its table",                                               \
     KIND_ID, COLUMN_MACHINE | COLUMN_KEY, 0, nat_id}
/* clang-format on */
