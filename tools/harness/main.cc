// SPDX-License-Identifier: GPL-2.0-only
// tcewin-harness: ioctls of the sPAPR TCE interface from userspace, with a device that tries what they promise.
// Runs as root in a guest with a QEMU edu device; exit status 0 when everything was as ABI.md has it.
#include <CLI/CLI.hpp>

#include "cmd/abi.hh"
#include "cmd/churn.hh"
#include "cmd/clients.hh"
#include "cmd/drivers.hh"
#include "cmd/hold.hh"
#include "cmd/handover.hh"
#include "cmd/life.hh"
#include "cmd/race.hh"
#include "cmd/roundtrip.hh"
#include "cmd/reload.hh"
#include "cmd/scale.hh"
#include "cmd/status.hh"
#include "cmd/stress.hh"

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

	Handover_options handover;
	auto *handover_command =
		app.add_subcommand("handover", "a PE of two devices from the kernel to a user and back");
	add_common(*handover_command, handover);
	handover_command->add_option("--host-module", handover.host_module, "the file of edu_host.ko")
		->capture_default_str();
	handover_command->callback([&] { good = run_handover(handover); });

	Race_options race;
	auto *race_command = app.add_subcommand("race", "ioctls while the group leaves the container and comes back");
	add_common(*race_command, race);
	race_command->add_option("--seconds", race.seconds, "how long")->capture_default_str();
	race_command->add_option("--threads", race.threads, "threads that issue ioctls")->capture_default_str();
	race_command->add_option("--seed", race.seed, "of the random choices")->capture_default_str();
	race_command->callback([&] { good = run_race(race); });

	Options hold;
	auto *hold_command = app.add_subcommand("hold", "a user with a DDW and no default window, until the end");
	add_common(*hold_command, hold);
	hold_command->callback([&] { good = run_hold(hold); });

	Roundtrip_options roundtrip;
	auto *roundtrip_command =
		app.add_subcommand("roundtrip", "the kernel's nvme driver before and after a user of its disk");
	add_common(*roundtrip_command, roundtrip);
	roundtrip_command->add_flag("--direct", roundtrip.direct, "the driver has a direct 64-bit window here");
	roundtrip_command->callback([&] { good = run_roundtrip(roundtrip); });

	Scale_options scale;
	auto *scale_command = app.add_subcommand("scale", "windows of terabytes, and what they cost");
	add_common(*scale_command, scale);
	scale_command->add_option("--mappings", scale.mappings, "pages mapped for the measurement")
		->capture_default_str();
	scale_command->callback([&] { good = run_scale(scale); });

	Churn_options churn;
	auto *churn_command = app.add_subcommand("churn", "windows made and removed, over and over");
	add_common(*churn_command, churn);
	churn_command->add_option("--rounds", churn.rounds, "how often")->capture_default_str();
	churn_command->callback([&] { good = run_churn(churn); });

	Reload_options reload;
	auto *reload_command = app.add_subcommand("reload", "tcewin loaded and unloaded while an NVMe disk is in use");
	add_common(*reload_command, reload);
	reload_command->add_option("--rounds", reload.rounds, "how often")->capture_default_str();
	reload_command->callback([&] { good = run_reload(reload); });

	Stress_options stress;
	auto *stress_command =
		app.add_subcommand("stress", "threads and processes that issue every ioctl, fork and are killed");
	add_common(*stress_command, stress);
	stress_command->add_option("--seconds", stress.seconds, "how long")->capture_default_str();
	stress_command->add_option("--seed", stress.seed, "of the random choices")->capture_default_str();
	stress_command->callback([&] { good = run_stress(stress); });

	auto *status_command = app.add_subcommand("status", "modules, devices, groups and windows as they are");
	status_command->callback([&] { good = run_status(); });

	CLI11_PARSE(app, argc, argv);
	return good ? 0 : 1;
}
