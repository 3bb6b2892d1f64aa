// ABI.md: REGISTER_MEMORY and UNREGISTER_MEMORY.
#include "abi/case.hh"
#include "abi/faults.hh"

namespace harness::abi {

namespace {

Result<> enroll(Bench& b, std::uint64_t vaddr, std::uint64_t size) { return b.container().register_memory(vaddr, size); }
Result<> drop(Bench& b, std::uint64_t vaddr, std::uint64_t size) { return b.container().unregister_memory(vaddr, size); }

// A part of the registered memory is unmapped from the process's point of view before it is registered.
template <std::size_t page, std::size_t count>
Result<> punch(Bench& b) {
  return b.extra().discard(page * page_size(), count * page_size());
}
Result<> unreadable(Bench& b) { return b.extra().protect(PROT_NONE); }

// The good MAP of cases, but of the memory that is about to be unregistered.
Result<> register_and_map_extra(Bench& b) {
  if (auto done = register_extra(b); !done) return done;
  return b.container().map(b.iova(Bench::free_page), b.extra().address(), 4096, Access::both);
}
Result<> unmap_and_unregister_extra(Bench& b) {
  if (auto done = b.container().unmap(b.iova(Bench::free_page), 4096); !done) return done;
  return unregister_extra(b);
}

Result<> map_extra_twice_unmap_once(Bench& b) {
  if (auto done = register_and_map_extra(b); !done) return done;
  auto second = b.iova(Bench::free_page + 9);
  if (auto done = b.container().map(second, b.extra().address(), 4096, Access::both); !done) return done;
  return b.container().unmap(second, 4096);
}
Result<> map_last_page_of_extra(Bench& b) {
  if (auto done = register_extra(b); !done) return done;
  auto last = b.extra().address() + b.extra().size() - 4096;
  return b.container().map(b.iova(Bench::free_page), last, 4096, Access::both);
}
Result<> map_other_over_extra(Bench& b) {
  if (auto done = register_and_map_extra(b); !done) return done;
  return b.container().map(b.iova(Bench::free_page), b.vaddr(Bench::free_unit), 4096, Access::both);
}
Result<> map_extra_in_ddw_and_remove(Bench& b) {
  if (auto done = register_extra(b); !done) return done;
  auto free_iova = b.ddw->start() + 9 * b.ddw->page();
  if (auto done = b.container().map(free_iova, b.extra().address(), b.ddw->page(), Access::both); !done) return done;
  auto removed = b.ddw->remove();
  b.ddw.reset();
  return removed;
}

std::string extra_still_counts(Bench& b) {
  auto again = register_extra(b);
  return !again && again.error() == Errno{EBUSY} ? "" : "it is no longer registered";
}

std::string range_is_free(Bench& b) {
  if (auto again = register_extra(b); !again) return "cannot be registered again: " + again.error().name();
  auto gone = unregister_extra(b);
  return gone ? "" : "then not unregistered: " + gone.error().name();
}

Result<> register_twice(Bench& b) {
  if (auto first = register_extra(b); !first) return first;
  return unregister_extra(b);
}

const Case cases[] = {
    {.name = "register/size-zero", .row = "REGISTER: zero size: EINVAL", .expected = EINVAL,
     .call = with<Call::register_memory, &Memory::size, 0u>},
    {.name = "register/size-overflow", .row = "REGISTER: overflowing size: EINVAL", .expected = EINVAL,
     .call = with<Call::register_memory, &Memory::size, 0xffffffffffff0000u>},
    {.name = "register/end-of-address-space", .row = "REGISTER: overflowing size: EINVAL", .expected = EINVAL,
     .call = [](Bench& b) { return enroll(b, 0xffffffffffff0000u, 0x20000); }},
    {.name = "register/vaddr-unaligned", .row = "REGISTER: page aligned", .expected = EINVAL,
     .call = [](Bench& b) { return enroll(b, b.extra().address() + 512, b.extra().size() - page_size()); }},
    {.name = "register/size-unaligned", .row = "REGISTER: page aligned", .expected = EINVAL,
     .call = [](Bench& b) { return enroll(b, b.extra().address(), b.extra().size() - 512); }},
    {.name = "register/kernel-address", .row = "REGISTER: hole in it: EFAULT", .expected = EFAULT,
     .call = [](Bench& b) { return enroll(b, 0xc000000000000000u, 4 * page_size()); }},
    {.name = "register/hole-at-start", .row = "REGISTER: hole in it: EFAULT", .expected = EFAULT, .prepare = punch<0, 1>,
     .call = register_extra},
    {.name = "register/hole-in-middle", .row = "REGISTER: hole in it: EFAULT", .expected = EFAULT, .prepare = punch<2, 1>,
     .call = register_extra},
    {.name = "register/hole-at-end", .row = "REGISTER: hole in it: EFAULT", .expected = EFAULT, .prepare = punch<3, 1>,
     .call = register_extra},
    {.name = "register/unreadable", .row = "REGISTER: hole in it: EFAULT", .expected = EFAULT, .prepare = unreadable,
     .call = register_extra},
    {.name = "register/twice", .row = "REGISTER: same range again in this container: EBUSY", .expected = EBUSY,
     .prepare = register_extra, .call = register_extra, .finish = unregister_extra},
    {.name = "register/overlap-inside", .row = "REGISTER: overlap: EINVAL", .expected = EINVAL,
     .prepare = register_extra,
     .call = [](Bench& b) { return enroll(b, b.extra().address() + page_size(), page_size()); },
     .finish = unregister_extra},
    {.name = "register/overlap-same-start", .row = "REGISTER: overlap: EINVAL", .expected = EINVAL,
     .prepare = register_extra, .call = [](Bench& b) { return enroll(b, b.extra().address(), page_size()); },
     .finish = unregister_extra},
    {.name = "register/overlap-end", .row = "REGISTER: overlap: EINVAL", .expected = EINVAL,
     .prepare = [](Bench& b) { return enroll(b, b.extra().address() + page_size(), b.extra().size() - page_size()); },
     .call = [](Bench& b) { return enroll(b, b.extra().address(), 2 * page_size()); },
     .finish = [](Bench& b) { return drop(b, b.extra().address() + page_size(), b.extra().size() - page_size()); }},
    {.name = "register/over-limit", .row = "REGISTER: over the limit: ENOMEM", .expected = ENOMEM,
     .prepare = limit_to_nothing, .call = register_extra, .finish = lift_limit},
    {.name = "register/a-page-over-limit", .row = "REGISTER: over the limit: ENOMEM", .expected = ENOMEM,
     .prepare = [](Bench& b) { return limit_to(b, b.extra().size() - page_size()); }, .call = register_extra,
     .finish = lift_limit},
    {.name = "register/at-limit", .row = "REGISTER: pins, accounts",
     .prepare = [](Bench& b) { return limit_to(b, b.extra().size()); }, .call = register_extra,
     .finish = [](Bench& b) {
       auto gone = unregister_extra(b);
       return gone ? lift_limit(b) : gone;
     }},
    {.name = "register/and-back", .row = "REGISTER: pins, accounts; UNREGISTER undoes it", .call = register_twice,
     .verify = range_is_free},

    {.name = "unregister/unknown", .row = "UNREGISTER: unknown range: ENOENT", .expected = ENOENT, .call = unregister_extra},
    // Before the first REGISTER a container has no mm; the in-tree driver says EPERM, and ABI.md does not decide.
    {.name = "unregister/nothing-registered", .row = "UNREGISTER: unknown range: ENOENT", .expected = {ENOENT, EPERM},
     .stage = Stage::fresh, .call = unregister_extra},
    {.name = "unregister/part", .row = "UNREGISTER: the exact range", .expected = ENOENT, .prepare = register_extra,
     .call = [](Bench& b) { return drop(b, b.extra().address(), page_size()); }, .finish = unregister_extra},
    {.name = "unregister/tail", .row = "UNREGISTER: the exact range", .expected = ENOENT, .prepare = register_extra,
     .call = [](Bench& b) { return drop(b, b.extra().address() + page_size(), b.extra().size() - page_size()); },
     .finish = unregister_extra},
    {.name = "unregister/more", .row = "UNREGISTER: the exact range", .expected = ENOENT, .prepare = register_extra,
     .call = [](Bench& b) { return drop(b, b.extra().address(), b.extra().size() + page_size()); },
     .finish = unregister_extra},
    {.name = "unregister/size-zero", .row = "UNREGISTER: unknown range: ENOENT", .expected = {ENOENT, EINVAL},
     .prepare = register_extra, .call = with<Call::unregister_memory, &Memory::size, 0u>, .finish = unregister_extra},
    {.name = "unregister/twice", .row = "UNREGISTER: unknown range: ENOENT", .expected = ENOENT,
     .prepare = register_twice, .call = unregister_extra},
    {.name = "unregister/mapped", .row = "UNREGISTER: still mapped: EBUSY", .expected = EBUSY,
     .prepare = register_and_map_extra, .call = unregister_extra, .verify = extra_still_counts,
     .finish = unmap_and_unregister_extra},
    {.name = "unregister/mapped-twice", .row = "UNREGISTER: still mapped: EBUSY", .expected = EBUSY,
     .prepare = map_extra_twice_unmap_once, .call = unregister_extra, .verify = extra_still_counts,
     .finish = unmap_and_unregister_extra},
    {.name = "unregister/last-page-mapped", .row = "UNREGISTER: still mapped: EBUSY", .expected = EBUSY,
     .prepare = map_last_page_of_extra, .call = unregister_extra, .verify = extra_still_counts,
     .finish = unmap_and_unregister_extra},
    {.name = "unregister/mapped-over-by-another", .row = "MAP: over an existing mapping it replaces it",
     .prepare = map_other_over_extra, .call = unregister_extra,
     .finish = [](Bench& b) { return b.container().unmap(b.iova(Bench::free_page), 4096); }},
    {.name = "unregister/mapped-in-removed-window", .row = "REMOVE: unmaps it", .stage = Stage::with_ddw,
     .prepare = map_extra_in_ddw_and_remove, .call = unregister_extra, .afterwards = Afterwards::changed},
};

}  // namespace

std::span<const Case> memory_cases() { return cases; }

}  // namespace harness::abi
