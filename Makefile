# SPDX-License-Identifier: Apache-2.0

# sudo may lack the directory where Go was unpacked.
GO ?= $(shell command -v go || echo /usr/local/go/bin/go)
CLANG ?= clang-14
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
ACTIONLINT = github.com/rhysd/actionlint/cmd/actionlint@v1.7.7
PREFIX ?= /usr/local
.DEFAULT_GOAL = build
GUESTS ?= ci
# Go's own stamping fails in a checkout that belongs to somebody else.
DESCRIBED := $(shell git describe --tags --always --abbrev=12 --match "v*" 2>/dev/null)

.PHONY: help build record test test-vm race bench day lint fuzz generate testdata install clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 12

build: ## the dropwatch binary; the BPF objects are committed, no clang is needed
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags "-X main.described=$(DESCRIBED)" -o dropwatch ./cmd/dropwatch

record: build ## record this machine for ten seconds, show the report, draw drops.svg
	scripts/record-here

test: ## all tests; run as root, as they make real drops on the live kernel
	scripts/install-packages $$(cat scripts/packages-test)
	$(GO) test -count=1 -timeout 30m -p 1 ./... # one package at a time: some change the kernel
	cd flamegraph/browser && $(GO) test -count=1 -timeout 10m ./...

test-vm: ## what other kernels and NICs show, in QEMU guests; GUESTS=all for those that CI leaves out
	scripts/install-packages $$(cat scripts/packages-vm)
	GO=$(GO) scripts/test-guests $(GUESTS)
	GO=$(GO) scripts/test-guest -k amd64 -p ./pkg/ledger -n 'virtio-net-pci pcnet rtl8139 e1000 e1000e vmxnet3' \
		-m 'virtio_pci virtio_net pcnet32 8139cp e1000 e1000e vmxnet3' bookworm 6.1.0 TestRing

# Not under the race detector: what measures time or memory, of which it takes several
# times as much, and what takes long with one thing at a time.
RACE_SKIP = TestBombs|TestNode$$|TestLongDay|FuzzCommandMemory|TestExpansion|TestCures|TestCycles|TestKilledAnytime|TestOrdinary|TestScale|TestDay|TestStallsLive|TestAgainstReferee|TestNothingKept|TestInjected|TestEchoes|TestBacklogStory|TestICMPLive|TestScripts/^[^s]|TestScenarios|TestReasonsHidden|TestCountersOfScenarios

race: ## tests of what runs at the same time, under the race detector; run as root
	scripts/install-packages $$(cat scripts/packages-test scripts/packages-race)
	CGO_ENABLED=1 CC=gcc $(GO) test -race -count=1 -timeout 15m -p 1 -skip '$(RACE_SKIP)' \
		./pkg/trace ./pkg/counters ./pkg/node ./pkg/symbolize ./pkg/usersymbol ./pkg/recording ./pkg/softirq ./cmd/dropwatch

bench: build ## what tracing costs, beside bpftrace and perf, and drawing; run as root
	scripts/install-packages $$(cat scripts/packages-bench)
	$(GO) run -tags lab ./internal/program/storm $(STORM)
	$(GO) run -tags lab ./internal/program/throughput
	$(GO) test -run '^$$' -bench 'All|Perl' -benchtime 3x ./flamegraph

day: ## a day of a node: 20,000 namespaces and 50,000 processes, in some eight minutes; run as root
	DROPWATCH_DAY=20000 $(GO) test -count=1 -timeout 30m -run '^TestDay$$' -v ./cmd/dropwatch

lint: ## vet, staticcheck, format, shell scripts, workflows, and builds for macOS and arm64
	$(GO) vet -tags guest,lab ./...
	$(GO) run $(STATICCHECK) -tags guest,lab ./...
	cd flamegraph/browser && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...
	test -z "$$(gofmt -l .)"
	clang-format-14 --dry-run -Werror bpf/*.[ch] internal/lab/inject/*.c
	! expand -t 8 bpf/*.[ch] internal/lab/inject/*.c | grep -n '.\{101\}'
	shellcheck .ci/run scripts/install-packages scripts/record-here scripts/fuzz scripts/test-guest scripts/test-guests scripts/backlog-story
	$(GO) run $(ACTIONLINT) .github/workflows/*.yml
	GOOS=darwin $(GO) vet ./...
	GOOS=linux GOARCH=arm64 $(GO) build -buildvcs=false ./...

fuzz: ## every fuzz target for FUZZTIME: 10s, or a number of inputs, 400000x
	scripts/fuzz $(FUZZTIME)

generate: ## compile the BPF programs anew; needs clang 14, llvm-strip and libbpf-dev
	BPF2GO_CC=$(CLANG) BPF2GO_STRIP=llvm-strip-14 \
	BPF2GO_CFLAGS="-O2 -Wall -Werror -mcpu=v3 -I/usr/include/$(shell uname -m)-linux-gnu" \
	$(GO) generate ./bpf ./internal/lab/inject

testdata: build ## the recordings that tests of the command line read; run as root
	$(GO) build -buildvcs=false -tags lab -o $(CURDIR)/lab ./internal/program/lab
	$(GO) build -buildvcs=false -tags lab -o $(CURDIR)/stall-lab ./internal/program/stall-lab
	cd testdata/recordings && PATH=$(CURDIR):$$PATH dropwatch record -q --snaplen 64 --no-stalls -o lab.jsonl.zst -- lab
	cd testdata/recordings && PATH=$(CURDIR):$$PATH dropwatch record -q -o raw.zst -- stall-lab && \
		zstdcat raw.zst | sed 's|"cgroup_path":"[^"]*"|"cgroup_path":"/lab"|' | zstd -q -19 -f -o stalls.jsonl.zst
	rm -f lab stall-lab testdata/recordings/*.old testdata/recordings/raw.zst

install: build ## the binary, its manual pages and its systemd unit below PREFIX
	install -D -m 755 dropwatch $(DESTDIR)$(PREFIX)/bin/dropwatch
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|' deploy/dropwatch.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/dropwatch.service
	./dropwatch man $(DESTDIR)$(PREFIX)/share/man/man1

clean: ## remove the binary
	rm -f dropwatch
