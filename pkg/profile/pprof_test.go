// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestPProf asks the tool that reads the profile.
func TestPProf(t *testing.T) {
	p, cut, err := PProf(sample(), PProfOptions{})
	if err != nil || cut != nil {
		t.Fatal(err, cut)
	}
	file := saved(t, p)
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"top":                    {[]string{"-top"}, []string{"1000 99.01%", "NETFILTER_DROP", "Type: drops", "Showing nodes accounting for 1010, 100% of 1010 total"}},
		"bytes":                  {[]string{"-top", "-sample_index=bytes"}, []string{"98.63kB, 100% of 98.63kB total"}},
		"tags":                   {[]string{"-tags"}, []string{"NETFILTER_DROP", "netfilter", "policy", "eth0", "swapper/1", `a;b`}},
		"tagfocus":               {[]string{"-top", "-tagfocus=reason=NO_SOCKET"}, []string{"accounting for 2, 0.2% of 1010 total", "udp_unicast_rcv_skb"}},
		"peek":                   {[]string{"-peek=nf_hook_slow"}, []string{"898", "nft_do_chain"}},
		"comments":               {[]string{"-comments"}, []string{"dropwatch 0.1.0, Linux 6.18.0 amd64 on node7", "1,010 drops counted"}},
		"nothing against itself": {[]string{"-top", "-diff_base=" + file}, []string{"accounting for 0, 0% of 1010 total"}},
	} {
		t.Run(name, func(t *testing.T) {
			out := pprofTool(t, append(test.args, file)...)
			for _, want := range test.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
	for i, f := range p.Function {
		if f.ID != uint64(i+1) {
			t.Errorf("function %d has id %d", i, f.ID)
		}
	}
	if m := p.Mapping[0]; m.File != "[kernel.kallsyms]" || m.Start != 0xffffffff81000000 || m.Limit != 0xffffffff82000000 || m.BuildID != "00ff" {
		t.Errorf("first mapping %+v", m)
	}
	var keys []string
	for key := range p.Sample[0].Label {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{"class", "comm", "device", "layer", "netns", "proto", "reason"}, keys); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

// saved writes a profile to a file.
func saved(t *testing.T, p *profile.Profile) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "drops.pb.gz")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// pprofTool returns what go tool pprof prints.
func pprofTool(t *testing.T, args ...string) string {
	t.Helper()
	args = append([]string{"tool", "pprof", "-nodefraction=0"}, args...)
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// profiled returns the profile of a source in a file.
func profiled(t *testing.T, src event.Source, o PProfOptions) (*profile.Profile, string) {
	t.Helper()
	p, _, err := PProf(src, o)
	if err != nil {
		t.Fatal(err)
	}
	return p, saved(t, p)
}

func TestPProfDiffBase(t *testing.T) {
	_, before := profiled(t, counted("before", time.Second, 1000, 2, 8).Source, PProfOptions{})
	_, after := profiled(t, counted("after", time.Second, 100, 50, 8).Source, PProfOptions{})
	out := pprofTool(t, "-top", "-diff_base="+before, after)
	// Of the base's 1010, -900 and +48; what did not change is not shown.
	for _, want := range []string{"-852, 84.36% of 1010 total", "-900 89.11%", "48  4.75%"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestPProfWithoutReasonFrame(t *testing.T) {
	_, file := profiled(t, sample(), PProfOptions{NoReason: true})
	if out := pprofTool(t, "-top", file); strings.Contains(out, "NETFILTER_DROP") || !strings.Contains(out, "100% of 1010 total") {
		t.Errorf("reasons are frames, or something else is missing:\n%s", out)
	}
	if out := pprofTool(t, "-tags", file); !strings.Contains(out, "NETFILTER_DROP") {
		t.Errorf("reasons are no tags:\n%s", out)
	}
}

func TestPProfRelativeAddresses(t *testing.T) {
	p, file := profiled(t, sample(), PProfOptions{RelativeAddresses: true})
	if m := p.Mapping[0]; m.Start != 0 || m.Limit != 0x1000000 {
		t.Errorf("first mapping is %#x to %#x", m.Start, m.Limit)
	}
	for _, l := range p.Location {
		if l.Mapping == nil {
			continue
		}
		if name := l.Line[0].Function.Name; l.Address >= 0x1000000 || name == "nft_do_chain" && l.Address != 0x10 {
			t.Errorf("%s is at %#x", name, l.Address)
		}
	}
	if out := pprofTool(t, "-top", file); !strings.Contains(out, "100% of 1010 total") {
		t.Errorf("the tool reads it otherwise:\n%s", out)
	}
}

// TestPProfInBrowser has the tool serve its pages and reads some.
func TestPProfInBrowser(t *testing.T) {
	_, file := profiled(t, sample(), PProfOptions{})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, "go", "tool", "pprof", "-http="+address, "-no_browser", file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go runs the tool as a child
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		cmd.Wait()
	}()
	for lines := bufio.NewScanner(stderr); lines.Scan() && !strings.Contains(lines.Text(), "http://"); {
	}
	// It says so before it listens.
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
	}
	for page, want := range map[string]string{
		"/top": "nft_do_chain", "/flamegraph": "NETFILTER_DROP", "/peek?f=nf_hook_slow": "__x64_sys_sendto",
	} {
		answer, err := http.Get("http://" + address + page)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %v, no %q", page, answer.Status, err, want)
		}
	}
}

// TestPProfOfMany: a profile keeps so many samples with tasks, and counts the others.
func TestPProfOfMany(t *testing.T) {
	src := sample()
	drop := *src.events[firstDrop(src)].(*event.Drop)
	src.events = nil
	const more = 10
	for i := range maxTagged + more {
		d := drop
		d.Task.TGID, d.Drops = uint32(i), 1
		src.events = append(src.events, &d)
	}
	src.err = &event.CutError{}
	p, _, err := PProf(src, PProfOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var drops, untagged int64
	for _, s := range p.Sample {
		if drops += s.Value[0]; s.NumLabel["pid"] == nil {
			untagged += s.Value[0]
		}
	}
	if drops != maxTagged+more || untagged != more || len(p.Sample) != maxTagged+1 {
		t.Errorf("%d samples of %d drops, %d of them without a pid", len(p.Sample), drops, untagged)
	}
	if !slices.Contains(p.Comments, "10 samples without comm, pid and cpu, as there are too many of them") {
		t.Errorf("comments %q", p.Comments)
	}
}

func firstDrop(src *script) int {
	return slices.IndexFunc(src.events, func(e event.Event) bool { _, ok := e.(*event.Drop); return ok })
}
