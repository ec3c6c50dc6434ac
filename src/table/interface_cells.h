/* SPDX-License-Identifier: MIT */
/* Cells of interfaces that are made of several facts: rates, what was counted since the beginning,
 * sums. */
#pragma once

#include "table/table.h"

column_get_fn interface_rx_rate, interface_tx_rate, interface_rx_packet_rate,
    interface_tx_packet_rate, interface_rx_named, interface_tx_named, interface_rx_headers,
    interface_tx_headers, interface_rx_forwarded, interface_tx_forwarded, interface_rx_unowned,
    interface_tx_unowned, interface_util, interface_rx_rate_avg, interface_tx_rate_avg,
    interface_rx_rate_min, interface_tx_rate_min, interface_rx_rate_max, interface_tx_rate_max,
    interface_rx_since, interface_tx_since, interface_errors, interface_drops, interface_stacked,
    interface_rx_window, interface_rx_named_window, interface_rx_headers_window,
    interface_rx_forwarded_window, interface_rx_unowned_window, interface_tx_window,
    interface_tx_named_window, interface_tx_headers_window, interface_tx_forwarded_window,
    interface_tx_unowned_window, interface_rx_named_since, interface_rx_headers_since,
    interface_rx_forwarded_since, interface_rx_unowned_since, interface_tx_named_since,
    interface_tx_headers_since, interface_tx_forwarded_since, interface_tx_unowned_since;
