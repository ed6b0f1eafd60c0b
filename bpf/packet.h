/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a packet lies in memory: its device, its namespace, its headers. */
#ifndef DROPWATCH_PACKET_H
#define DROPWATCH_PACKET_H

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <bpf/bpf_endian.h>

#include "kernel.h"
#include "wire.h"

#define MAX_EXTENSIONS	6
#define MAX_TAGS	4
#define MAX_L2		64
#define MAX_CHAIN	32
#define IPV6_HEADER_LEN 40
#define ETHERTYPE_MIN	0x600 /* below it are lengths (IEEE 802.3) */

/* Bytes of each sampled packet to copy; at least what its headers need. */
const volatile __u32 packet_bytes = 128;

/*
 * Whether a pointer points to a device. In a socket's queue skb->dev is something
 * else: UDP's dev_scratch, a node of TCP's out-of-order tree. A device leads to its
 * namespace, and the namespace's loopback device leads back.
 */
static __always_inline bool is_device(struct net_device *dev)
{
	struct net *net = BPF_CORE_READ(dev, nd_net.net);

	return net && BPF_CORE_READ(net, loopback_dev, nd_net.net) == net;
}

/*
 * The socket of a packet; NULL if it has none. rx_sk is where the tracepoint's argument of
 * that name lies, NULL on a kernel without it. Read by helpers, it is a number to the
 * verifier, which else follows each of the types it may have through all that comes after.
 */
static __always_inline struct sock *socket_of(struct sk_buff *skb, const void *rx_sk)
{
	struct sock *sk = NULL;

	if (rx_sk)
		bpf_probe_read_kernel(&sk, sizeof(sk), rx_sk);
	return sk ?: BPF_CORE_READ(skb, sk);
}

/* Where a packet is, as far as it can be told. Zero means unknown. */
struct place {
	struct net_device *dev;
	struct net *net;
	__u32 ifindex;
};

/*
 * Finds the place of a packet: its device, else the one it came in by, else the one
 * its route leads out by. On receive the socket is known since 6.11.
 */
static __noinline int find_place(struct place *place, struct sk_buff *skb, struct sock *sk)
{
	struct net_device *dev = BPF_CORE_READ(skb, dev), *routed;
	struct dst_entry *dst;

	if (!place)
		return 0;
	place->net = NULL;
	place->ifindex = 0;
	if (dev && is_device(dev)) {
		place->dev = dev;
		place->ifindex = BPF_CORE_READ(dev, ifindex);
		place->net = BPF_CORE_READ(dev, nd_net.net);
		return 0;
	}
	place->dev = NULL;
	if (sk)
		place->net = BPF_CORE_READ(sk, __sk_common.skc_net.net);
	place->ifindex = BPF_CORE_READ(skb, skb_iif);
	if (place->net && place->ifindex)
		return 0;
	dst = (void *)(BPF_CORE_READ(skb, _skb_refdst) & SKB_DST_PTRMASK);
	routed = dst ? BPF_CORE_READ(dst, dev) : NULL;
	if (!routed || !is_device(routed))
		return 0;
	place->net = BPF_CORE_READ(routed, nd_net.net);
	if (!place->ifindex) {
		place->dev = routed;
		place->ifindex = BPF_CORE_READ(routed, ifindex);
	}
	return 0;
}

/* Whether a packet on its way out is in an Ethernet frame to all or a group. */
static __always_inline bool to_group(const bool direct, struct sk_buff *skb)
{
	__u16 l2 = READ(direct, skb, mac_header), l3 = READ(direct, skb, network_header);
	__u8 first = 0;

	if (l2 == HEADER_UNSET || l3 < l2 + ETH_HLEN || l3 > l2 + MAX_L2)
		return false;
	if (direct && bpf_rdonly_cast)
		first = *(__u8 *)bpf_rdonly_cast(READ(direct, skb, head) + l2,
						 bpf_core_type_id_kernel(struct iphdr));
	else
		bpf_probe_read_kernel(&first, sizeof(first), READ(direct, skb, head) + l2);
	return first & 1;
}

/*
 * Whether a packet went to all or a group, as the link layer has it. skb->pkt_type
 * (include/uapi/linux/if_packet.h) tells of what came in; what goes out is for others yet.
 */
