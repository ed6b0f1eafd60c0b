// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"fmt"
	"strings"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

// Colors are the ways to color a picture.
var Colors = []string{"layer", "class", "name"}

// Color sets how a picture is colored: by network layer with benign reasons paler,
// by the reason's class, or each name by its own shade.
func Color(o *flamegraph.Options, by string) error {
	switch by {
	case "layer":
		o.Categories, o.CategoryOf, o.Muted = layerCategories, layerCategory, benign
	case "class":
		o.Categories, o.CategoryOf = classCategories, classCategory
	case "name":
	default:
		return fmt.Errorf("no colors %q: choose from %s", by, strings.Join(Colors, ", "))
	}
	return nil
}

// EndsInReasons reports whether any stack ends in a reason of a known kernel, as
// those of drops do.
func EndsInReasons(samples []flamegraph.Sample) bool {
	for _, s := range samples {
		if n := len(s.Stack); n > 0 && reasonInfo(s.Stack[n-1], "").Meaning != "" {
			return true
		}
	}
	return false
}

var layerCategories = []flamegraph.Category{
	{Name: "driver", Color: flamegraph.Brown},
	{Name: "device", Color: flamegraph.Teal},
	{Name: "BPF", Color: flamegraph.Pink},
	{Name: "qdisc, tc", Color: flamegraph.Orange},
	{Name: "bridge, tunnel", Color: flamegraph.Olive},
	{Name: "netfilter", Color: flamegraph.Red},
	{Name: "IP", Color: flamegraph.Blue},
	{Name: "neighbour", Color: flamegraph.Sky},
	{Name: "TCP", Color: flamegraph.Green},
	{Name: "UDP", Color: flamegraph.Yellow},
	{Name: "socket", Color: flamegraph.Purple},
}

func layerCategory(frame, parent string) string {
	layer := reasonInfo(frame, parent).Layer
	if layer == dropreason.LayerUnknown {
		layer = dropreason.LayerOf(frame)
	}
	switch layer {
	case dropreason.LayerDriver, dropreason.LayerWireless, dropreason.LayerCAN:
		return "driver"
	case dropreason.LayerDevice:
		return "device"
	case dropreason.LayerBPF:
		return "BPF"
	case dropreason.LayerQdisc, dropreason.LayerTC:
		return "qdisc, tc"
	case dropreason.LayerBridge, dropreason.LayerTunnel:
		return "bridge, tunnel"
	case dropreason.LayerNetfilter:
		return "netfilter"
	case dropreason.LayerIP:
		return "IP"
	case dropreason.LayerNeighbour:
		return "neighbour"
	case dropreason.LayerTCP:
		return "TCP"
	case dropreason.LayerUDP:
		return "UDP"
	case dropreason.LayerSocket:
		return "socket"
	}
	return "other"
}

func benign(frame, parent string) bool {
	return reasonInfo(frame, parent).Class == dropreason.ClassBenign
}

var classCategories = []flamegraph.Category{
	{Name: string(dropreason.ClassLoss), Color: flamegraph.Red},
	{Name: string(dropreason.ClassPolicy), Color: flamegraph.Yellow},
	{Name: string(dropreason.ClassPeerError), Color: flamegraph.Sky},
	{Name: string(dropreason.ClassBenign), Color: flamegraph.Green},
}

func classCategory(frame, parent string) string { return string(reasonInfo(frame, parent).Class) }

// reasonInfo returns what is known of a frame that may be a reason, inferred or not. What
// it was called from is then where the packets were freed.
func reasonInfo(frame, parent string) dropreason.Info {
	reason, holds := parseReasonFrame(frame, parent)
	if !holds {
		parent = ""
	}
	return dropreason.At(reason.Name, parent)
}
