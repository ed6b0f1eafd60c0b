// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// steering reads which CPUs process a device's packets.
func (r Root) steering(device string, link *Link) {
	dir := path.Join("sys/class/net", device)
	link.Speed = max(0, r.number(dir+"/speed")) // -1 if unknown to the driver
	link.Threaded = r.number(dir + "/threaded")
	for i := 0; ; i++ {
		queue := fmt.Sprintf("%s/queues/rx-%d/", dir, i)
		mask, ok := r.read(queue + "rps_cpus")
		if !ok {
			break
		}
		flows, _ := r.read(queue + "rps_flow_cnt")
		n, _ := strconv.Atoi(strings.TrimSpace(flows)) // 0 where RFS is not built in
		link.RxQueues = append(link.RxQueues, RxQueue{CPUs: parseMask(mask), Flows: n})
	}
	for _, number := range r.msiIRQs(dir) {
		list, ok := r.read(fmt.Sprintf("/proc/irq/%d/smp_affinity_list", number))
		if ok {
			link.IRQs = append(link.IRQs, IRQ{Number: number, CPUs: parseList(list)})
		}
	}
}

// msiIRQs returns the interrupts of the device that an interface belongs to, ascending. Those
// of a virtio device are in its parent, the PCI device, hence the second step.
func (r Root) msiIRQs(dir string) []int {
	target, err := fs.ReadLink(r.FS, dir)
	if err != nil {
		return nil
	}
	device := path.Dir(path.Dir(path.Join(path.Dir(dir), target))) // without net/NAME
	for range 2 {
		entries, err := fs.ReadDir(r.FS, device+"/msi_irqs")
		if err != nil {
			device = path.Dir(device)
			continue
		}
		var all []int
		for _, entry := range entries {
			if n, err := strconv.Atoi(entry.Name()); err == nil {
				all = append(all, n)
			}
		}
		slices.Sort(all)
		return all
	}
	return nil
}

// cpus returns the online CPUs.
func (r Root) cpus() []int {
	text, _ := r.read("/sys/devices/system/cpu/online")
	return parseList(text)
}
