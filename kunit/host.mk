# SPDX-License-Identifier: GPL-2.0-only
#
# The suites on the build machine, under AddressSanitizer and UBSan: "make -f kunit/host.mk test" from the top, where the top Makefile
# includes this as well. SANITIZE=thread makes the same under ThreadSanitizer, in a place of its own. Everything, GoogleTest included,
# is compiled with the libc++ that the module is compiled with.

HOST_CXX ?= clang++-19
GTEST_SOURCE ?= /usr/src/googletest/googletest
SANITIZE ?= address,undefined
HOST_LANE ?= build/host$(if $(filter thread,$(SANITIZE)),-thread)

host-suites := $(shell sed -n 's/^SUITE(\(.*\));$$/\1/p' kunit/suites.def)
host-unlisted := $(filter-out $(host-suites),$(basename $(notdir $(wildcard kunit/suites/*.cc))))
$(if $(host-unlisted),$(error kunit/suites.def does not list: $(host-unlisted)))

host-hardening := -D_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_FAST
host-common := -std=c++23 -stdlib=libc++ -O1 -g -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
host-flags := $(host-common) -Wall -Wextra -Werror -Wthread-safety -Iinclude -Icore -Icore/libcxx -Ikunit $(host-hardening)
# what the module is compiled like
host-bare := -fno-exceptions -fno-rtti -fno-threadsafe-statics

host-rig-sources := $(wildcard core/*.cc) $(filter-out kunit/host_%.cc,$(wildcard kunit/*.cc))
host-bare-sources := $(host-rig-sources) $(host-suites:%=kunit/suites/%.cc)
host-sources := $(host-bare-sources) kunit/host_run.cc kunit/host_runner.cc kunit/host_hardening.cc
host-objects := $(host-sources:%.cc=$(HOST_LANE)/%.o)

$(HOST_LANE)/tcewin-tests: $(host-objects) $(HOST_LANE)/gtest.o
	@echo "  LINK    $@"
	@$(HOST_CXX) $(host-common) -static-libstdc++ -o $@ $^

$(host-bare-sources:%.cc=$(HOST_LANE)/%.o): host-flags += $(host-bare)
$(host-objects): $(HOST_LANE)/%.o: %.cc kunit/host.mk
	@mkdir -p $(@D)
	@echo "  CXX     $@"
	@$(HOST_CXX) $(host-flags) -MMD -MP -c -o $@ $<

$(HOST_LANE)/gtest.o: kunit/host.mk
	@mkdir -p $(@D)
	@test -e $(GTEST_SOURCE)/src/gtest-all.cc || { echo "no GoogleTest in $(GTEST_SOURCE): package googletest, or GTEST_SOURCE=" >&2; exit 1; }
	@echo "  CXX     $@"
	@$(HOST_CXX) $(host-common) -I$(GTEST_SOURCE)/include -I$(GTEST_SOURCE) -c -o $@ $(GTEST_SOURCE)/src/gtest-all.cc

$(HOST_LANE)/kunit/host_runner.o $(HOST_LANE)/kunit/host_hardening.o: host-flags += -isystem $(GTEST_SOURCE)/include

# The fuzzer: it learns from what the core does, and not from what the fakes do.
fuzz-lane := build/host-fuzz
fuzz-sources := $(host-rig-sources) kunit/host_run.cc kunit/host_fuzz.cc
fuzz-objects := $(fuzz-sources:%.cc=$(fuzz-lane)/%.o)
$(fuzz-lane)/core/%.o: fuzz-flags := -fsanitize=fuzzer-no-link
$(host-rig-sources:%.cc=$(fuzz-lane)/%.o): host-flags += $(host-bare)
$(fuzz-objects): $(fuzz-lane)/%.o: %.cc kunit/host.mk
	@mkdir -p $(@D)
	@echo "  CXX     $@"
	@$(HOST_CXX) $(host-flags) $(fuzz-flags) -MMD -MP -c -o $@ $<

# libFuzzer itself is compiled with the other C++ library.
$(fuzz-lane)/tcewin-fuzz: $(fuzz-objects)
	@echo "  LINK    $@"
	@$(HOST_CXX) $(host-common) -fsanitize=fuzzer -static-libstdc++ -o $@ $^ -Wl,-lstdc++

.PHONY: fuzzer
fuzzer: $(fuzz-lane)/tcewin-fuzz
-include $(fuzz-objects:.o=.d)

.PHONY: test
test: $(HOST_LANE)/tcewin-tests
	$< --gtest_brief=1

# What core/ is compiled with here, for kunit/mutate.
.PHONY: flags
flags:
	@echo '$(host-common) -Wall -Wextra -Werror -Wthread-safety $(host-bare)'

-include $(host-objects:.o=.d)

# What must not compile: clang looks for exactly the errors that the files name.
host-compile-fail := $(patsubst %.cc,$(HOST_LANE)/%.checked,$(wildcard kunit/compile_fail/*.cc))
.PHONY: compile-fail
compile-fail: $(host-compile-fail)
test: compile-fail
$(host-compile-fail): $(HOST_LANE)/%.checked: %.cc $(wildcard core/*.hh) kunit/host.mk
	@mkdir -p $(@D)
	@echo "  CHECK   $<"
	@$(HOST_CXX) -std=c++23 -stdlib=libc++ -Iinclude -Icore -fsyntax-only -ferror-limit=0 -Wthread-safety -Wunused-result -Werror \
		-Xclang -verify -Xclang -verify-ignore-unexpected=note $<
	@touch $@

# What no test on this machine can see: the order of stores on ppc64le.
compile-fail: $(HOST_LANE)/order.checked
$(HOST_LANE)/order.checked: kunit/check-order core/level_tree.cc $(wildcard core/*.hh) kunit/host.mk
	@mkdir -p $(@D)
	@echo "  CHECK   core/level_tree.cc"
	@kunit/check-order
	@touch $@
