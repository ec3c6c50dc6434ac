/* SPDX-License-Identifier: MIT */
/* sar: the reports, each with its columns, and the counters that these are made of. */
#include "compat/sar.h"

#define COUNTED(name, ...)                                                                         \
    {                                                                                              \
        .title = name, .counters = { __VA_ARGS__ }                                                 \
    }
#define KB(name, counter)                                                                          \
    {                                                                                              \
        .title = name, .counters = {counter}, .unit = SAR_KB_PER_SECOND                            \
    }
#define NOW(name, counter)                                                                         \
    {                                                                                              \
        .title = name, .counters = {counter}, .unit = SAR_NOW                                      \
    }
#define ZERO(name)                                                                                 \
    {                                                                                              \
        .title = name                                                                              \
    }

static const struct sar_column dev_columns[] = {
    COUNTED("rxpck/s", "rx_packets"),
    COUNTED("txpck/s", "tx_packets"),
    KB("rxkB/s", "rx_bytes"),
    KB("txkB/s", "tx_bytes"),
    COUNTED("rxcmp/s", "rx_compressed"),
    COUNTED("txcmp/s", "tx_compressed"),
    COUNTED("rxmcst/s", "multicast"),
    {.title = "%ifutil", .unit = SAR_UTILIZATION},
};

static const struct sar_column edev_columns[] = {
    COUNTED("rxerr/s", "rx_errors"),
    COUNTED("txerr/s", "tx_errors"),
    COUNTED("coll/s", "collisions"),
    COUNTED("rxdrop/s", "rx_dropped", "rx_missed"),
    COUNTED("txdrop/s", "tx_dropped"),
    COUNTED("txcarr/s", "tx_carrier_errors", "tx_aborted_errors", "tx_window_errors",
            "tx_heartbeat_errors"),
    COUNTED("rxfram/s", "rx_frame_errors", "rx_length_errors", "rx_over_errors", "rx_crc_errors"),
    COUNTED("rxfifo/s", "rx_overruns"),
    COUNTED("txfifo/s", "tx_overruns"),
};

static const struct sar_column nfs_columns[] = {
    ZERO("call/s"),  ZERO("retrans/s"), ZERO("read/s"),
    ZERO("write/s"), ZERO("access/s"),  ZERO("getatt/s"),
};

static const struct sar_column nfsd_columns[] = {
    ZERO("scall/s"),  ZERO("badcall/s"), ZERO("packet/s"),  ZERO("udp/s"),
    ZERO("tcp/s"),    ZERO("hit/s"),     ZERO("miss/s"),    ZERO("sread/s"),
    ZERO("swrite/s"), ZERO("saccess/s"), ZERO("sgetatt/s"),
};

static const struct sar_column sock_columns[] = {
    NOW("totsck", "SockUsed"),     NOW("tcpsck", "SockTCPInuse"),   NOW("udpsck", "SockUDPInuse"),
    NOW("rawsck", "SockRAWInuse"), NOW("ip-frag", "SockFRAGInuse"), NOW("tcp-tw", "SockTCPTw"),
};

static const struct sar_column ip_columns[] = {
    COUNTED("irec/s", "IpInReceives"),  COUNTED("fwddgm/s", "IpForwDatagrams"),
    COUNTED("idel/s", "IpInDelivers"),  COUNTED("orq/s", "IpOutRequests"),
    COUNTED("asmrq/s", "IpReasmReqds"), COUNTED("asmok/s", "IpReasmOKs"),
    COUNTED("fragok/s", "IpFragOKs"),   COUNTED("fragcrt/s", "IpFragCreates"),
};