static __always_inline enum packet_sort sort_of(const bool direct, struct sk_buff *skb)
{
	__u64 type = direct ? BPF_CORE_READ_BITFIELD(skb, pkt_type)
			    : BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);

	switch (type) {
	case PACKET_BROADCAST:
	case PACKET_MULTICAST:
	case PACKET_LOOPBACK:
		return SORT_GROUP;
	case PACKET_OTHERHOST:
		return SORT_OTHER;
	}
	return to_group(direct, skb) ? SORT_GROUP : SORT_OTHER;
}

static __always_inline unsigned char *network_header(const bool direct, struct sk_buff *skb)
{
	__u32 offset = READ(direct, skb, network_header);

	if (!offset)
		return READ(direct, skb, data);
	return READ(direct, skb, head) + offset;
}

/* IPv6 extension headers, by IANA's protocol numbers (include/uapi/linux/in6.h). */
enum extension {
	EXTENSION_HOP_BY_HOP = 0,
	EXTENSION_ROUTING = 43,
	EXTENSION_FRAGMENT = 44,
	EXTENSION_AH = 51,
	EXTENSION_DESTINATION = 60,
	EXTENSION_MOBILITY = 135,
};

static __always_inline bool is_extension(__u8 next)
{
	return next == EXTENSION_HOP_BY_HOP || next == EXTENSION_ROUTING ||
	       next == EXTENSION_FRAGMENT || next == EXTENSION_AH ||
	       next == EXTENSION_DESTINATION || next == EXTENSION_MOBILITY;
}

/* The protocol behind IPv6 extension headers (RFC 8200 section 4). */
static __noinline __u8 skip_extensions(const unsigned char *ip6, __u8 next)
{
	__u32 i, offset = IPV6_HEADER_LEN;
	__u8 head[2];

	for (i = 0; i < MAX_EXTENSIONS && is_extension(next); i++) {
		if (bpf_probe_read_kernel(head, sizeof(head), ip6 + offset))
			break;
		if (next == EXTENSION_FRAGMENT)
			offset += 8;
		else if (next == EXTENSION_AH)
			offset += (head[1] + 2) * 4;
		else
			offset += (head[1] + 1) * 8;
		next = head[0];
	}
	return next;
}

/* The protocols that are counted apart, see wire.h; below 64 as a mask. */
static __always_inline __u8 counted_protocol(__u8 l4)
{
	const __u64 low = 1ULL << 0 | 1ULL << 1 | 1ULL << 2 | 1ULL << 4 | 1ULL << 6 | 1ULL << 17 |
			  1ULL << 33 | 1ULL << 41 | 1ULL << 47 | 1ULL << 50 | 1ULL << 51 |
			  1ULL << 58;

	if (l4 < 64)
		return low >> l4 & 1 ? l4 : OTHER_PROTOCOL;
	/* clang-format off */
	switch (l4) {
	case 89: case 103: case 112: case 115: case 132: case 136: case 137:
	case 253: case 254: /* RFC 3692 */
		return l4;
	}
	/* clang-format on */
	return OTHER_PROTOCOL;
}

/*
 * The same of ethertypes. Below ETHERTYPE_MIN they are the kernel's own
 * (include/uapi/linux/if_ether.h).
 */
static __always_inline __u16 counted_ethertype(__u16 ethertype)
{
	/* clang-format off */
	switch (ethertype) {
	case ETH_P_IP: case ETH_P_IPV6: case ETH_P_8021Q: case ETH_P_8021AD:
	case 0x0806: case 0x0842: case 0x22f0: case 0x6558: case 0x8035: case 0x8808: case 0x8809:
	case 0x8847: case 0x8848: case 0x8863: case 0x8864: case 0x888e: case 0x8892: case 0x88a4:
	case 0x88b5: case 0x88b6: case 0x88cc: case 0x88e1: case 0x88e5: case 0x88f5: case 0x88f7:
	case 0x8902: case 0x8906: case 0x893a: case 0x9000:
		return ethertype;
	}
	/* clang-format on */
	return ethertype < ETHERTYPE_MIN ? ethertype : OTHER_ETHERTYPE;
}

static __always_inline bool is_tag(__u16 ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD;
}

