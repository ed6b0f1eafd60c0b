# SPDX-License-Identifier: Apache-2.0
GO ?= go
CLANG ?= clang-14
MULTIARCH := $(shell uname -m)-linux-gnu

.PHONY: build generate
build:
	CGO_ENABLED=0 $(GO) build -trimpath -o dropwatch ./cmd/dropwatch

generate:
	BPF2GO_CC=$(CLANG) BPF2GO_CFLAGS="-O2 -Wall -Werror -mcpu=v3 -I/usr/include/$(MULTIARCH)" $(GO) generate ./bpf
