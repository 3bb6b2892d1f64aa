// SPDX-License-Identifier: GPL-2.0-only
#include "firmware/scene.hh"

#include "lib/bare.hh"
#include "lib/platform.hh"

namespace harness::firmware
{

Aim &Scene::aim(std::optional<Aim> &made, const Edu &edu)
{
	if (!made) {
		made.emplace(edu);
		made->watch(b.memory().bytes());
		made->watch(b.extra().bytes());
		if (b.own)
			made->watch(b.own->bytes());
	}
	return *made;
}

Aim &Scene::first() { return aim(first_, b.second ? b.second->edu() : b.rig().edu()); }
Aim &Scene::second() { return aim(second_, b.neighbour->edu()); }

std::uint64_t Scene::size_beyond_default() const
{
	return platform().powernv ? abi::Bench::ddw_size : 2ull * b.info().dma32_window_size;
}

void Scene::forget()
{
	first_.reset();
	second_.reset();
}

std::string nobody_reaches(const Pci_function &function, std::uint64_t ioba, std::span<std::byte> there)
{
	auto edu = bare_edu(function);
	if (!edu)
		return "the device without VFIO: " + edu.error().name();
	Aim aim{*edu};
	aim.watch(there);
	return aim.misses(ioba, there);
}

} // namespace harness::firmware
