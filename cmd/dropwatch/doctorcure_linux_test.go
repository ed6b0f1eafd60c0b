// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/finding"
)

// A cure is a loss that doctor finds, and that ends or falls when its commands are run.
type cure struct {
	id   string
	name string
	set  func(t *testing.T) (*lab.Net, ailment)
}

// ailment is something wrong in a network.
type ailment struct {
	// lose sends packets and returns how many were lost, by what did not arrive or, where
	// that cannot be told, by a counter of the kernel. It is called many times.
	lose func() int
	// heed does what the comments among the commands ask of a program, nil where there are
	// none: with the fix in place, and, where the fix is undone, once more.
	heed func()
	want []string // texts that the finding's explanation or evidence have
	// node says that the finding is of no namespace.
	node bool
	// looks says that the commands only look: they have to succeed, and end no loss.
	looks bool
	// later says that the kernel does what the commands ask for after they have ended.
	later  bool
	beside []string // ids of other findings in the network, of causes of their own
}

// The main thread stays where it is: a process is in the namespace that its main thread is
// in, and doctor would reach the network's namespaces by this process.
func init() {
	if os.Getenv(asDropwatch) == "" {
		runtime.LockOSThread()
	}
}

func cures() []cure {
	return slices.Concat(socketCures(), tableCures(), pathCures())
}

// TestCures: doctor finds each loss once, its commands, run as they are, end it or lower
// it, and what undoes them brings it back.
func TestCures(t *testing.T) {
	labtest.NeedRoot(t)
	for _, c := range cures() {
		t.Run(c.id+"/"+c.name, func(t *testing.T) {
			network, a := c.set(t)
			a.cure(t, a.diagnose(t, c.id, network))
		})
	}
}

// diagnose has doctor find the loss, and nothing else in the network.
func (a ailment) diagnose(t *testing.T, id string, network *lab.Net) diagnosis {
	t.Helper()
	if a.lose() == 0 {
		t.Fatal("nothing was lost before doctor came")
	}
	var found []diagnosis
	for _, f := range doctorWhile(t, func() { a.lose() }) {
		in := isIn(f.Netns, network)
		switch {
		case f.ID == id && in == !a.node:
			found = append(found, f)
		case in && !slices.Contains(a.beside, f.ID):
			t.Errorf("found %s as well: %s", f.ID, f.Explain)
		}
	}
	if len(found) != 1 {
		t.Fatalf("found %+v, want one %s", found, id)
	}
	t.Logf("%s: %s\n%v", found[0].Severity, found[0].Explain, found[0].Evidence)
	evidence, err := json.Marshal(found[0].Evidence)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range a.want {
		if !strings.Contains(found[0].Explain+" "+string(evidence), text) {
			t.Errorf("%q is not in %s %s", text, found[0].Explain, evidence)
		}
	}
	return found[0]
}

// cure runs the commands, and then those that undo them.
func (a ailment) cure(t *testing.T, f diagnosis) {
	t.Helper()
	if len(f.Fix) == 0 {
		t.Fatal("no fix is given")
	}
	before := a.lose()
	undone := false
	t.Cleanup(func() {
		if !undone {
			shell(t, f.Undo)
		}
	})
	comments := shell(t, f.Fix)
	if comments != (a.heed != nil) {
		t.Fatalf("comments are %t among %q, a program can heed them: %t", comments, f.Fix, a.heed != nil)
	}
	if comments {
		a.heed()
	}
	if a.looks {
		return
	}
	after := a.lose()
	for end := time.Now().Add(time.Minute); a.later && after > before/2 && time.Now().Before(end); after = a.lose() {
		time.Sleep(10 * time.Millisecond)
	}
	if after > before/2 {
		t.Errorf("%d were lost after %q, %d before", after, f.Fix, before)
	}
	undone = true
	commands := slices.DeleteFunc(slices.Clone(f.Undo), isComment)
	if len(commands) == 0 {
		t.Logf("lost %d before, %d after %q", before, after, f.Fix)
		return
	}
	shell(t, f.Undo)
	if comments {
		a.heed()
	}
	again := a.lose()
	if again <= after {
		t.Errorf("%d were lost after %q, %d with the fix", again, f.Undo, after)
	}
	t.Logf("lost %d before, %d after %q, %d after %q", before, after, f.Fix, again, f.Undo)
}

