/* SPDX-License-Identifier: MIT */
/* Names for ports, hosts and protocols, as ss(8) chooses them. */
#include "compat/ss_names.h"

#include "derive/address.h"
#include "derive/port_range.h"

#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

void ss_names_done(struct ss_names *names)
{
    host_names_done(&names->hosts);
    *names = (struct ss_names){0};
}

/* --- ports --- */

bool ss_port_is_ephemeral(const struct ss_names *names, uint32_t port)
{
    return port_range_has(names->snapshot, 0, port);
}

const char *ss_service_name(struct ss_names *names, enum host_service service, uint16_t port)
{
    if (service != HOST_SERVICE_RAW && ss_port_is_ephemeral(names, port))
        return NULL;
    return host_service(&names->hosts, service, port);
}

/* --- hosts --- */

const char *ss_host_name(struct ss_names *names, unsigned int family, const union address *address)
{
    if (address_is_mapped(family, address))
        return host_name(&names->hosts, AF_INET, address->bytes + 12);
    return host_name(&names->hosts, family, address->bytes);
}

/* --- protocols --- */

struct number_name {
    uint16_t number;
    const char *name;
};

/* In the words of iproute2 for ETH_P_*. */
static const struct number_name link_protocols[] = {
    {ETH_P_LOOP, "loop"},       {ETH_P_PUP, "pup"},           {ETH_P_PUPAT, "pupat"},
    {ETH_P_IP, "ip"},           {ETH_P_X25, "x25"},           {ETH_P_ARP, "arp"},
    {ETH_P_BPQ, "bpq"},         {ETH_P_IEEEPUP, "ieeepup"},   {ETH_P_IEEEPUPAT, "ieeepupat"},
    {ETH_P_DEC, "dec"},         {ETH_P_DNA_DL, "dna_dl"},     {ETH_P_DNA_RC, "dna_rc"},
    {ETH_P_DNA_RT, "dna_rt"},   {ETH_P_LAT, "lat"},           {ETH_P_DIAG, "diag"},
    {ETH_P_CUST, "cust"},       {ETH_P_SCA, "sca"},           {ETH_P_RARP, "rarp"},
    {ETH_P_ATALK, "atalk"},     {ETH_P_AARP, "aarp"},         {ETH_P_8021Q, "802.1Q"},
    {ETH_P_IPX, "ipx"},         {ETH_P_IPV6, "ipv6"},         {ETH_P_PPP_DISC, "ppp_disc"},
    {ETH_P_PPP_SES, "ppp_ses"}, {ETH_P_ATMMPOA, "atmmpoa"},   {ETH_P_ATMFATE, "atmfate"},
    {ETH_P_802_3, "802_3"},     {ETH_P_AX25, "ax25"},         {ETH_P_ALL, "all"},
    {ETH_P_802_2, "802_2"},     {ETH_P_SNAP, "snap"},         {ETH_P_DDCMP, "ddcmp"},
    {ETH_P_WAN_PPP, "wan_ppp"}, {ETH_P_PPP_MP, "ppp_mp"},     {ETH_P_LOCALTALK, "localtalk"},
    {ETH_P_CAN, "can"},         {ETH_P_PPPTALK, "ppptalk"},   {ETH_P_TR_802_2, "tr_802_2"},
    {ETH_P_MOBITEX, "mobitex"}, {ETH_P_CONTROL, "control"},   {ETH_P_IRDA, "irda"},
    {ETH_P_ECONET, "econet"},   {ETH_P_TIPC, "tipc"},         {ETH_P_PROFINET, "profinet"},
    {ETH_P_AOE, "aoe"},         {ETH_P_ETHERCAT, "ethercat"}, {ETH_P_8021AD, "802.1ad"},
    {ETH_P_MPLS_UC, "mpls_uc"}, {ETH_P_MPLS_MC, "mpls_mc"},   {ETH_P_TEB, "teb"},
    {0x9100, "802.1Q"},         {ETH_P_LLDP, "lldp"},
};

/* In the words of iproute2 for NETLINK_*. */
static const struct number_name netlink_families[] = {
    {NETLINK_ROUTE, "rtnl"},
    {NETLINK_USERSOCK, "usersock"},
    {NETLINK_FIREWALL, "fw"},
    {NETLINK_SOCK_DIAG, "tcpdiag"},
    {NETLINK_NFLOG, "nflog"},
    {NETLINK_XFRM, "xfrm"},
    {NETLINK_SELINUX, "selinux"},
    {NETLINK_ISCSI, "iscsi"},
    {NETLINK_AUDIT, "audit"},
    {NETLINK_FIB_LOOKUP, "fiblookup"},
    {NETLINK_CONNECTOR, "connector"},
    {NETLINK_NETFILTER, "nft"},
    {NETLINK_IP6_FW, "ip6fw"},
    {NETLINK_DNRTMSG, "dec-rt"},
    {NETLINK_KOBJECT_UEVENT, "uevent"},
    {NETLINK_GENERIC, "genl"},
    {NETLINK_SCSITRANSPORT, "scsi-trans"},
    {NETLINK_ECRYPTFS, "ecryptfs"},
    {NETLINK_RDMA, "rdma"},
    {NETLINK_CRYPTO, "crypto"},
};

static const char *name_of(const struct number_name *table, size_t count, uint16_t number)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].number == number)
            return table[i].name;
    return NULL;
}

/* A word of the table, or a number in any of C's spellings up to `limit`. */
static int number_of(const struct number_name *table, size_t count, const char *text,
                     unsigned long limit, uint32_t *ret_number)
{
    unsigned long number;
    char *end;

    for (size_t i = 0; i < count; i++)
        if (strcasecmp(table[i].name, text) == 0) {
            *ret_number = table[i].number;
            return 0;
        }
    number = strtoul(text, &end, 0);
    if (!*text || *end || number > limit)
        return -EINVAL;
    *ret_number = (uint32_t)number;
    return 0;
}

const char *ss_link_protocol_name(uint16_t protocol)
{
    return name_of(link_protocols, ARRAY_SIZE(link_protocols), protocol);
}

const char *ss_netlink_family_name(uint16_t protocol)
{
    return name_of(netlink_families, ARRAY_SIZE(netlink_families), protocol);
}

int ss_link_protocol_parse(const char *name, uint16_t *ret_protocol)
{
    uint32_t number;
    int r = number_of(link_protocols, ARRAY_SIZE(link_protocols), name, UINT16_MAX, &number);

    if (r == 0)
        *ret_protocol = (uint16_t)number;
    return r;
}

int ss_netlink_family_parse(const char *name, uint32_t *ret_protocol)
{
    return number_of(netlink_families, ARRAY_SIZE(netlink_families), name, UINT32_MAX,
                     ret_protocol);
}
