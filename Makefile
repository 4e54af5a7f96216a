# Two commands do everything: `make demo` and `make test`.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Debian packages, by name: to build (headers), to run the tests (the rest).
PACKAGES := build-essential ca-certificates curl git libcurl4-openssl-dev libsqlite3-dev \
  libssl-dev openssl pkg-config procps python3 python3-venv zlib1g-dev

# One set of flags for every debug build: another set would build the dependencies again.
# Without debug information the first build takes a sixth less time.
BUILD := swift build --build-tests -debug-info-format none -Xswiftc -gnone -Xcc -g0
# Not all tests at once: each holds stores and connections open.
TEST := swift test --skip-build --experimental-maximum-parallelization-width 16 \
  -debug-info-format none -Xswiftc -gnone -Xcc -g0
PROGRAM := .build/debug/sallyport

# Beside them, what `make interop` needs: another implementation of the seal, in Java.
INTEROP_PACKAGES := libbcpkix-java openjdk-17-jdk-headless

.PHONY: help deps interop-deps build demo test test-swift test-outside interop lint format clean

help:
	@echo 'make demo     builds what is needed and plays a story through the whole of Sallyport'
	@echo 'make test     builds what is needed and runs every test'
	@echo 'make interop  the seal against openssl and Bouncy Castle, both ways'
	@echo 'make lint     checks the format of the source'
	@echo 'make deps     installs the Debian packages: $(PACKAGES)'

deps:
	$(call install,$(PACKAGES))

interop-deps:
	$(call install,$(INTEROP_PACKAGES))

# Installs those of the named packages that are missing.
define install
@missing=''; for package in $(1); do \
  dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed \
    || missing="$$missing $$package"; \
done; \
if [ -n "$$missing" ]; then \
  echo "installing$$missing"; \
  root=''; [ "$$(id -u)" = 0 ] || root=sudo; \
  $$root apt-get update -qq && \
  DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq --no-install-recommends $$missing; \
fi
endef

build: deps
	$(BUILD)

demo: build
	$(PROGRAM) demo --once

test: lint test-swift test-outside

test-swift: build
	$(TEST)

# Tests by outsiders: Python, the openssl command, the MESH client and sandbox from PyPI.
test-outside: build .venv/ready
	SALLYPORT=$(CURDIR)/$(PROGRAM) .venv/bin/python -m unittest discover -v -s Tests/Outside -t Tests/Outside

.venv/ready: Tests/Outside/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r Tests/Outside/requirements.txt
	touch $@

interop: build interop-deps
	SALLYPORT_INTEROP=1 $(TEST) --filter InteropTests

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

format:
	swift format --in-place --recursive Package.swift Sources Tests

clean:
	rm -rf .build .venv