// TestDoctorFindsNone: traffic that arrives gives no finding where it passes.
func TestDoctorFindsNone(t *testing.T) {
	labtest.NeedRoot(t)
	network := newNetwork(t)
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(network.Rx.Addr4, port) }
	reader := socket(t, network.Rx, unix.SOCK_DGRAM, at(curePort))
	listener := socket(t, network.Rx, unix.SOCK_STREAM, at(curePort))
	t.Cleanup(func() { unix.Close(reader); unix.Close(listener) })
	if err := unix.Listen(listener, 100); err != nil {
		t.Fatal(err)
	}
	datagrams, connections := burst(t, network.Tx, at(curePort), &reader, 50), queue(t, network.Tx, at(curePort), &listener, 50)
	stray := append(slices.Concat(network.Rx.MAC, network.Tx.MAC), 0x88, 0xcc) // LLDP, which nobody handles
	var wire int
	if err := network.Tx.Do(func() (err error) {
		wire, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(wire) })
	for _, f := range doctorWhile(t, func() {
		for range 100 {
			if err := unix.Sendto(wire, append(stray, make([]byte, 60)...), 0, &unix.SockaddrLinklayer{Ifindex: network.Tx.Ifindex, Halen: 6}); err != nil {
				t.Error(err)
			}
		}
		if lost := datagrams() + connections(); lost > 0 {
			t.Errorf("%d were lost", lost)
		}
	}) {
		if isIn(f.Netns, network) {
			t.Errorf("found %s: %s %v", f.ID, f.Explain, f.Evidence)
		}
	}
}

// diagnosis is what the tests read of a finding.
type diagnosis struct {
	ID, Severity, Netns, Device, Explain string
	Evidence                             map[string]any
	Fix, Undo                            []string
}

// doctorWhile runs doctor for two seconds while something goes on.
func doctorWhile(t *testing.T, something func()) []diagnosis {
	t.Helper()
	cmd, stderr := dropwatch(t, "doctor", "-f", "json", "-d", "2s")
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v: %s", err, stderr)
			}
			var d struct {
				Findings []diagnosis
				Notes    []string
			}
			if err := json.Unmarshal([]byte(out.String()), &d); err != nil {
				t.Fatal(err)
			}
			for _, note := range d.Notes {
				t.Logf("doctor notes: %s", note)
			}
			return d.Findings
		default:
			something()
		}
	}
}

// isIn tells whether a finding is of a namespace of a network, by its number: it has no
// name.
func isIn(netns string, network *lab.Net) bool {
	return slices.Contains([]string{strconv.Itoa(int(network.Tx.Netns)), strconv.Itoa(int(network.Rx.Netns))}, netns)
}

func isComment(command string) bool { return strings.HasPrefix(command, "#") }

// shell runs commands as they are, and tells whether there were comments among them. A
// command of dropwatch is one of this program.
func shell(t *testing.T, commands []string) (comments bool) {
	t.Helper()
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "dropwatch")); err != nil {
		t.Fatal(err)
	}
	for _, command := range commands {
		comments = comments || isComment(command)
		cmd := exec.Command("sh", "-c", command)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), asDropwatch+"=1")
		cmd.Dir = bin
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", command, err, output)
		}
	}
	return comments
}

// uncuredHeading is that of a table in docs/findings.md: the findings whose commands
// TestCures does not run, and why.
const uncuredHeading = "## Which commands are run by tests"

// TestEveryCommandIsRun: each finding is among the cures or in that table, and not in both.
func TestEveryCommandIsRun(t *testing.T) {
	doc, err := os.ReadFile("../../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), uncuredHeading)
	var uncured []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) == 4 && strings.HasPrefix(cells[1], " `") {
			for id := range strings.SplitSeq(cells[1], ",") {
				uncured = append(uncured, strings.Trim(id, " `"))
			}
		}
	}
	cured := map[string]bool{}
	for _, c := range cures() {
		cured[c.id] = true
	}
	for _, id := range finding.IDs() {
		if cured[id] == slices.Contains(uncured, id) {
			t.Errorf("%s: its commands are run: %t; docs/findings.md says why they are not: %t", id, cured[id], slices.Contains(uncured, id))
		}
	}
	for _, id := range uncured {
		if !slices.Contains(finding.IDs(), id) {
			t.Errorf("there is no finding %s", id)
		}
	}
}

func closeAfter(t *testing.T, what interface{ Close() error }) {
	t.Cleanup(func() {
		if err := what.Close(); err != nil {
			t.Error(err)
		}
	})
}

// newNetwork makes two namespaces that doctor finds.
func newNetwork(t *testing.T) *lab.Net {
	t.Helper()
	network, err := lab.NewNet()
	labtest.Need(t, err)
	closeAfter(t, network)
	inhabit(t, network.Tx, network.Rx)
	return network
}

