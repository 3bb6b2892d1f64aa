// SPDX-License-Identifier: GPL-2.0-only
// tcewin-harness: ioctls of the sPAPR TCE interface from userspace, with a device that tries what they promise.
// Runs as root in a guest with a QEMU edu device; exit status 0 when everything was as ABI.md has it.
#include <CLI/CLI.hpp>

#include "cmd/abi.hh"
#include "cmd/churn.hh"
#include "cmd/clients.hh"
#include "cmd/drivers.hh"
#include "cmd/firmware.hh"
#include "cmd/fuzz.hh"
#include "cmd/handover.hh"
#include "cmd/high_window.hh"
#include "cmd/hold.hh"
#include "cmd/hotplug.hh"
#include "cmd/kvm.hh"
#include "cmd/life.hh"
#include "cmd/race.hh"
#include "cmd/references.hh"
#include "cmd/reload.hh"
#include "cmd/roundtrip.hh"
#include "cmd/scale.hh"
#include "cmd/status.hh"
#include "cmd/stress.hh"
#include "cmd/turnover.hh"
#include "cmd/virtual_functions.hh"
#include "cmd/written_back.hh"

namespace
{

using namespace harness;

const std::map<std::string, Driver> drivers{{"tcewin", Driver::tcewin}, {"in-tree", Driver::in_tree}};

const std::map<std::string, Order> orders{{"tcewin-first", Order::tcewin_first},
					  {"in-tree-first", Order::in_tree_first},
					  {"open-across-load", Order::open_across_load}};

// The program's subcommands. Each runs with options of its own type, which begin with what all have in common.
class Commands
{
public:
	explicit Commands(CLI::App &app) : app_{app} {}

	template <typename O>
	void add(
		const char *name, const char *what, bool (*run)(const O &),
		void (*own)(CLI::App &command, O &options) = [](CLI::App &, O &) {})
	{
		auto options = std::make_shared<O>();
		auto *command = app_.add_subcommand(name, what);
		add_common(*command, *options);
		own(*command, *options);
		command->callback([this, options, run] { good_ = run(*options); });
	}
	void add(const char *name, const char *what, bool (*run)())
	{
		app_.add_subcommand(name, what)->callback([this, run] { good_ = run(); });
	}

	bool good() const { return good_; }

private:
	static void add_common(CLI::App &command, Options &options)
	{
		command.add_option("--driver", options.driver, "the driver that is to serve")
			->transform(CLI::CheckedTransformer(drivers, CLI::ignore_case));
		command.add_option("--module", options.source.file, "tcewin's module file")->capture_default_str();
		command.add_option("--parameters", options.source.parameters, "module parameters for tcewin");
		command.add_option("--expect", options.expected,
				   "lines of the kernel's log that are wanted, and no fault (regular expressions)");
		command.add_flag("-v,--verbose", options.verbose, "say more");
	}

