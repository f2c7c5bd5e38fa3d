# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# What every script here needs: where the tree, the cache and the unpacked
# kernel are, and how to speak to the person. Sourced, never run. It knows
# nothing of what a script does.

set -euo pipefail

TOP=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
BUILD=$TOP/build
export HOME=${HOME:-/root}
CACHE=${IOMMUFD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iommufd}

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

# Where a kernel that setup unpacked keeps its parts; $1 is its directory.
kernel_paths()
{
	KERNEL=$1
	KRELEASE=$(<"$KERNEL/release")
	VMLINUZ=$KERNEL/boot/vmlinuz-$KRELEASE
	KMODULES=$KERNEL/lib/modules/$KRELEASE
	KDIR=$KERNEL/usr/src/linux-headers-$KRELEASE
	KSRC=$KERNEL/source
	export KERNEL KRELEASE VMLINUZ KMODULES KDIR KSRC
}

# The stock kernel that everything is built for, fetched when there is none:
# the newest one, or the one that IOMMUFD_RELEASE in the environment names.
use_stock_kernel()
{
	local link=$CACHE/kernel/${IOMMUFD_RELEASE:-current}

	[ -e "$link/release" ] || "$TOP/scripts/setup"
	kernel_paths "$(realpath "$link")"
}

# What scripts/modules makes of one flavour: the build
# directory, and a root directory whose lib/modules modprobe can use.
flavour_paths()
{
	FLAVOUR=$1
	FLAVOUR_BUILD=$BUILD/$FLAVOUR
	FLAVOUR_ROOT=$BUILD/$FLAVOUR/root
	FLAVOUR_MODULES=$FLAVOUR_ROOT/lib/modules/$KRELEASE
}

# The stock kernel's whole source with the subsystem in it (see scripts/tree), and
# beside it what is built from it. One directory for all work trees, that they
# use in turn: make then compiles only where they differ.
cached_tree_paths()
{
	TREE_CACHE=$CACHE/debug-kernel/${KERNEL##*/}
	TREE=$TREE_CACHE/source
}

# Until this process ends.
lock_cached_tree()
{
	mkdir -p "$TREE_CACHE"
	exec {tree_lock}>"$TREE_CACHE/lock"
	flock "$tree_lock"
}

# What scripts/debug-kernel makes of one flavour.
debug_kernel_paths()
{
	DEBUG_KERNEL=$BUILD/debug-kernel/$1
	DEBUG_VMLINUX=$DEBUG_KERNEL/vmlinux
	DEBUG_MODULES=$DEBUG_KERNEL/modules
}

# Adds up lines "N passed, N failed, N skipped" of the files named and prints
# one such line. Only the last such line of a file counts.
add_totals()
{
	awk '
	/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { last[FILENAME] = $0 }
	END {
		for (file in last) {
			split(last[file], word, " ")
			passed += word[1]; failed += word[3]; skipped += word[5]
		}
		printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	}' "$@"
}
