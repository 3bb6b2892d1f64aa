# SPDX-License-Identifier: GPL-2.0-only
# tcewin-harness: a static ppc64le program. Included by the top Makefile, or alone: make -f tools/harness/build.mk TARGET
# fmt and CLI11 are headers without code, taken from the build machine; the cross compiler is shown nothing else of it.

HARNESS_CXX ?= powerpc64le-linux-gnu-g++
HARNESS_HEADERS ?= /usr/include
HARNESS_BIN := build/ppc64le/tcewin-harness
HARNESS_OBJ := build/ppc64le/harness
HARNESS_INC := build/ppc64le/harness-include

HARNESS_SRC := $(wildcard tools/harness/*.cc tools/harness/*/*.cc)
HARNESS_OBJS := $(HARNESS_SRC:tools/harness/%.cc=$(HARNESS_OBJ)/%.o)
HARNESS_FLAGS := -std=c++23 -O1 -Wall -Wextra -Werror -Itools/harness -isystem $(HARNESS_INC)

$(HARNESS_BIN): $(HARNESS_OBJS)
	@echo '  LD      $@'
	@$(HARNESS_CXX) -static -o $@ $(HARNESS_OBJS)

$(HARNESS_OBJ)/%.o: tools/harness/%.cc tools/harness/build.mk | $(HARNESS_INC)/.ready
	@mkdir -p $(@D)
	@echo '  CXX     $<'
	@$(HARNESS_CXX) $(HARNESS_FLAGS) -MMD -MP -c -o $@ $<

$(HARNESS_INC)/.ready:
	@mkdir -p $(@D)
	@for header in fmt/format.h CLI/CLI.hpp; do test -e $(HARNESS_HEADERS)/$$header || \
		{ echo "$$header is missing: apt-get install libfmt-dev libcli11-dev" >&2; exit 1; }; done
	ln -sfn $(HARNESS_HEADERS)/fmt $(@D)/fmt
	ln -sfn $(HARNESS_HEADERS)/CLI $(@D)/CLI
	@touch $@

# A list of the lab's as a string of C++.
$(HARNESS_INC)/lab_splats.inc: tools/lab/splats tools/harness/build.mk | $(HARNESS_INC)/.ready
	@{ printf 'R"splats('; cat $<; printf ')splats"\n'; } > $@
$(HARNESS_OBJ)/lib/splats.o: $(HARNESS_INC)/lab_splats.inc

-include $(HARNESS_OBJS:.o=.d)
