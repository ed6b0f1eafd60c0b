// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// elfBuilder makes small ELF files.
type elfBuilder struct {
	order    binary.AppendByteOrder
	wide     bool
	entry    uint64
	sections []elfSection
}

type elfSection struct {
	name string
	kind elf.SectionType
	addr uint64
	link uint32
	data []byte
}

// word appends a number of the size of a pointer.
func (e *elfBuilder) word(b []byte, v uint64) []byte {
	if e.wide {
		return e.order.AppendUint64(b, v)
	}
	return e.order.AppendUint32(b, uint32(v))
}

func (e *elfBuilder) symbol(b []byte, name uint32, value, size uint64, bind elf.SymBind, kind elf.SymType) []byte {
	b = e.order.AppendUint32(b, name)
	if !e.wide {
		b = e.word(e.word(b, value), size)
	}
	b = append(b, elf.ST_INFO(bind, kind), 0)
	b = e.order.AppendUint16(b, 1)
	if e.wide {
		b = e.word(e.word(b, value), size)
	}
	return b
}

// text is where the files built here have their code, at the start of the file.
var text = symbolize.Range{Start: 0x401000, End: 0x402000}

func (e *elfBuilder) build() []byte {
	names := []byte{0}
	header, program, section := 64, 56, 64
	if !e.wide {
		header, program, section = 52, 32, 40
	}
	data := []byte{}
	base := uint64(header + program)
	var table []byte
	all := append([]elfSection{{}}, e.sections...)
	all = append(all, elfSection{name: ".shstrtab", kind: elf.SHT_STRTAB})
	for i, s := range all {
		offset := base + uint64(len(data))
		at := uint32(len(names))
		names = append(append(names, s.name...), 0)
		if i == len(all)-1 {
			s.data = names
		}
		size := uint64(len(s.data))
		if s.name == ".text" {
			size = text.End - text.Start
		}
		table = e.order.AppendUint32(table, at)
		table = e.order.AppendUint32(table, uint32(s.kind))
		table = e.word(e.word(e.word(e.word(table, 0), s.addr), offset), size)
		table = e.order.AppendUint32(e.order.AppendUint32(table, s.link), 0)
		table = e.word(e.word(table, 1), 0)
		data = append(data, s.data...)
	}
	class, order := byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB)
	if e.wide {
		class = byte(elf.ELFCLASS64)
	}
	if e.order == binary.AppendByteOrder(binary.BigEndian) {
		order = byte(elf.ELFDATA2MSB)
	}
	b := append([]byte(elf.ELFMAG), class, order, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = e.order.AppendUint16(e.order.AppendUint16(b, 2), 62)
	b = e.word(e.word(e.word(e.order.AppendUint32(b, 1), e.entry), uint64(header)), base+uint64(len(data)))
	b = e.order.AppendUint32(b, 0)
	for _, v := range []int{header, program, 1, section, len(all), len(all) - 1} {
		b = e.order.AppendUint16(b, uint16(v))
	}
	b = e.order.AppendUint32(b, uint32(elf.PT_LOAD))
	if e.wide {
		b = e.order.AppendUint32(b, uint32(elf.PF_X|elf.PF_R))
	}
	size := text.End - text.Start
	b = e.word(e.word(e.word(e.word(e.word(b, 0), text.Start), text.Start), size), size)
	if !e.wide {
		b = e.order.AppendUint32(b, uint32(elf.PF_X|elf.PF_R))
	}
	b = e.word(b, 0x1000)
	return append(append(b, data...), table...)
}

