/* SPDX-License-Identifier: MIT */
/* Fuzzing of the headers of packets: which protocol and bracket they are counted under. */
#include "bpf/packet_class.h"
#include "fuzz.h"

#define NETWORK (1u << CLASS_IPV4 | 1u << CLASS_IPV6 | 1u << CLASS_NON_IP)
#define TRANSPORT (1u << CLASS_TCP | 1u << CLASS_UDP | 1u << CLASS_ICMP | 1u << CLASS_OTHER_IP)

static bool is_one_bit(uint32_t bits)
{
    return bits && !(bits & (bits - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE uint8_t *copy = NULL;
    struct packet_bytes packet;
    struct packet_class class;
    uint16_t type;
    uint32_t mtu, bracket;

    if (size < 3)
        return 0;
    memcpy(&type, data + 1, sizeof(type));
    copy = fuzz_bytes(data + 3, size - 3);
    packet = (struct packet_bytes){copy, (uint32_t)size - 3};
    class = packet_classify(&packet, data[0] & 1, type, 0);
    CHECK(is_one_bit(class.protocols & NETWORK));
    CHECK((class.protocols & 1u << CLASS_NON_IP) || is_one_bit(class.protocols & TRANSPORT));
    CHECK(!(class.protocols & ~(NETWORK | TRANSPORT)));
    CHECK(class.header <= 14 + 4 * (CLASS_VLANS_MAX + 1));
    mtu = type ? type : 1500;
    bracket = packet_bracket((uint32_t)size, mtu);
    CHECK(bracket < CLASS_BRACKETS && (bracket == CLASS_BRACKETS - 1) == (size > mtu));
    return 0;
}
