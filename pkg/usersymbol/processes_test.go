// SPDX-License-Identifier: Apache-2.0

//go:build linux

package usersymbol

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

const cSource = `
#include <stdio.h>
static __attribute__((noinline)) int inner(int n) { return n * 3 + getchar(); }
__attribute__((noinline)) int outer(int n) { return inner(n) + inner(n + 1); }
int main(void) {
	printf("inner %p\nouter %p\n\n", (void *)inner, (void *)outer);
	fflush(stdout);
	return outer(1);
}
`

func TestC(t *testing.T) {
	tests := []struct {
		name         string
		flags        []string
		inner, outer string
	}{
		{"PIE", []string{"-pie", "-fPIE"}, "inner+0x0 program", "outer+0x0 program"},
		{"not PIE", []string{"-no-pie", "-fno-pie"}, "inner+0x0 program", "outer+0x0 program"},
		{"static", []string{"-static"}, "inner+0x0 program", "outer+0x0 program"},
		{"static PIE", []string{"-static-pie"}, "inner+0x0 program", "outer+0x0 program"},
		{"stripped", []string{"-pie", "-fPIE", "-s"}, "", ""},
		{"stripped, exporting", []string{"-pie", "-fPIE", "-s", "-rdynamic"}, "", "outer+0x0 program"},
		{"stripped, not PIE", []string{"-no-pie", "-fno-pie", "-s", "-rdynamic"}, "", "outer+0x0 program"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, exec.Command(compile(t, cSource, "gcc.c", test.flags...)))
			u := newUsers()
			for name, want := range map[string]string{"inner": test.inner, "outer": test.outer} {
				if want == "" {
					want = fmt.Sprintf("0x%x program", p.at[name])
				}
				if got := resolve(u, p.pid, p.at[name]); got != want {
					t.Errorf("%s: %s, want %s", name, got, want)
				}
			}
		})
	}
}

// TestReturnAddress: all but the first address are looked up by the byte before.
func TestReturnAddress(t *testing.T) {
	p := start(t, exec.Command(compile(t, cSource, "gcc.c")))
	first := p.at["outer"]
	got := newUsers().Resolve(p.pid, []uint64{first, first + 1, first, 0, 1})
	names := make([]string, len(got))
	for i, f := range got {
		names[i] = f.Name
	}
	if want := "outer outer inner  "; strings.Join(names, " ") != want {
		t.Errorf("%q, want %q", names, want)
	}
	if got[2].Offset != first-p.at["inner"] || got[2].Addr != first {
		t.Errorf("%+v", got[2])
	}
}

