// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"fmt"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// Picture returns the stacks of a source as a flame graph, coloured by network
// layer, with the recording and its losses told below the title.
//
// A recording that was cut short is no error; with any other error comes the
// picture of what was read before it, or nil.
func Picture(src event.Source) (*flamegraph.Graph, flamegraph.Options, *event.CutError, error) {
	stacks, readErr := Fold(src)
	graph, err := flamegraph.New(func(yield func(flamegraph.Sample) bool) {
		for _, key := range stacks.Keys {
			if !yield(flamegraph.Sample{Stack: strings.Split(key, ";"), Value: stacks.Of[key].Drops}) {
				return
			}
		}
	})
	if err != nil {
		return nil, flamegraph.Options{}, stacks.Cut, err
	}
	meta := src.Meta()
	options := LayerColours()
	options.Title = "Packet drops on " + meta.Host
	options.Unit = "drops"
	options.Subtitle = fmt.Sprintf("%s, %s, Linux %s. %s.",
		meta.Start.Format(time.DateTime), stacks.Duration.Round(time.Millisecond), meta.Kernel,
		Accounting(stacks.Total.Drops, stacks.Sampled, stacks.Loss))
	if !stacks.Total.Exact {
		options.Notes = append(options.Notes, "Widths are estimated from samples; totals are exact.")
	}
	if stacks.Cut != nil {
		options.Notes = append(options.Notes, stacks.Cut.Error())
	}
	options.Notes = append(options.Notes, meta.Notes...)
	return graph, options, stacks.Cut, readErr
}

// LayerColours returns options that colour functions and reasons by network layer.
func LayerColours() flamegraph.Options {
	return flamegraph.Options{
		Categories: []flamegraph.Category{
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
		},
		CategoryOf: layerCategory,
	}
}

func layerCategory(frame string) string {
	layer := dropreason.Lookup(frame).Layer
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
