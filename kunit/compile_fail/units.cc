// SPDX-License-Identifier: GPL-2.0-only
// Mixing units does not compile, nor do a few other things that would be wrong; what stands between the wrong lines
// does. Checked by clang's -verify ("make -f kunit/host.mk compile-fail"): each expected error must be there, and no
// other.
#include "units.hh"

#include "geometry.hh"
#include "tce.hh"

using namespace tcewin;

namespace
{

constexpr Ioba ioba{1};
constexpr HostPhys real{1};
constexpr UserVa va{1};
constexpr Bytes bytes{1};
constexpr TceCount count{1};
constexpr TceIndex index{1};
constexpr Liobn liobn{1};

// An address of one space is none of another.
auto a1 = ioba + bytes;
auto a2 = ioba - real; // expected-error {{invalid operands}}
auto a3 = va - ioba;   // expected-error {{invalid operands}}
auto a4 = real + real; // expected-error {{invalid operands}}
auto a5 = ioba + va;   // expected-error {{invalid operands}}
UserVa a6 = real;      // expected-error {{no viable conversion}}
UserVa a7{ioba};       // expected-error {{no matching constructor}}
bool a8 = ioba == va;  // expected-error {{invalid operands}}
bool a9 = real < ioba; // expected-error {{invalid operands}}

// A count of TCEs is no count of bytes, an index is not an address.
auto b1 = index + count;
auto b2 = bytes + count;	 // expected-error {{invalid operands}}
auto b3 = ioba + count;		 // expected-error {{invalid operands}}
auto b4 = ioba + index;		 // expected-error {{invalid operands}}
auto b5 = index + index;	 // expected-error {{invalid operands}}
auto b6 = index + bytes;	 // expected-error {{invalid operands}}
auto b7 = count - index;	 // expected-error {{invalid operands}}
bool b8 = bytes == count;	 // expected-error {{invalid operands}}
auto b9 = page_4k.pages(count);	 // expected-error {{no viable conversion}}
auto b10 = page_4k.bytes(bytes); // expected-error {{no viable conversion}}

// Numbers become units only where it is said, and never by themselves.
Bytes c1{4096};
Bytes c2 = 4096;	   // expected-error {{no viable conversion}}
auto c3 = bytes + 1;	   // expected-error {{invalid operands}}
u64 c4 = bytes;		   // expected-error {{no viable conversion}}
bool c5 = index == 0;	   // expected-error {{invalid operands}}
Ioba c6 = liobn;	   // expected-error {{no viable conversion}}
Ioba c7{liobn};		   // expected-error {{no matching constructor}}
PageShift c8{12};	   // expected-error {{calling a private constructor}}
PageShift c9 = 12;	   // expected-error {{no viable conversion}}
Tce c10{va, Access::read}; // expected-error {{no matching constructor}}
Tce c11{real, 3};	   // expected-error {{no matching constructor}}

// A window's place takes its quantities in the right order.
WindowGeometry d1{ioba, bytes, page_4k};
// expected-error@+1 2 {{no viable conversion}}
WindowGeometry d2{bytes, ioba, page_4k};

} // namespace
