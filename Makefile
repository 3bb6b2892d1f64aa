# SPDX-License-Identifier: GPL-2.0-only
# The commands of the README. Each installs what it needs and is missing (tools/setup says what), and caches kernels outside.

KERNEL ?= 6.12
MACHINE ?= pseries
SHELL := /bin/bash
.DEFAULT_GOAL := help

help:
	@echo 'make demo                 boot guests, load tcewin, move data through a 64-bit dynamic DMA window'
	@echo 'make check [STEPS="..."]  every test, or the steps named (make steps lists them)'
	@echo 'make check QUICK=1        a few minutes of it, between edits'
	@echo 'make soak                 what is longer than CI allows: stress and races at ten times their length, mutants at full effort'
	@echo 'make check-counts         tools/check/counts from the last run: fewer cases than there are red'
	@echo 'make compare [KERNEL=NAME] the conformance cases against tcewin and the in-tree driver: build/compare/NAME.md (an hour)'
	@echo '                          MACHINE=powernv9: on bare metal'
	@echo 'make bench [KERNEL= MACHINE=] what each ioctl costs, beside the in-tree driver and the floor: build/bench/MACHINE-KERNEL.md'
	@echo '                          and .json and .svg'
	@echo 'make bench-readme         the same for both machines, into the README'
	@echo 'make module KERNEL=NAME   build/NAME/tcewin.ko; NAME is 6.12, 6.12-64k, 6.12-trixie, 6.12-debug, 7.2, 7.2-64k,'
	@echo '                          or a path of a kernel build tree'
	@echo 'make harness              build/ppc64le/tcewin-harness'
	@echo 'make host-tests           build/host/tcewin-tests: the suites on this machine, under ASan and UBSan;'
	@echo '                          SANITIZE=thread: build/host-thread/tcewin-tests, under ThreadSanitizer'
	@echo 'make shellcheck           shellcheck on every shell script'
	@echo 'make tidy | format        clang-tidy on core/ | clang-format on the C++ (CHECK=1: only say what would change)'
	@echo 'make tidy-kunit | tidy-tools   clang-tidy on the suites | on the programs in guests'
	@echo 'make clean'

demo:
	@tools/setup
	@tools/demo

check:
	@tools/check/run $(if $(QUICK),--quick,$(STEPS))

# Hours.
soak:
	@tools/check/run --soak

# What the last run's green steps ran becomes what each has to run.
check-counts:
	@tools/check/promise $(STEPS)

# Not a check: what the in-tree driver gets wrong is not ours to fix.
compare: harness module
	@tools/check/compare --machine '$(MACHINE)' --kernel '$(KERNEL)'

# Not a check either: no test fails on a time.
bench: build/ppc64le/tcewin-bench module
	@tools/setup lab bench
	@tools/bench/run --machine '$(MACHINE)' --kernel '$(KERNEL)'

bench-readme: build/ppc64le/tcewin-bench module
	@tools/setup lab bench
	@tools/bench/readme

steps:
	@. tools/check/steps; printf '%s\n' "$${steps[@]}" "$${guests[@]}"

# V=1 shows the commands, C=2 runs sparse: see tools/build/module.
module:
	@case '$(KERNEL)' in */*) tools/build/module --suits '$(KERNEL)' ;; esac
	@tools/setup module
	@tools/build/module '$(KERNEL)' $(if $(V),V=$(V)) $(if $(C),C=$(C))

include tools/harness/build.mk
include tools/bench/build.mk
include kunit/host.mk

harness: build/ppc64le/tcewin-harness
host-tests: $(HOST_LANE)/tcewin-tests

cxx-host-flags := -std=c++23 -stdlib=libc++ -fno-exceptions -fno-rtti -Iinclude -Icore
tidy-each = xargs -0 -n 1 -P "$$(nproc)" sh -c 'clang-tidy-19 --quiet "$$1" -- $(1) 2> /dev/null' tidy
tidy:
	@printf '%s\0' core/*.cc | $(call tidy-each,$(cxx-host-flags))

# A quarter of an hour each.
tidy-kunit:
	@printf '%s\0' kunit/*.cc kunit/suites/*.cc | \
		$(call tidy-each,$(cxx-host-flags) -Icore/libcxx -Ikunit -isystem $(GTEST_SOURCE)/include)
tidy-tools: $(HARNESS_INC)/lab_splats.inc
	@printf '%s\0' tools/harness/*.cc tools/harness/*/*.cc tools/bench/*.cc | \
		$(call tidy-each,--target=powerpc64le-linux-gnu --gcc-install-dir="$$(dirname "$$($(HARNESS_CXX) -print-libgcc-file-name)")" \
			-isystem /usr/powerpc64le-linux-gnu/include -std=c++23 -Itools/harness -Itools/bench -isystem $(HARNESS_INC))

shellcheck:
	@tools/build/shellcheck

# CHECK=1 changes nothing and fails where something would be changed.
format:
	@git ls-files '*.cc' '*.hh' | xargs clang-format-19 $(if $(CHECK),--dry-run -Werror,-i)

clean:
	rm -rf build

.PHONY: help demo check soak check-counts compare bench bench-readme steps module harness host-tests tidy tidy-kunit tidy-tools shellcheck format clean