/* What lies behind a packet's VLAN tags. */
struct inner {
	__u32 at; /* from the start of the head */
	__u16 ethertype;
};

/*
 * Finds what lies behind the tags that are in the packet. On the way in the network header
 * is where the first of them is; on the way out they were put in before it, into the link
 * layer's header (__vlan_insert_tag(), include/linux/if_vlan.h).
 */
static __noinline int find_inner(struct inner *in, struct sk_buff *skb, __u16 ethertype)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u32 mac = BPF_CORE_READ(skb, mac_header);
	__u16 tag[2] = {};
	int i;

	if (!in)
		return 0;
	in->at = network_header(false, skb) - head;
	in->ethertype = ethertype;
	if (!is_tag(ethertype))
		return 0;
	if (mac != HEADER_UNSET && in->at >= mac + ETH_HLEN + sizeof(tag) &&
	    in->at <= mac + MAX_L2 &&
	    !bpf_probe_read_kernel(tag, sizeof(*tag), head + mac + ETH_HLEN - sizeof(*tag)) &&
	    is_tag(bpf_ntohs(*tag)))
		in->at = mac + ETH_HLEN;
	for (i = 0; i < MAX_TAGS && is_tag(in->ethertype); i++) {
		if (bpf_probe_read_kernel(tag, sizeof(tag), head + in->at))
			return 0;
		in->at += sizeof(tag);
		in->ethertype = bpf_ntohs(tag[1]);
	}
	if (in->ethertype < ETHERTYPE_MIN)
		in->ethertype = 0x0004; /* ETH_P_802_2 */
	return 0;
}

/* The first byte of an IP header, and the one that names the next protocol. */
static __always_inline void read_ip(const bool direct, const unsigned char *header, bool v4,
				    __u8 *first, __u8 *next)
{
	__u8 start[10] = {};

	if (direct && bpf_rdonly_cast && v4) {
		struct iphdr *ip = bpf_rdonly_cast(header, bpf_core_type_id_kernel(struct iphdr));

		*first = *(__u8 *)ip;
		*next = ip->protocol;
	} else if (direct && bpf_rdonly_cast) {
		struct ipv6hdr *ip =
			bpf_rdonly_cast(header, bpf_core_type_id_kernel(struct ipv6hdr));

		*first = *(__u8 *)ip;
		*next = ip->nexthdr;
	} else {
		bpf_probe_read_kernel(start, sizeof(start), header);
		*first = start[0];
		*next = v4 ? start[9] : start[6];
	}
}

/* The IP protocol behind an IP header; 0 if that is none. */
static __always_inline __u8 transport_at(const bool direct, const unsigned char *header, bool v4)
{
	__u8 first, next;

	read_ip(direct, header, v4, &first, &next);
	if (first >> 4 != (v4 ? 4 : 6))
		return 0;
	return counted_protocol(!v4 && is_extension(next) ? skip_extensions(header, next) : next);
}

/*
 * What packets are counted by of their headers, as it lies in a key: the ethertype, and the
 * protocol above it.
 */
static __always_inline __u32 kind(__u16 ethertype, __u8 l4)
{
	return ethertype | (__u32)l4 << 16;
}

/* That of a packet with VLAN tags in it, or of no IP. */
static __noinline __u32 rare_kind_of(struct sk_buff *skb, __u16 ethertype)
{
	struct inner in;
	__u8 l4 = 0;

	find_inner(&in, skb, ethertype);
	if (in.ethertype == ETH_P_IP || in.ethertype == ETH_P_IPV6)
		l4 = transport_at(false, BPF_CORE_READ(skb, head) + in.at,
				  in.ethertype == ETH_P_IP);
	return kind(counted_ethertype(in.ethertype), l4);
}

static __always_inline __u32 kind_of(const bool direct, struct sk_buff *skb, __u16 ethertype)
{
	bool v4 = ethertype == ETH_P_IP;

	if (!v4 && ethertype != ETH_P_IPV6)
		return rare_kind_of(skb, ethertype);
	return kind(ethertype, transport_at(direct, network_header(direct, skb), v4));
}

/*
 * The segments of a packet whose sender did not count them, as a guest or a program at a
 * tun device (SKB_GSO_DODGY): what is behind the headers, by their size, as
 * qdisc_pkt_len_init() counts (net/core/dev.c, 5.10 to 6.18).
 */