static const struct sar_column eip_columns[] = {
    COUNTED("ihdrerr/s", "IpInHdrErrors"),     COUNTED("iadrerr/s", "IpInAddrErrors"),
    COUNTED("iukwnpr/s", "IpInUnknownProtos"), COUNTED("idisc/s", "IpInDiscards"),
    COUNTED("odisc/s", "IpOutDiscards"),       COUNTED("onort/s", "IpOutNoRoutes"),
    COUNTED("asmf/s", "IpReasmFails"),         COUNTED("fragf/s", "IpFragFails"),
};

static const struct sar_column icmp_columns[] = {
    COUNTED("imsg/s", "IcmpInMsgs"),         COUNTED("omsg/s", "IcmpOutMsgs"),
    COUNTED("iech/s", "IcmpInEchos"),        COUNTED("iechr/s", "IcmpInEchoReps"),
    COUNTED("oech/s", "IcmpOutEchos"),       COUNTED("oechr/s", "IcmpOutEchoReps"),
    COUNTED("itm/s", "IcmpInTimestamps"),    COUNTED("itmr/s", "IcmpInTimestampReps"),
    COUNTED("otm/s", "IcmpOutTimestamps"),   COUNTED("otmr/s", "IcmpOutTimestampReps"),
    COUNTED("iadrmk/s", "IcmpInAddrMasks"),  COUNTED("iadrmkr/s", "IcmpInAddrMaskReps"),
    COUNTED("oadrmk/s", "IcmpOutAddrMasks"), COUNTED("oadrmkr/s", "IcmpOutAddrMaskReps"),
};

static const struct sar_column eicmp_columns[] = {
    COUNTED("ierr/s", "IcmpInErrors"),          COUNTED("oerr/s", "IcmpOutErrors"),
    COUNTED("idstunr/s", "IcmpInDestUnreachs"), COUNTED("odstunr/s", "IcmpOutDestUnreachs"),
    COUNTED("itmex/s", "IcmpInTimeExcds"),      COUNTED("otmex/s", "IcmpOutTimeExcds"),
    COUNTED("iparmpb/s", "IcmpInParmProbs"),    COUNTED("oparmpb/s", "IcmpOutParmProbs"),
    COUNTED("isrcq/s", "IcmpInSrcQuenchs"),     COUNTED("osrcq/s", "IcmpOutSrcQuenchs"),
    COUNTED("iredir/s", "IcmpInRedirects"),     COUNTED("oredir/s", "IcmpOutRedirects"),
};

static const struct sar_column tcp_columns[] = {
    COUNTED("active/s", "TcpActiveOpens"),
    COUNTED("passive/s", "TcpPassiveOpens"),
    COUNTED("iseg/s", "TcpInSegs"),
    COUNTED("oseg/s", "TcpOutSegs"),
};

static const struct sar_column etcp_columns[] = {
    COUNTED("atmptf/s", "TcpAttemptFails"), COUNTED("estres/s", "TcpEstabResets"),
    COUNTED("retrans/s", "TcpRetransSegs"), COUNTED("isegerr/s", "TcpInErrs"),
    COUNTED("orsts/s", "TcpOutRsts"),
};

static const struct sar_column udp_columns[] = {
    COUNTED("idgm/s", "UdpInDatagrams"),
    COUNTED("odgm/s", "UdpOutDatagrams"),
    COUNTED("noport/s", "UdpNoPorts"),
    COUNTED("idgmerr/s", "UdpInErrors"),
};

static const struct sar_column sock6_columns[] = {
    NOW("tcp6sck", "SockTCP6Inuse"),
    NOW("udp6sck", "SockUDP6Inuse"),
    NOW("raw6sck", "SockRAW6Inuse"),
    NOW("ip6-frag", "SockFRAG6Inuse"),
};

