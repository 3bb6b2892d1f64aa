# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-only
# Reads a guest's console: passes it on, and finds the result and the first splat in it. Sourced by run and selftest.

# What the kernel prints when something is wrong, as seen after the time stamp of a line of its own.
splat_words='WARNING: |BUG: |BUG kmalloc|BUG [a-z_0-9-]+ \(|kernel BUG at|UBSAN: |INFO: (possible|suspicious|trying|task |rcu|lockdep|NMI)|Oops: |Unable to handle|'
splat_words+='Call Trace:|watchdog: (BUG|CPU)|soft lockup|hard LOCKUP|rcu: INFO|rcu:.*(stall|detected)|DEBUG_LOCKS_WARN|={20,}|'
splat_words+='kmemleak: [0-9]+ new suspected|kmemleak: .*disabled|Kernel panic|general protection|list_(add|del) corruption|'
splat_words+='ODEBUG: |refcount_t: |sleeping function called|scheduling while atomic|page dumped because|Bad page'
splat_stamp='\[ *[0-9]+\.[0-9]{6}\](\[[^]]*\])? '
# kmemleak's own file, read by a program, has no stamps.
splat_bare='^unreferenced object 0x'
splat_harmless='Kernel command line:|Unknown kernel command line|kasan: |kcsan: '

is_splat() {
	local line=$1
	if [[ $line =~ $splat_bare ]]; then return 0; fi
	[[ $line =~ ${splat_stamp}(.*) ]] || return 1
	line=${BASH_REMATCH[2]}
	[[ $line =~ $splat_words && ! $line =~ $splat_harmless ]]
}

# ask_monitor NUMBER COMMAND: what the guest wants of QEMU, which it says more than once.
asked=0
ask_monitor()
{
	[ -n "$monitor" ] && [ "$1" -gt "$asked" ] || return 0
	asked=$1
	say "the guest asks QEMU: $2"
	printf '%s\n' "$2" > "$scratch/monitor.in"
}

# watch_console: copies stdin to stdout, and to file descriptor 9 (the log), until it ends. Sets result (the program's status), failure
# (what init could not do), died (the panic's line), splat (the first), splats (how many), lockdep (off or empty), and stuck when a
# guest that has said its last word does not go.
watch_console() {
	local line patience=()
	result='' failure='' died='' splat='' splats=0 lockdep='' stuck=''
	while IFS= read -r "${patience[@]}" line || { [ $? -gt 128 ] && stuck=yes; } || [ -n "$line" ]; do
		[ -z "$stuck" ] || return 0
		line=${line//$'\r'/}
		case $line in
		*LAB-EXIT\ *)
			[[ ! $line =~ LAB-EXIT\ ([0-9]+) ]] || result=${BASH_REMATCH[1]} patience=(-t 20)
			continue ;;
		*LAB-FAIL\ *) failure=${line#*LAB-FAIL } patience=(-t 20); continue ;;
		*"warning: TCG doesn't support requested feature, cap-"*) continue ;; # on every pseries guest
		*LAB-LOCKDEP-OFF*) lockdep=off; continue ;;
		*LAB-MONITOR\ *)
			[[ ! $line =~ LAB-MONITOR\ ([0-9]+)\ (.*)\ LAB-END$ ]] || ask_monitor "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
			continue ;;
		*'Kernel panic'*) [ -n "$died" ] || died=${line##*Kernel panic}; died=${died# - } patience=(-t 20) ;;
		esac
		printf '%s\n' "$line"
		printf '%s\n' "$line" >&9
		if is_splat "$line"; then
			case $splat in '' | *====*) splat=$line ;; esac # a headline of "=" says nothing
			splats=$((splats + 1))
		fi
	done
}
