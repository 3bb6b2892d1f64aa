#include "lib/buffer.hh"

#include <linux/mman.h>
#include <sys/mman.h>

#include "lib/sysfs.hh"

namespace harness {

Result<Buffer> Buffer::map(std::size_t size, int protection, int flags, int fd) {
  void* base = ::mmap(nullptr, size, protection, flags, fd, 0);
  if (base == MAP_FAILED) return fail_errno();
  return Buffer{base, size};
}

Result<Buffer> Buffer::anonymous(std::size_t size, std::size_t alignment) {
  // More address space than asked for, then the ends that do not fit are given back.
  auto slack = alignment > page_size() ? alignment : 0;
  auto whole = map(size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!whole) return whole;
  auto head = slack ? -whole->address() & (slack - 1) : 0;
  auto base = static_cast<std::byte*>(whole->base_);
  if (head) ::munmap(base, head);
  if (slack - head) ::munmap(base + head + size, slack - head);
  whole->base_ = nullptr;
  Buffer buffer{base + head, size};
  (void)::madvise(buffer.base_, size, MADV_NOHUGEPAGE);
  for (auto& byte : buffer.bytes()) byte = std::byte{0};
  return buffer;
}

Result<Buffer> Buffer::shared(std::size_t size) {
  Fd file{::memfd_create("tcewin-harness", MFD_CLOEXEC)};
  if (!file) return fail_errno();
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) return fail_errno();
  return map(size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.get());
}

Result<Buffer> Buffer::huge(std::size_t size, unsigned page_shift) {
  int huge = MAP_HUGETLB | static_cast<int>(page_shift << MAP_HUGE_SHIFT);
  return map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | huge, -1);
}

Buffer::~Buffer() {
  if (base_) ::munmap(base_, size_);
}

Result<> Buffer::discard(std::size_t offset, std::size_t count) const {
  return zero_expected(::munmap(bytes().data() + offset, count));
}

Result<> Buffer::protect(int protection) const { return zero_expected(::mprotect(base_, size_, protection)); }

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t reserve_huge_pages(unsigned page_shift, std::size_t count) {
  auto path = "/sys/kernel/mm/hugepages/hugepages-" + std::to_string((1ull << page_shift) >> 10) + "kB/nr_hugepages";
  auto now = [&path] { return parse_number(read_line(path).value_or("0")).value_or(0); };
  if (now() < count) (void)write_file(path, std::to_string(count));
  return now();
}

}  // namespace harness
