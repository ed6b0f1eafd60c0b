// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// fixture is a node in a file: what is below /proc and /sys, with before/ as it was ten
// seconds earlier and ns/NAME/ as it is inside a namespace; symlinks; namespaces;
// links.json for rtnetlink and ethtool.json for ethtool; counters.
type fixture struct {
	files  fstest.MapFS
	links  map[string][]node.Link
	device map[string]node.Device
}

// linksOf reads a fixture's interfaces of one namespace.
type linksOf struct {
	fixture
	name string
}

func (l linksOf) Links() ([]node.Link, error) { return l.links[l.name], nil }

func (l linksOf) Device(name string) (node.Device, error) {
	device, ok := l.device[name]
	if !ok {
		return node.Device{}, fmt.Errorf("no device %q", name)
	}
	return device, nil
}

func (f fixture) text(name string) string {
	return string(f.files[name].Data)
}

func readFixture(t *testing.T, path string) Input {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	check(t, err)
	f := fixture{files: fstest.MapFS{}}
	for _, file := range archive.Files {
		f.files[file.Name] = &fstest.MapFile{Data: file.Data}
	}
	for line := range strings.Lines(f.text("symlinks")) {
		columns := strings.Fields(line)
		f.files[columns[0]] = &fstest.MapFile{Data: []byte(columns[1]), Mode: fs.ModeSymlink}
	}
	check(t, json.Unmarshal(f.files["links.json"].Data, &f.links))
	check(t, json.Unmarshal(f.files["ethtool.json"].Data, &f.device))
	before := maps.Clone(f.files)
	for name, file := range f.files {
		if rest, ok := strings.CutPrefix(name, "before/"); ok {
			before[rest] = file
		}
	}
	in := Input{
		LoadBefore: node.Root{FS: before}.ReadLoad(), LoadAfter: node.Root{FS: f.files}.ReadLoad(),
		Elapsed: 10 * time.Second, State: node.ReadState(f.sources(t)),
	}
	in.Counters = between(f.counters(t))
	in.State.Cgroups.Read = time.Millisecond // the only thing that is measured
	return in
}

func (f fixture) sources(t *testing.T) node.Sources {
	t.Helper()
	sources := node.Sources{Root: f.files}
	for line := range strings.Lines(f.text("namespaces")) {
		space := node.Space{Files: f.files}
		_, err := fmt.Sscan(line, &space.Netns.Name, &space.Netns.Inode, &space.Path)
		check(t, err)
		space.Reader = linksOf{f, space.Netns.Name}
		if space.Path == "-" {
			space.Path = ""
		} else {
			space.Files, err = fs.Sub(f.files, "ns/"+space.Netns.Name)
			check(t, err)
		}
		sources.Spaces = append(sources.Spaces, space)
	}
	return sources
}

func (f fixture) counters(t *testing.T) (before, after []event.Reading) {
	t.Helper()
	for line := range strings.Lines(f.text("counters")) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var r event.Reading
		var old uint64
		_, err := fmt.Sscan(line, &r.Source, &r.Netns.Inode, &r.Device, &r.Part, &r.Name, &old, &r.Value)
		check(t, err)
		r.Device, r.Part = strings.TrimPrefix(r.Device, "-"), strings.ReplaceAll(strings.TrimPrefix(r.Part, "-"), "_", " ")
		if strings.HasPrefix(r.Part, "arp ") {
			r.Part = "arp_cache"
		}
		after = append(after, r)
		r.Value = old
		before = append(before, r)
	}
	return before, after
}

// between returns how far counters moved from one reading to the next.
func between(before, after []event.Reading) []event.Movement {
	var m event.Meter
	m.Add(&event.Counters{Readings: before})
	m.Add(&event.Counters{Readings: after})
	return m.Movements()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// golden compares findings with a file, or writes it.
func golden(t *testing.T, path string, got []Finding) {
	t.Helper()
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	check(t, encoder.Encode(got))
	if *update {
		check(t, os.WriteFile(path, []byte(text.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if text.String() != string(want) {
		t.Errorf("findings are not those of %s (-update writes it):\n%s", path, text.String())
	}
}