static const struct sar_column ip6_columns[] = {
    COUNTED("irec6/s", "Ip6InReceives"),    COUNTED("fwddgm6/s", "Ip6OutForwDatagrams"),
    COUNTED("idel6/s", "Ip6InDelivers"),    COUNTED("orq6/s", "Ip6OutRequests"),
    COUNTED("asmrq6/s", "Ip6ReasmReqds"),   COUNTED("asmok6/s", "Ip6ReasmOKs"),
    COUNTED("imcpck6/s", "Ip6InMcastPkts"), COUNTED("omcpck6/s", "Ip6OutMcastPkts"),
    COUNTED("fragok6/s", "Ip6FragOKs"),     COUNTED("fragcr6/s", "Ip6FragCreates"),
};

static const struct sar_column eip6_columns[] = {
    COUNTED("ihdrer6/s", "Ip6InHdrErrors"),     COUNTED("iadrer6/s", "Ip6InAddrErrors"),
    COUNTED("iukwnp6/s", "Ip6InUnknownProtos"), COUNTED("i2big6/s", "Ip6InTooBigErrors"),
    COUNTED("idisc6/s", "Ip6InDiscards"),       COUNTED("odisc6/s", "Ip6OutDiscards"),
    COUNTED("inort6/s", "Ip6InNoRoutes"),       COUNTED("onort6/s", "Ip6OutNoRoutes"),
    COUNTED("asmf6/s", "Ip6ReasmFails"),        COUNTED("fragf6/s", "Ip6FragFails"),
    COUNTED("itrpck6/s", "Ip6InTruncatedPkts"),
};

static const struct sar_column icmp6_columns[] = {
    COUNTED("imsg6/s", "Icmp6InMsgs"),
    COUNTED("omsg6/s", "Icmp6OutMsgs"),
    COUNTED("iech6/s", "Icmp6InEchos"),
    COUNTED("iechr6/s", "Icmp6InEchoReplies"),
    COUNTED("oechr6/s", "Icmp6OutEchoReplies"),
    COUNTED("igmbq6/s", "Icmp6InGroupMembQueries"),
    COUNTED("igmbr6/s", "Icmp6InGroupMembResponses"),
    COUNTED("ogmbr6/s", "Icmp6OutGroupMembResponses"),
    COUNTED("igmbrd6/s", "Icmp6InGroupMembReductions"),
    COUNTED("ogmbrd6/s", "Icmp6OutGroupMembReductions"),
    COUNTED("irtsol6/s", "Icmp6InRouterSolicits"),
    COUNTED("ortsol6/s", "Icmp6OutRouterSolicits"),
    COUNTED("irtad6/s", "Icmp6InRouterAdvertisements"),
    COUNTED("inbsol6/s", "Icmp6InNeighborSolicits"),
    COUNTED("onbsol6/s", "Icmp6OutNeighborSolicits"),
    COUNTED("inbad6/s", "Icmp6InNeighborAdvertisements"),
    COUNTED("onbad6/s", "Icmp6OutNeighborAdvertisements"),
};

static const struct sar_column eicmp6_columns[] = {
    COUNTED("ierr6/s", "Icmp6InErrors"),          COUNTED("idtunr6/s", "Icmp6InDestUnreachs"),
    COUNTED("odtunr6/s", "Icmp6OutDestUnreachs"), COUNTED("itmex6/s", "Icmp6InTimeExcds"),
    COUNTED("otmex6/s", "Icmp6OutTimeExcds"),     COUNTED("iprmpb6/s", "Icmp6InParmProblems"),
    COUNTED("oprmpb6/s", "Icmp6OutParmProblems"), COUNTED("iredir6/s", "Icmp6InRedirects"),
    COUNTED("oredir6/s", "Icmp6OutRedirects"),    COUNTED("ipck2b6/s", "Icmp6InPktTooBigs"),
    COUNTED("opck2b6/s", "Icmp6OutPktTooBigs"),
};

static const struct sar_column udp6_columns[] = {
    COUNTED("idgm6/s", "Udp6InDatagrams"),
    COUNTED("odgm6/s", "Udp6OutDatagrams"),
    COUNTED("noport6/s", "Udp6NoPorts"),
    COUNTED("idgmer6/s", "Udp6InErrors"),
};

