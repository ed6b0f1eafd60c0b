// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func ExampleParsePacket() {
	datagram := []byte{
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
		0x0f, 0xa0, 0, 53, 0, 8, 0, 0, // UDP
	}
	p := event.ParsePacket(event.EthertypeIPv4, datagram)
	fmt.Println(event.ProtocolName(p.Protocol), p.Src, p.SrcPort, "to", p.Dst, p.DstPort)
	// Output: UDP 10.0.0.1 4000 to 10.0.0.2 53
}