	CLI::App &app_;
	bool good_ = false;
};

void own_life(CLI::App &command, Life_options &o)
{
	command.add_option("--ddw-shift", o.ddw_shift, "page shift of the dynamic window; 0: the kernel's page");
	command.add_option("--ddw-size", o.ddw_size, "its size in bytes");
}

// A name that was mistyped would leave a case out, and nobody would know.
std::string must_name_a_case(const std::string &pattern)
{
	return names_a_case(pattern) ? "" : "no case matches " + pattern;
}

void own_abi(CLI::App &command, Abi_options &o)
{
	command.add_option("--case", o.cases, "only these (shell patterns)")->check(must_name_a_case);
	command.add_option("--skip", o.skip, "all but these (shell patterns)")->check(must_name_a_case);
	command.add_option("--after", o.after, "begin behind this case")->check(must_name_a_case);
	command.add_option("--patience", o.patience, "seconds for one case")->capture_default_str();
	command.add_flag("--no-ddw", o.no_ddw, "expect no DDW, even of a PE that has it (borrow=...)");
	command.add_flag("--until-damage", o.until_damage, "end when a failed case has left a PE that does not work");
	command.add_flag("--list", o.list, "name the cases and run none");
}

void own_clients(CLI::App &command, Clients_options &o)
{
	command.add_option("--scenario", o.only, "only these; none: all")->check(CLI::IsMember(client_names()));
}

void own_drivers(CLI::App &command, Drivers_options &o)
{
	command.add_option("--order", o.orders, "only this order of loading; none: all, and refusals, and rmmod")
		->transform(CLI::CheckedTransformer(orders));
}

void own_firmware(CLI::App &command, Firmware_options &o)
{
	command.add_option("--case", o.cases, "only these (shell patterns)");
	command.add_flag("--list", o.list, "name the cases and run none");
	command.add_flag("--stuck", o.stuck, "only what ends in quarantine; takes five PEs");
}

void own_handover(CLI::App &command, Handover_options &o)
{
	using Part = Handover_options::Part;
	const std::map<std::string, Part> parts{
		{"rounds", Part::rounds}, {"masks", Part::masks}, {"shortage", Part::shortage}};
	command.add_option(
		       "--part", o.part,
		       "rounds of all states of the windows; every pair of DMA masks; or what comes of a shortage of "
		       "memory, which wants fault injection")
		->transform(CLI::CheckedTransformer(parts));
	command.add_option("--host-module", o.host_module, "the file of edu_host.ko")->capture_default_str();
}

void own_hold(CLI::App &command, Hold_options &o)
{
	command.add_flag("--keep-default", o.keep_default, "the default window stays beside it");
}

void own_hotplug(CLI::App &command, Hotplug_options &o)
{
	command.add_option("--host-module", o.host_module, "the file of edu_host.ko")->capture_default_str();
}

void own_references(CLI::App &command, References_options &o)
{
	command.add_option("--refs-module", o.refs_module, "the file of kernel_refs.ko")->capture_default_str();
}

void own_roundtrip(CLI::App &command, Roundtrip_options &o)
{
	command.add_flag("--direct", o.direct, "the driver has a direct 64-bit window here");
}

void own_scale(CLI::App &command, Scale_options &o)
{
	command.add_option("--mappings", o.mappings, "pages mapped for the measurement")->capture_default_str();
}

template <typename O>
void own_rounds(CLI::App &command, O &o)
{
	command.add_option("--rounds", o.rounds, "how often")->capture_default_str();
}

void own_kvm(CLI::App &command, Kvm_options &o)
{
	command.add_option("--scenario", o.only, "only these; none: all")->check(CLI::IsMember(kvm_scenario_names()));
	command.add_option("--seconds", o.seconds, "how long the race lasts")->capture_default_str();
	command.add_option("--seed", o.seed, "of its random choices")->capture_default_str();
}

template <typename O>
void own_seconds(CLI::App &command, O &o)
{
	command.add_option("--seconds", o.seconds, "how long")->capture_default_str();
	command.add_option("--seed", o.seed, "of the random choices")->capture_default_str();
}

void own_fuzz(CLI::App &command, Fuzz_options &o)
{
	command.add_option("--histories", o.histories, "at random")->capture_default_str();
	command.add_option("--seed", o.seed, "of the random choices")->capture_default_str();
	command.add_option("--corpus", o.corpus, "a file of histories that are played first")->check(CLI::ExistingFile);
}

void own_race(CLI::App &command, Race_options &o)
{
	own_seconds(command, o);
	command.add_option("--threads", o.threads, "threads that issue ioctls")->capture_default_str();
}

void own_turnover(CLI::App &command, Turnover_options &o)
{
	own_seconds(command, o);
	command.add_option("--threads", o.threads, "threads that call")->capture_default_str();
}

void add_all(Commands &commands)
{
	commands.add("life", "the life of a v2 container, step by step", run_life, own_life);
	commands.add("abi", "every row of ABI.md as a named case, bad input above all", run_abi, own_abi);
	commands.add("clients", "what public clients do, call by call", run_clients, own_clients);
	commands.add("drivers", "which driver serves when both are loaded", run_drivers, own_drivers);
	commands.add("firmware", "firmware that refuses: each of its calls, once and from then on", run_firmware,
		     own_firmware);
	commands.add("handover", "a PE of two devices from the kernel to a user and back", run_handover, own_handover);
	commands.add("hotplug", "memory that comes while a user has a PE", run_hotplug, own_hotplug);
	commands.add("roundtrip", "the kernel's nvme driver before and after a user of its disk", run_roundtrip,
		     own_roundtrip);
	commands.add<Options>("written-back", "pages of a file on an NVMe disk that a device writes", run_written_back);
	commands.add("scale", "windows of terabytes, and what they cost", run_scale, own_scale);
	commands.add("churn", "windows made and removed, over and over", run_churn, own_rounds<Churn_options>);
	commands.add("reload", "tcewin loaded and unloaded while an NVMe disk is in use", run_reload,
		     own_rounds<Reload_options>);
	commands.add("references", "references of the kernel's that tcewin gives back", run_references, own_references);
	commands.add("race", "ioctls while the group leaves the container and comes back", run_race, own_race);
	commands.add("turnover", "calls of a container that comes and goes beneath them", run_turnover, own_turnover);
	commands.add("stress", "threads and processes that issue every ioctl, fork and are killed", run_stress,
		     own_seconds<Stress_options>);
	commands.add("fuzz", "histories of a grammar, with devices that look for what is reachable", run_fuzz,
		     own_fuzz);
	commands.add("kvm", "KVM's hypercalls in our windows, and every order of ending", run_kvm, own_kvm);
	commands.add("hold", "a user with a DDW and no default window, until the end", run_hold, own_hold);
	commands.add<Options>("virtual-functions", "virtual functions with the kernel and with a user",
			      run_virtual_functions);
	commands.add<Options>("high-window", "a default window above 4 GiB, which GET_INFO cannot tell of",
			      run_high_window);
	commands.add("status", "modules, devices, groups and windows as they are", run_status);
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app{"ioctls of the sPAPR TCE VFIO interface, tried by a device"};
	app.require_subcommand(1);
	Commands commands{app};
	add_all(commands);
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		return app.exit(error) == 0 ? 0 : 2; // 0: help was asked for
	}
	return commands.good() ? 0 : 1;
}