// buildSymbols is a file with a symbol table.
func buildSymbols(wide bool, order binary.AppendByteOrder) []byte {
	e := &elfBuilder{order: order, wide: wide}
	names := []byte("\x00__libc_write\x00write\x00hidden\x00data\x00label\x00_ZN3dev5resetEi\x00")
	at := func(name string) uint32 { return uint32(bytes.Index(names, []byte("\x00"+name+"\x00")) + 1) }
	var b []byte
	b = e.symbol(b, 0, 0, 0, elf.STB_LOCAL, elf.STT_NOTYPE)
	b = e.symbol(b, at("__libc_write"), 0x401100, 0x10, elf.STB_GLOBAL, elf.STT_FUNC)
	b = e.symbol(b, at("write"), 0x401100, 0x10, elf.STB_WEAK, elf.STT_FUNC)
	b = e.symbol(b, at("hidden"), 0x401100, 0x10, elf.STB_LOCAL, elf.STT_FUNC)
	b = e.symbol(b, at("data"), 0x401118, 0x10, elf.STB_GLOBAL, elf.STT_OBJECT)
	b = e.symbol(b, at("label"), 0x401200, 0, elf.STB_GLOBAL, elf.STT_FUNC)
	b = e.symbol(b, at("_ZN3dev5resetEi"), 0x401300, 8, elf.STB_GLOBAL, elf.STT_GNU_IFUNC)
	e.sections = []elfSection{
		{name: ".text", kind: elf.SHT_PROGBITS, addr: text.Start},
		{name: ".symtab", kind: elf.SHT_SYMTAB, link: 3, data: b},
		{name: ".strtab", kind: elf.SHT_STRTAB, data: names},
	}
	return e.build()
}

// buildGo is a stripped Go program of two functions. What confirms the start of its
// code is one of rt0, header, module and nothing.
func buildGo(wide bool, order binary.AppendByteOrder, confirmed string) []byte {
	e := &elfBuilder{order: order, wide: wide, entry: 0x401000}
	pointer := uint64(4)
	if wide {
		pointer = 8
	}
	names := []byte("main.main\x00_rt0_amd64_linux\x00")
	const functions = 2
	tableAt := 8 + headerWords*pointer + uint64(len(names))
	header := uint64(0)
	start := uint64(text.Start)
	module := make([]byte, (moduleText+1)*pointer)
	switch confirmed {
	case "rt0":
		e.entry = start + 0x80
	case "header":
		start += 0x40
		header = start
	case "module":
		start += 0x40
		module = e.word(module[:moduleText*pointer], start)
	}
	b := e.order.AppendUint32(nil, magicGo120)
	b = append(b, 0, 0, 1, byte(pointer))
	for _, v := range []uint64{functions, 0, header, 8 + headerWords*pointer, 0, 0, 0, tableAt} {
		b = e.word(b, v)
	}
	b = append(b, names...)
	for _, v := range []uint32{0, 20, 0x80, 28, 0x90} { // address, offset of the _func
		b = e.order.AppendUint32(b, v)
	}
	for _, v := range []uint32{0, 0, 0x80, 10} { // address, offset of the name
		b = e.order.AppendUint32(b, v)
	}
	e.sections = []elfSection{
		{name: ".text", kind: elf.SHT_PROGBITS, addr: text.Start},
		{name: ".data.rel.ro.gopclntab", kind: elf.SHT_PROGBITS, data: b},
		{name: ".go.module", kind: elf.SHT_PROGBITS, data: module},
	}
	return e.build()
}

type kindOfELF struct {
	name  string
	wide  bool
	order binary.AppendByteOrder
}

var kindsOfELF = []kindOfELF{
	{"64 bits", true, binary.LittleEndian}, {"64 bits, big endian", true, binary.BigEndian},
	{"32 bits", false, binary.LittleEndian}, {"32 bits, big endian", false, binary.BigEndian},
}

// at names the byte at an address of a file built here.
func at(img *image, addr uint64) string {
	name, from, ok := img.lookup(addr - text.Start)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s+0x%x", functionName(name), from)
}

