/* SPDX-License-Identifier: MIT */
/* libpcap, loaded when packets are asked for. */
/*
 * With the libraries that it needs itself it takes longer to load than a listing of sockets takes,
 * so that nwho is not linked with it, and a machine can do without.
 */
#pragma once

#include "base/cleanup.h"

#include <pcap/pcap.h>

#define PCAP_FUNCTIONS(DO)                                                                         \
    DO(pcap_activate)                                                                              \
    DO(pcap_breakloop)                                                                             \
    DO(pcap_can_set_rfmon)                                                                         \
    DO(pcap_close)                                                                                 \
    DO(pcap_compile)                                                                               \
    DO(pcap_create)                                                                                \
    DO(pcap_datalink)                                                                              \
    DO(pcap_datalink_name_to_val)                                                                  \
    DO(pcap_datalink_val_to_description)                                                           \
    DO(pcap_datalink_val_to_name)                                                                  \
    DO(pcap_dispatch)                                                                              \
    DO(pcap_file)                                                                                  \
    DO(pcap_findalldevs)                                                                           \
    DO(pcap_free_datalinks)                                                                        \
    DO(pcap_free_tstamp_types)                                                                     \
    DO(pcap_freealldevs)                                                                           \
    DO(pcap_freecode)                                                                              \
    DO(pcap_get_selectable_fd)                                                                     \
    DO(pcap_geterr)                                                                                \
    DO(pcap_list_datalinks)                                                                        \
    DO(pcap_list_tstamp_types)                                                                     \
    DO(pcap_offline_filter)                                                                        \
    DO(pcap_open_dead)                                                                             \
    DO(pcap_open_offline_with_tstamp_precision)                                                    \
    DO(pcap_set_buffer_size)                                                                       \
    DO(pcap_set_datalink)                                                                          \
    DO(pcap_set_immediate_mode)                                                                    \
    DO(pcap_set_promisc)                                                                           \
    DO(pcap_set_rfmon)                                                                             \
    DO(pcap_set_snaplen)                                                                           \
    DO(pcap_set_timeout)                                                                           \
    DO(pcap_set_tstamp_precision)                                                                  \
    DO(pcap_set_tstamp_type)                                                                       \
    DO(pcap_setdirection)                                                                          \
    DO(pcap_setfilter)                                                                             \
    DO(pcap_setnonblock)                                                                           \
    DO(pcap_snapshot)                                                                              \
    DO(pcap_stats)                                                                                 \
    DO(pcap_statustostr)                                                                           \
    DO(pcap_tstamp_type_name_to_val)                                                               \
    DO(pcap_tstamp_type_val_to_description)                                                        \
    DO(pcap_tstamp_type_val_to_name)                                                               \
    DO(bpf_image)

struct pcap_library {
#define DO(function) __typeof__(function) *function;
    PCAP_FUNCTIONS(DO);
#undef DO
};

/* 0; or -EINVAL, and what is wrong. It stays loaded; another time costs little. */
int pcap_library_load(struct pcap_library *ret_library, char error[PCAP_ERRBUF_SIZE]) MUST_CHECK;
