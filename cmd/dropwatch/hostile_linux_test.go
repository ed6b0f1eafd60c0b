// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// Names as the kernel takes them, and as every output has to show them.
var hostileComms = map[string]string{
	"<script>x</b>":   "<script>x</b>",
	"a;b c 12":        "a;b c 12",
	"\x1b[31mred\x07": `\x1b[31mred\x07`,
	`\x1b[31mfake`:    `\\x1b[31mfake`,
	"bad\xff\xfeutf":  `bad\xff\xfeutf`,
	"'\"&]]>%s":       `'"&]]>%s`,
}

const hostileDevice = `e;"<&'>\0]]`

// TestHostileNames records drops by processes and on a device with such names.
func TestHostileNames(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q")
	begin(t, cmd, recording.DefaultName)
	to := closedPort(t)
	for comm := range hostileComms {
		sendAs(t, comm, to.Port)
	}
	if err := dropOnDevice(hostileDevice); err != nil {
		t.Error(err)
	}
	if err := errors.Join(cmd.Process.Signal(unix.SIGINT), cmd.Wait()); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	show := func(args ...string) []byte {
		c, stderr := dropwatch(t, append(args, filepath.Join(cmd.Dir, recording.DefaultName))...)
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, stderr)
		}
		return out
	}
	device := strings.ReplaceAll(hostileDevice, `\`, `\\`)

	text := append(show("report", "--by", "comm,device,context", "-n", "0"), show("events", "-v")...)
	harmless(t, "text", text)
	folded := show("fold")
	harmless(t, "folded", folded)
	harmless(t, "json", append(show("report", "--by", "comm,device", "-n", "0", "-f", "json"), show("events", "-f", "json")...))
	events := eventNames(t, show("events", "-f", "json"))
	picture := show("flamegraph")
	harmless(t, "svg", picture)
	if !strings.Contains(textOf(t, picture), "NO_SOCKET") {
		t.Error("the picture lacks the reason")
	}
	for _, want := range hostileComms {
		if !bytes.Contains(text, []byte(want)) || !events[want] {
			t.Errorf("text or JSON lacks the comm %q", want)
		}
	}
	if !bytes.Contains(text, []byte(device)) || !events[device] {
		t.Errorf("text or JSON lacks the device %q", device)
	}
	for line := range strings.Lines(string(folded)) {
		end := strings.LastIndexByte(line, ' ')
		n, err := strconv.ParseUint(strings.TrimSpace(line[end+1:]), 10, 64)
		if err != nil || n == 0 || strings.Count(line[:end], ";") < 2 {
			t.Errorf("folded line %q", line)
		}
	}
}

// sendAs sends three datagrams from a process of that name.
func sendAs(t *testing.T, comm string, port int) {
	t.Helper()
	shell, err := os.ReadFile("/bin/bash")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), strings.ReplaceAll(comm, "/", "|"))
	if err := os.WriteFile(program, shell, 0o700); err != nil {
		t.Fatal(err)
	}
	// The name may hold a slash, which a file name may not: the process sets it.
	script := fmt.Sprintf(`printf %%s "$0" >/proc/self/comm; printf %%s "$0" >/proc/$$/comm
for i in 1 2 3; do echo >/dev/udp/127.0.0.1/%d; done; true`, port)
	if out, err := exec.Command(program, "-c", script, comm).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// dropOnDevice makes a device of that name in a namespace, and has three frames of
// an unknown ethertype arrive on it.
func dropOnDevice(name string) (err error) {
	n, err := lab.NewNet()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	return n.Rx.Do(func() error {
		pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "sender"}, PeerName: name}
		if err := netlink.LinkAdd(pair); err != nil {
			return fmt.Errorf("add device: %w", err)
		}
		for _, end := range []string{"sender", name} {
			link, err := netlink.LinkByName(end)
			if err != nil {
				return err
			}
			if err := netlink.LinkSetUp(link); err != nil {
				return err
			}
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		sender, err := net.InterfaceByName("sender")
		if err != nil {
			return err
		}
		frame := make([]byte, 60)
		copy(frame, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5")
		// The first may come before the link is ready.
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: sender.Index, Halen: 6}); err != nil {
				return err
			}
			link, err := netlink.LinkByName(name)
			if err != nil {
				return err
			}
			if s := link.Attrs().Statistics; s != nil && s.RxDropped > 0 {
				return nil
			}
		}
		return fmt.Errorf("%s drops nothing", name)
	})
}

// harmless checks that an output holds nothing a terminal acts upon.
func harmless(t *testing.T, what string, out []byte) {
	t.Helper()
	for _, r := range string(out) {
		if r != '\n' && r != '\t' && (!unicode.IsPrint(r) || r == unicode.ReplacementChar) && r != '\u00a0' {
			t.Errorf("%s holds %q", what, r)
			return
		}
	}
}

func eventNames(t *testing.T, lines []byte) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	dec := json.NewDecoder(bytes.NewReader(lines))
	for {
		var e struct{ Comm, Device string }
		err := dec.Decode(&e)
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names[e.Comm], names[e.Device] = true, true
	}
}

// textOf returns the character data of an XML document, which must be well-formed.
func textOf(t *testing.T, document []byte) string {
	t.Helper()
	var b strings.Builder
	dec := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			b.Write(text)
		}
	}
}