func TestCPlusPlus(t *testing.T) {
	const source = `
#include <cstdio>
#include <string>
namespace shop {
template <class T> struct Till {
	__attribute__((noinline)) static int add(T a, std::string b) { return a + b.size() + getchar(); }
};
}
int main() {
	printf("add %p\n\n", (void *)&shop::Till<int>::add);
	fflush(stdout);
	return shop::Till<int>::add(1, "x");
}
`
	p := start(t, exec.Command(compile(t, source, "g++.cc")))
	if got, want := resolve(newUsers(), p.pid, p.at["add"]), "shop::Till<int>::add+0x0 program"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestGo(t *testing.T) {
	const source = `
package main
import ("bufio"; "fmt"; "os"; "reflect")
%s
type account struct{ n int }
//go:noinline
func (a *account) settle(b *bufio.Reader) { b.ReadString('\n'); a.n++ }
func main() {
	fmt.Printf("settle %%#x\n\n", reflect.ValueOf((*account).settle).Pointer())
	(&account{}).settle(bufio.NewReader(os.Stdin))
}
`
	const cgo = `
/*
int seven(void) { return 7; }
*/
import "C"
var seven = C.seven()
`
	const stripped = "-ldflags=-s -w"
	tests := []struct {
		name, imports string
		flags         []string
	}{
		{"symbols", "", []string{"-buildmode=exe"}},
		{"PIE", "", []string{"-buildmode=pie"}},
		{"stripped", "", []string{"-buildmode=exe", stripped}},
		{"stripped PIE", "", []string{"-buildmode=pie", stripped}},
		{"cgo", cgo, []string{"-buildmode=exe"}},
		{"stripped cgo", cgo, []string{"-buildmode=exe", stripped}},
		{"stripped cgo PIE", cgo, []string{"-buildmode=pie", stripped}},
		{"stripped cgo static", cgo, []string{"-buildmode=exe", `-ldflags=-s -w -linkmode external -extldflags "-static"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.imports != "" {
				compiler(t, "gcc")
			}
			p := start(t, exec.Command(compile(t, fmt.Sprintf(source, test.imports), "go.go", test.flags...)))
			if got, want := resolve(newUsers(), p.pid, p.at["settle"]), "main.(*account).settle+0x0 program"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

//go:noinline
func deep(n int, pcs []uintptr) int {
	if n == 0 {
		return runtime.Callers(1, pcs)
	}
	return deep(n-1, pcs)
}

// stack returns the return addresses of this process, from the given depth of calls.
func stack(depth int) []uint64 {
	pcs := make([]uintptr, depth)
	addrs := make([]uint64, deep(depth-1, pcs))
	for i := range addrs {
		addrs[i] = uint64(pcs[i])
	}
	return addrs
}

// TestThisProgram names the stack of the test itself, a Go program.
func TestThisProgram(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	frames := newUsers().Resolve(uint32(os.Getpid()), append([]uint64{0}, stack(20)...))
	if len(frames) != 21 {
		t.Fatalf("%d frames", len(frames))
	}
	for _, f := range frames[1:] {
		of := runtime.FuncForPC(uintptr(f.Addr - 1))
		want := symbolize.Symbol{Name: of.Name(), Offset: f.Addr - uint64(of.Entry()), Module: filepath.Base(path)}
		if f.Symbol != want {
			t.Errorf("%+v, want %+v", f, want)
		}
	}
}

// TestSleep names where a process waits, as the kernel sees it, and every function
// of its C library.
func TestSleep(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	pid := uint32(cmd.Process.Pid)
	u := newUsers()
	const want = "clock_nanosleep"
	var got Frame
	for deadline := time.Now().Add(10 * time.Second); got.Name != want && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var nr, sp, pc, arg uint64
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", pid))
		if n, _ := fmt.Sscan(string(text), &nr, &arg, &arg, &arg, &arg, &arg, &arg, &sp, &pc); n == 9 {
			got = u.Resolve(pid, []uint64{pc})[0]
		}
	}
	if got.Name != want || got.Module != "libc.so.6" || got.Offset == 0 {
		t.Errorf("%+v, want %s of libc.so.6", got, want)
	}

	libc := find(u.process(pid).maps, got.Addr)
	file, err := elf.Open(fmt.Sprintf("/proc/%d/root%s", pid, libc.path))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	names := map[uint64]map[string]bool{}
	for _, s := range symbols {
		if kind := elf.ST_TYPE(s.Info); (kind == elf.STT_FUNC || kind == elf.STT_GNU_IFUNC) && s.Section != elf.SHN_UNDEF {
			if names[s.Value] == nil {
				names[s.Value] = map[string]bool{}
			}
			names[s.Value][s.Name] = true
		}
	}
	for value, aliases := range names {
		// The first mapping of a library's code begins where its segment does.
		addr := value
		for _, p := range file.Progs {
			if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 {
				addr = value - p.Vaddr + p.Off - libc.offset + libc.Start
			}
		}
		f := u.Resolve(pid, []uint64{addr})[0]
		if !aliases[f.Name] || f.Offset != 0 || f.Module != "libc.so.6" {
			t.Fatalf("%x: %+v, want one of %v", value, f, aliases)
		}
	}
	if len(names) < 1000 {
		t.Errorf("only %d functions", len(names))
	}
}

// TestVDSO names the code that the kernel maps into every process.
func TestVDSO(t *testing.T) {
	u := newUsers()
	pid := uint32(os.Getpid())
	u.Resolve(pid, []uint64{1})
	p := u.process(pid)
	for i := range p.maps {
		if m := &p.maps[i]; m.path == vdso {
			img, _, err := p.loadVDSO(m, u.seed, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			first := img.tables[0].list[0]
			want := string(img.tables[0].name(first)) + "+0x1 [vdso]"
			if got := resolve(u, pid, m.Start+first.start+1); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			return
		}
	}
	t.Error("no vdso")
}

// TestGone: addresses that were resolved before a process ended keep their names.
func TestGone(t *testing.T) {
	p := start(t, exec.Command(compile(t, cSource, "gcc.c")))
	u := newUsers()
	before := resolve(u, p.pid, p.at["inner"])
	p.kill()
	for name, want := range map[string]string{"inner": before, "outer": "outer+0x0 program"} {
		if got := resolve(u, p.pid, p.at[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got, want := resolve(newUsers(), p.pid, 0x1234), "0x1234 "; got != want {
		t.Errorf("unknown: %s, want %s", got, want)
	}
	if got, want := resolve(u, 0, 0x1234), "0x1234 "; got != want {
		t.Errorf("the idle task: %s, want %s", got, want)
	}
}

// TestDeleted: a program is read although its file has no name any more.
func TestDeleted(t *testing.T) {
	path := compile(t, cSource, "gcc.c")
	p := start(t, exec.Command(path))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got, want := resolve(newUsers(), p.pid, p.at["inner"]), "inner+0x0 program"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	file, id, err := openPath(fmt.Sprintf("/proc/%d/exe", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	if img, err := loadFile(file, id, 1<<20); err != nil || len(img.tables[0].list) == 0 {
		t.Errorf("through exe: %v, %v", img, err)
	}
}

// TestContainer: the program's file exists in its own mount namespace only.
func TestContainer(t *testing.T) {
	labtest.NeedRoot(t)
	path := compile(t, cSource, "gcc.c", "-static")
	root := t.TempDir()
	const script = `
		mount -t tmpfs tmpfs "$1"; cd "$1"; mkdir app old; cp "$2" app/server; ln -s /app link
		pivot_root . old; exec /app/server`
	p := start(t, exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", root, path))
	if _, err := os.Stat(filepath.Join(root, "app")); !os.IsNotExist(err) {
		t.Fatalf("the file is visible here: %v", err)
	}
	u := newUsers()
	if got, want := resolve(u, p.pid, p.at["inner"]), "inner+0x0 server"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	known := u.process(p.pid)
	m := find(known.maps, p.at["inner"])
	if m.path != "/app/server" {
		t.Errorf("mapped from %s", m.path)
	}
	for _, path := range []string{m.path, "/link/server", "/../../link/server"} {
		file, id, err := openIn(known.dir+"/root", path)
		if err != nil || id.inode != m.inode || id != m.id {
			t.Errorf("%s in its root: %+v, %v, want %+v", path, id, err, m.id)
			continue
		}
		if img, err := loadFile(file, id, 8<<20); err != nil || len(img.tables[0].list) == 0 {
			t.Errorf("%s: %v, %v", path, img, err)
		}
	}
}

// TestExec: a process that runs another program is another one.
func TestExec(t *testing.T) {
	first := compile(t, cSource, "gcc.c", "-no-pie", "-fno-pie")
	second := compile(t, strings.NewReplacer("inner", "begin", "outer", "entry").Replace(cSource), "gcc.c", "-no-pie", "-fno-pie")
	p := start(t, exec.Command("sh", "-c", `printf '\n'; read x; exec "$0" "$1"`, first, second))
	u := newUsers()
	u.Resolve(p.pid, []uint64{1})
	p.wake(t)
	p.read(t)
	if got, want := resolve(u, p.pid, p.at["inner"]), "inner+0x0 program"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	q := start(t, exec.Command("sh", "-c", `printf '\n'; read x; exec "$0"`, second))
	u.Resolve(q.pid, []uint64{1})
	q.wake(t)
	q.read(t)
	if got, want := resolve(u, q.pid, q.at["begin"]), "begin+0x0 program"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestLaterMapping: a library loaded later is found once an address in it is seen.
func TestLaterMapping(t *testing.T) {
	const source = `
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
	printf("main %p\n\n", (void *)main);
	fflush(stdout);
	getchar();
	printf("tgamma %p\n\n", dlsym(dlopen("libm.so.6", RTLD_NOW), "tgamma"));
	fflush(stdout);
	return getchar();
}
`
	p := start(t, exec.Command(compile(t, source, "gcc.c")))
	u := newUsers()
	now := time.Now()
	u.now = func() time.Time { return now }
	if got, want := resolve(u, p.pid, p.at["main"]), "main+0x0 program"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p.wake(t)
	p.read(t)
	if got, want := resolve(u, p.pid, p.at["tgamma"]), fmt.Sprintf("0x%x ", p.at["tgamma"]); got != want {
		t.Errorf("at once: %s, want %s", got, want)
	}
	now = now.Add(2 * refreshMaps)
	if got := resolve(u, p.pid, p.at["tgamma"]); !strings.HasPrefix(got, "tgamma") || !strings.HasSuffix(got, "+0x0 libm.so.6") {
		t.Errorf("later: %s", got)
	}
}

// TestNotELF: any file with any name may be mapped as code.
func TestNotELF(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a\x1b[2J\\b (deleted)")
	if err := os.WriteFile(path, []byte(strings.Repeat("#!/bin/sh\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	code, err := unix.MmapPtr(int(file.Fd()), 0, nil, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.MunmapPtr(code, 4096)
	addr := uint64(uintptr(code))
	if got, want := resolve(newUsers(), uint32(os.Getpid()), addr+16), fmt.Sprintf(`0x%x a\x1b[2J\\b`, addr+16); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestMemory: what is kept stays within bounds, and a small bound costs only names.
func TestMemory(t *testing.T) {
	u := New(100)
	for _, f := range u.Resolve(uint32(os.Getpid()), stack(5)) {
		if f.Name != "" || f.Module == "" {
			t.Errorf("%+v", f)
		}
	}
	u = newUsers()
	for range 3 {
		u.Resolve(uint32(os.Getpid()), stack(20))
	}
	if u.images.used == 0 || u.images.used > u.images.limit/2 || u.frames.used > 20<<10 {
		t.Errorf("%d bytes of symbols, %d of frames", u.images.used, u.frames.used)
	}
}

// TestStuck: a file that never answers costs one wait, and does not delay other processes.
func TestStuck(t *testing.T) {
	dir := t.TempDir() + "/"
	for _, pid := range []string{"1", "2"} {
		if err := os.Mkdir(dir+pid, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/bin/sh", dir+pid+"/exe"); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(dir+"1/maps", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"2/maps", []byte("1000-2000 r-xp 00000000 00:00 0 [anon]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u := newUsers()
	u.dir = dir
	began := time.Now()
	for range 3 {
		if got, want := resolve(u, 1, 0x1234), "0x1234 "; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if took := time.Since(began); took < patience || took > 2*patience {
		t.Errorf("waited %v, want %v once", took, patience)
	}
	if got, want := resolve(u, 2, 0x1234), "0x1234 [anon]"; got != want {
		t.Errorf("another process: %s, want %s", got, want)
	}
	// Lets the reader end.
	if err := os.WriteFile(dir+"1/maps", nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkResolve names a stack of 20 frames of a process that is known.
func BenchmarkResolve(b *testing.B) {
	addrs := stack(20)
	u := newUsers()
	pid := uint32(os.Getpid())
	b.ReportAllocs()
	for b.Loop() {
		if frames := u.Resolve(pid, addrs); len(frames) != 20 || frames[0].Name == "" {
			b.Fatal(frames)
		}
	}
}

// BenchmarkResolveCold names it of a process that is not, and reads its symbols.
func BenchmarkResolveCold(b *testing.B) {
	addrs := stack(20)
	b.ReportAllocs()
	for b.Loop() {
		newUsers().Resolve(uint32(os.Getpid()), addrs)
	}
}