func TestSymbolTables(t *testing.T) {
	for _, kind := range kindsOfELF {
		t.Run(kind.name, func(t *testing.T) {
			img, err := readImage(bytes.NewReader(buildSymbols(kind.wide, kind.order)), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for addr, want := range map[uint64]string{
				0x4010ff: "", 0x401100: "write+0x0", 0x40110f: "write+0xf", 0x401110: "", 0x401118: "",
				0x401200: "label+0x0", 0x4012ff: "label+0xff", 0x401304: "dev::reset+0x4", 0x401308: "", 0x402000: "",
			} {
				if got := at(img, addr); got != want {
					t.Errorf("%x: %s, want %s", addr, got, want)
				}
			}
		})
	}
}

func TestPclntab(t *testing.T) {
	for _, kind := range kindsOfELF {
		for confirmed, want := range map[string]map[uint64]string{
			"rt0":     {0x401000: "main.main+0x0", 0x401085: "_rt0_amd64_linux+0x5", 0x401090: ""},
			"header":  {0x401000: "", 0x401040: "main.main+0x0", 0x4010cf: "_rt0_amd64_linux+0xf"},
			"module":  {0x401000: "", 0x401040: "main.main+0x0", 0x4010cf: "_rt0_amd64_linux+0xf"},
			"nothing": {0x401000: "", 0x401040: "", 0x401085: ""},
		} {
			t.Run(kind.name+" "+confirmed, func(t *testing.T) {
				img, err := readImage(bytes.NewReader(buildGo(kind.wide, kind.order, confirmed)), 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				for addr, want := range want {
					if got := at(img, addr); got != want {
						t.Errorf("%x: %s, want %s", addr, got, want)
					}
				}
			})
		}
	}
}

func TestReadImageErrors(t *testing.T) {
	whole := buildSymbols(true, binary.LittleEndian)
	for name, file := range map[string][]byte{
		"empty": nil, "a script": []byte("#!/bin/sh\necho hello\n"), "only a magic": []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"without sections": whole[:len(whole)-64],
	} {
		if img, err := readImage(bytes.NewReader(file), 1<<20); img != nil || err == nil {
			t.Errorf("%s: %v, %v", name, img, err)
		}
	}
	f, err := readELF(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if table, err := f.functions(100, elf.SHT_SYMTAB); table != nil || !errors.Is(err, errTooLarge) {
		t.Errorf("within 100 bytes: %v, %v", table, err)
	}
	// A table above the limit is treated as missing.
	img, err := readImage(bytes.NewReader(whole), 100)
	if err != nil || at(img, 0x401100) != "" {
		t.Errorf("within 100 bytes: %v, %v", img, err)
	}
}

// TestLongName: a name is cut, and does not run into what follows.
func TestLongName(t *testing.T) {
	file := bytes.Repeat([]byte("x"), 3*windowSize)
	w := window{r: bytes.NewReader(file)}
	for _, offset := range []uint64{0, windowSize - 1, 3*windowSize - 10, 3 * windowSize, 1 << 63, 1<<64 - 1} {
		want := 0
		if offset < uint64(len(file)) {
			want = min(maxName, len(file)-int(offset))
		}
		if got := len(w.name(offset)); got != want {
			t.Errorf("%x: %d bytes, want %d", offset, got, want)
		}
	}
}

func TestFunctionName(t *testing.T) {
	for raw, want := range map[string]string{
		"main.(*T).Run[...]":                               "main.(*T).Run[...]",
		"runtime.main.func1":                               "runtime.main.func1",
		"_ZNSt6vectorIiSaIiEE9push_backEOi":                "std::vector<int, std::allocator<int> >::push_back",
		"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE": "core::fmt::Write::write_fmt",
		"_RNvCskwGfYPst2Cb_3foo3bar":                       "foo::bar",
		"_Z":                                               "_Z",
		"a\x1b[31mb\\c\xff":                                `a\x1b[31mb\\c\xff`,
		"größe":                                            "größe",
		"":                                                 "",
	} {
		if got := functionName([]byte(raw)); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
	bomb := "_Z1f" + string(bytes.Repeat([]byte("P"), 2000)) + "i"
	if got := functionName([]byte(bomb)); len(got) > len(bomb) {
		t.Errorf("%d bytes", len(got))
	}
}

// FuzzReadImage: containers may run files that are made to harm their reader.
func FuzzReadImage(f *testing.F) {
	for _, kind := range kindsOfELF {
		f.Add(buildSymbols(kind.wide, kind.order), uint64(0x100))
		f.Add(buildGo(kind.wide, kind.order, "rt0"), uint64(0x80))
	}
	f.Add(buildGo(true, binary.LittleEndian, "module"), uint64(0x80))
	f.Fuzz(func(t *testing.T, file []byte, offset uint64) {
		const limit = 1 << 12
		img, err := readImage(bytes.NewReader(file), limit)
		if err != nil {
			if img != nil {
				t.Error("an error and an image")
			}
			return
		}
		if size := img.bytes(); size > limit+256+64*maxCode {
			t.Errorf("%d bytes", size)
		}
		if name, _, ok := img.lookup(offset); ok && len(functionName(name)) > 4*maxName {
			t.Errorf("%q", name)
		}
	})
}