// newScene prepares a scenario of the lab in namespaces that doctor finds.
func newScene(t *testing.T, name string) *lab.Scene {
	t.Helper()
	all := lab.Scenarios()
	i := slices.IndexFunc(all, func(s lab.Scenario) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no scenario %s", name)
	}
	scene, err := all[i].Prepare()
	labtest.Need(t, err)
	closeAfter(t, scene)
	inhabit(t, scene.Net().Tx, scene.Net().Rx)
	return scene
}

// sends is a scenario's traffic: what a counter of the kernel says was lost of it. A
// scenario that loses nothing any more ends with an error.
func sends(t *testing.T, scene *lab.Scene, count func() int) func() int {
	return func() int {
		before := count()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		const packets = 50
		_, err := scene.Send(ctx, packets)
		lost := count() - before
		if err != nil && lost >= packets {
			t.Error(err)
		}
		return lost
	}
}

// since returns what a counter moved by while something went on.
func since(count func() int, something func()) int {
	before := count()
	something()
	return count() - before
}

// counter reads one of /proc/net/snmp or netstat, as TcpExt: and ListenDrops.
func counter(t *testing.T, h *lab.Host, group string, names ...string) func() int {
	return func() (sum int) {
		for _, file := range []string{"snmp", "netstat", "snmp6"} {
			lines := strings.Split(inside(t, h, "/proc/thread-self/net/"+file), "\n")
			for i := 0; i+1 < len(lines); i++ {
				keys, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
				if len(keys) == 2 && slices.Contains(names, strings.TrimPrefix(keys[0], group)) && keys[0] != strings.TrimPrefix(keys[0], group) {
					sum += number(t, keys[1])
				}
				if len(keys) < 2 || len(keys) != len(values) || keys[0] != group+":" || values[0] != keys[0] {
					continue
				}
				for j, key := range keys {
					if slices.Contains(names, key) {
						sum += number(t, values[j])
					}
				}
			}
		}
		return sum
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// inside reads a file as a thread of a host sees it.
func inside(t *testing.T, h *lab.Host, file string) (text string) {
	t.Helper()
	if err := h.Do(func() error {
		content, err := os.ReadFile(file)
		text = string(content)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return text
}

// statColumns adds up columns of a file of hexadecimal numbers below /proc/net/stat, which
// a host reads, or, if that is nil, this process.
func statColumns(t *testing.T, h *lab.Host, file string, names ...string) func() int {
	return func() (sum int) {
		text := ""
		if h != nil {
			text = inside(t, h, "/proc/thread-self/net/stat/"+file)
		} else {
			content, err := os.ReadFile("/proc/net/stat/" + file)
			if err != nil {
				t.Fatal(err)
			}
			text = string(content)
		}
		lines := strings.Split(strings.TrimSpace(text), "\n")
		heads := strings.Fields(lines[0])
		for _, line := range lines[1:] {
			for i, word := range strings.Fields(line) {
				if slices.Contains(names, heads[i]) {
					n, err := strconv.ParseUint(word, 16, 32)
					if err != nil {
						t.Fatal(err)
					}
					sum += int(n)
				}
			}
		}
		return sum
	}
}

// softnet adds up a column of /proc/net/softnet_stat: 1 is dropped, 2 time_squeeze.
func softnet(t *testing.T, column int) func() int {
	return func() (sum int) {
		content, err := os.ReadFile("/proc/net/softnet_stat")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			n, err := strconv.ParseUint(strings.Fields(line)[column], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			sum += int(n)
		}
		return sum
	}
}

// runIn runs a program in the namespace of a host.
func runIn(t *testing.T, h *lab.Host, words ...string) string {
	t.Helper()
	var output []byte
	if err := h.Do(func() (err error) {
		output, err = exec.Command(words[0], words[1:]...).CombinedOutput()
		return err
	}); err != nil {
		t.Fatalf("%q: %v: %s", words, err, output)
	}
	return string(output)
}

// global changes a setting of the machine until the test ends.
func global(t *testing.T, name, value string) {
	t.Helper()
	path := filepath.Join("/proc/sys/net", name)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(path, old, 0); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

// inhabit keeps a process in namespaces, by which they are found.
func inhabit(t *testing.T, hosts ...*lab.Host) {
	t.Helper()
	for _, h := range hosts {
		resident := exec.Command("cat")
		input, err := resident.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Do(resident.Start); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			input.Close()
			_ = resident.Wait() // its input ended
		})
	}
}