static const struct sar_column fc_columns[] = {
    ZERO("fch_rxf/s"),
};

static const struct sar_column soft_columns[] = {
    COUNTED("total/s", "SoftnetProcessed"),     COUNTED("dropd/s", "SoftnetDropped"),
    COUNTED("squeezd/s", "SoftnetTimeSqueeze"), COUNTED("rx_rps/s", "SoftnetReceivedRps"),
    COUNTED("flw_lim/s", "SoftnetFlowLimit"),   NOW("blg_len", "SoftnetBacklog"),
};

const struct sar_report sar_reports[SAR_REPORT_MAX] = {
    [SAR_DEV] = {"DEV", SAR_OF_INTERFACES, NULL, dev_columns, ARRAY_SIZE(dev_columns)},
    [SAR_EDEV] = {"EDEV", SAR_OF_INTERFACES, NULL, edev_columns, ARRAY_SIZE(edev_columns)},
    [SAR_NFS] = {"NFS", SAR_OF_NOTHING, "/proc/net/rpc/nfs", nfs_columns, ARRAY_SIZE(nfs_columns)},
    [SAR_NFSD] = {"NFSD", SAR_OF_NOTHING, "/proc/net/rpc/nfsd", nfsd_columns,
                  ARRAY_SIZE(nfsd_columns)},
    [SAR_SOCK] = {"SOCK", SAR_OF_MACHINE, NULL, sock_columns, ARRAY_SIZE(sock_columns)},
    [SAR_IP] = {"IP", SAR_OF_MACHINE, NULL, ip_columns, ARRAY_SIZE(ip_columns)},
    [SAR_EIP] = {"EIP", SAR_OF_MACHINE, NULL, eip_columns, ARRAY_SIZE(eip_columns)},
    [SAR_ICMP] = {"ICMP", SAR_OF_MACHINE, NULL, icmp_columns, ARRAY_SIZE(icmp_columns)},
    [SAR_EICMP] = {"EICMP", SAR_OF_MACHINE, NULL, eicmp_columns, ARRAY_SIZE(eicmp_columns)},
    [SAR_TCP] = {"TCP", SAR_OF_MACHINE, NULL, tcp_columns, ARRAY_SIZE(tcp_columns)},
    [SAR_ETCP] = {"ETCP", SAR_OF_MACHINE, NULL, etcp_columns, ARRAY_SIZE(etcp_columns)},
    [SAR_UDP] = {"UDP", SAR_OF_MACHINE, NULL, udp_columns, ARRAY_SIZE(udp_columns)},
    [SAR_SOCK6] = {"SOCK6", SAR_OF_MACHINE, NULL, sock6_columns, ARRAY_SIZE(sock6_columns)},
    [SAR_IP6] = {"IP6", SAR_OF_MACHINE, NULL, ip6_columns, ARRAY_SIZE(ip6_columns)},
    [SAR_EIP6] = {"EIP6", SAR_OF_MACHINE, NULL, eip6_columns, ARRAY_SIZE(eip6_columns)},
    [SAR_ICMP6] = {"ICMP6", SAR_OF_MACHINE, NULL, icmp6_columns, ARRAY_SIZE(icmp6_columns)},
    [SAR_EICMP6] = {"EICMP6", SAR_OF_MACHINE, NULL, eicmp6_columns, ARRAY_SIZE(eicmp6_columns)},
    [SAR_UDP6] = {"UDP6", SAR_OF_MACHINE, NULL, udp6_columns, ARRAY_SIZE(udp6_columns)},
    [SAR_FC] = {"FC", SAR_OF_NOBODY, "/sys/class/fc_host", fc_columns, ARRAY_SIZE(fc_columns)},
    [SAR_SOFT] = {"SOFT", SAR_OF_CPUS, NULL, soft_columns, ARRAY_SIZE(soft_columns)},
};
