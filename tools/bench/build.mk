# SPDX-License-Identifier: GPL-2.0-only
# tcewin-bench: a static ppc64le program of tools/bench and the harness' library. Included by the top Makefile after the harness' build.mk.

BENCH_BIN := build/ppc64le/tcewin-bench
BENCH_OBJ := build/ppc64le/bench
BENCH_OBJS := $(patsubst tools/bench/%.cc,$(BENCH_OBJ)/%.o,$(wildcard tools/bench/*.cc))
BENCH_LIB := $(filter $(HARNESS_OBJ)/lib/%,$(HARNESS_OBJS)) $(HARNESS_OBJ)/cmd/options.o

$(BENCH_BIN): $(BENCH_OBJS) $(BENCH_LIB)
	@echo '  LD      $@'
	@$(HARNESS_CXX) -static -o $@ $^

$(BENCH_OBJ)/%.o: tools/bench/%.cc tools/bench/build.mk | $(HARNESS_INC)/.ready
	@mkdir -p $(@D)
	@echo '  CXX     $<'
	@$(HARNESS_CXX) $(HARNESS_FLAGS) -Itools/bench -MMD -MP -c -o $@ $<

-include $(BENCH_OBJS:.o=.d)
