// SPDX-License-Identifier: GPL-2.0-only
// tcewin-harness: ioctls of the sPAPR TCE interface from userspace, with a device that tries what they promise.
// Runs as root in a guest with a QEMU edu device; exit status 0 when everything was as ABI.md has it.
#include <CLI/CLI.hpp>

#include "cmd/abi.hh"
#include "cmd/clients.hh"
#include "cmd/drivers.hh"
#include "cmd/life.hh"
#include "cmd/race.hh"
#include "cmd/status.hh"

namespace
{

using namespace harness;

const std::map<std::string, Driver> drivers{{"tcewin", Driver::tcewin}, {"in-tree", Driver::in_tree}};

const std::map<std::string, Order> orders{{"tcewin-first", Order::tcewin_first},
					  {"in-tree-first", Order::in_tree_first},
					  {"open-across-load", Order::open_across_load}};

void add_common(CLI::App &command, Options &options)
{
	command.add_option("--driver", options.driver, "the driver that is to serve")
		->transform(CLI::CheckedTransformer(drivers, CLI::ignore_case));
	command.add_option("--module", options.source.file, "tcewin's module file")->capture_default_str();
	command.add_option("--parameters", options.source.parameters, "module parameters for tcewin");
	command.add_flag("-v,--verbose", options.verbose, "say more");
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app{"ioctls of the sPAPR TCE VFIO interface, tried by a device"};
	app.require_subcommand(1);
	bool good = false;

	Life_options life;
	auto *life_command = app.add_subcommand("life", "the life of a v2 container, step by step");
	add_common(*life_command, life);
	life_command->add_option("--ddw-shift", life.ddw_shift,
				 "page shift of the dynamic window; 0: the kernel's page");
	life_command->add_option("--ddw-size", life.ddw_size, "its size in bytes");
	life_command->callback([&] { good = run_life(life); });

	Abi_options abi;
	auto *abi_command = app.add_subcommand("abi", "every row of ABI.md as a named case, bad input above all");
	add_common(*abi_command, abi);
	abi_command->add_option("--case", abi.cases, "only these (shell patterns)");
	abi_command->add_option("--skip", abi.skip, "all but these (shell patterns)");
	abi_command->add_option("--after", abi.after, "begin behind this case");
	abi_command->add_option("--patience", abi.patience, "seconds for one case")->capture_default_str();
	abi_command->add_flag("--no-ddw", abi.no_ddw, "expect no DDW, even of a PE that has it (borrow=...)");
	abi_command->add_flag("--until-damage", abi.until_damage,
			      "end when a failed case has left a PE that does not work");
	abi_command->add_flag("--list", abi.list, "name the cases and run none");
	abi_command->callback([&] { good = run_abi(abi); });

	Clients_options clients;
	auto *clients_command = app.add_subcommand("clients", "what public clients do, call by call");
	add_common(*clients_command, clients);
	clients_command->add_option("--scenario", clients.only, "only these; none: all")
		->check(CLI::IsMember(client_names()));
	clients_command->callback([&] { good = run_clients(clients); });

	Drivers_options both;
	auto *drivers_command = app.add_subcommand("drivers", "which driver serves when both are loaded");
	add_common(*drivers_command, both);
	drivers_command
		->add_option("--order", both.orders, "only this order of loading; none: all, and refusals, and rmmod")
		->transform(CLI::CheckedTransformer(orders));
	drivers_command->callback([&] { good = run_drivers(both); });

	Race_options race;
	auto *race_command = app.add_subcommand("race", "ioctls while the group leaves the container and comes back");
	add_common(*race_command, race);
	race_command->add_option("--seconds", race.seconds, "how long")->capture_default_str();
	race_command->add_option("--threads", race.threads, "threads that issue ioctls")->capture_default_str();
	race_command->add_option("--seed", race.seed, "of the random choices")->capture_default_str();
	race_command->callback([&] { good = run_race(race); });

	auto *status_command = app.add_subcommand("status", "modules, devices, groups and windows as they are");
	status_command->callback([&] { good = run_status(); });

	CLI11_PARSE(app, argc, argv);
	return good ? 0 : 1;
}