static __noinline __u32 count_segments(struct sk_buff *skb, __u32 size)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u32 transport = BPF_CORE_READ(skb, transport_header), len = BPF_CORE_READ(skb, len);
	__u32 data = BPF_CORE_READ(skb, data) - head, headers = 0;
	struct skb_shared_info *info = (void *)head + BPF_CORE_READ(skb, end);
	__u8 offset = 0;

	if (transport != HEADER_UNSET) {
		headers = transport + 8; /* UDP */
		if (BPF_CORE_READ(info, gso_type) & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)) {
			bpf_probe_read_kernel(&offset, sizeof(offset), head + transport + 12);
			headers = transport + (offset >> 4) * 4;
		}
		headers = headers > data && headers - data < len ? headers - data : 0;
	}
	return (len - headers + size - 1) / size;
}

/*
 * How many segments a packet holds beyond one. A GSO packet becomes so many on the wire,
 * a GRO packet came as so many; TCP may join packets in its queues.
 */
static __always_inline __u32 more_segments(const bool direct, struct sk_buff *skb)
{
	struct skb_shared_info *info = (void *)READ(direct, skb, head) + READ(direct, skb, end);
	__u32 size, segments, both = 0;

	if (direct && bpf_rdonly_cast) {
		info = bpf_rdonly_cast(info, bpf_core_type_id_kernel(struct skb_shared_info));
		size = info->gso_size;
		segments = info->gso_segs;
	} else {
		bpf_core_read(&both, sizeof(both), &info->gso_size);
		size = both & 0xffff;
		segments = both >> 16;
	}
	if (!segments && size)
		segments = count_segments(skb, size);
	if (segments > 0xffff)
		segments = 0xffff;
	return segments ? segments - 1 : 0;
}

static __always_inline void copy_packet(struct record *rec, struct sk_buff *skb)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u32 network = network_header(false, skb) - head;
	__u32 mac = BPF_CORE_READ(skb, mac_header);
	__u32 tail = BPF_CORE_READ(skb, tail);
	__u32 start = network, len, l3;
	struct inner in;

	find_inner(&in, skb, bpf_ntohs(BPF_CORE_READ(skb, protocol)));
	rec->ethertype = in.ethertype;
	rec->l3 = 0;
	rec->packet_len = 0;
	if (mac != HEADER_UNSET && mac < network && network - mac <= MAX_L2) {
		start = mac;
		rec->flags |= RECORD_L2;
	}
	if (start >= tail)
		return;
	len = tail - start;
	if (len > packet_bytes)
		len = packet_bytes;
	if (bpf_probe_read_kernel(rec->packet, len, head + start))
		return;
	rec->packet_len = len;
	l3 = in.at - start;
	rec->l3 = l3 < len ? l3 : len;
}

static __always_inline void copy_vlan(struct record *rec, struct sk_buff *skb)
{
	struct sk_buff___vlan_present *old = (void *)skb;
	bool present;

	if (bpf_core_field_exists(old->vlan_present))
		present = BPF_CORE_READ_BITFIELD_PROBED(old, vlan_present);
	else
		present = BPF_CORE_READ(skb, vlan_proto);
	rec->vlan_tci = 0;
	if (present) {
		rec->vlan_tci = BPF_CORE_READ(skb, vlan_tci);
		rec->flags |= RECORD_VLAN;
	}
}

/* The device of an index, for packets whose device pointer is gone. */
static __always_inline struct net_device *device_by_index(struct net *net, __u32 ifindex)
{
	struct hlist_head *chain;
	struct hlist_node *node;
	struct net_device *dev;
	int i;

	chain = BPF_CORE_READ(net, dev_index_head) + (ifindex & (NETDEV_HASHENTRIES - 1));
	node = BPF_CORE_READ(chain, first);
	for (i = 0; i < MAX_CHAIN && node; i++) {
		dev = (void *)node - bpf_core_field_offset(struct net_device, index_hlist);
		if (BPF_CORE_READ(dev, ifindex) == ifindex)
			return dev;
		node = BPF_CORE_READ(node, next);
	}
	return NULL;
}

#endif
