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

# The kernel code, as paths from the top: what Kbuild lists, and the headers beside it
kernel_sources()
{
	local objects

	mapfile -t objects < <(sed -nE 's/^\t([a-z_/]+)\.o.*/\1/p' "$TOP/Kbuild")
	(
		cd "$TOP"
		printf '%s.c\n' "${objects[@]}"
		dirname "${objects[@]}" | sort -u |
			xargs -I{} find {} -maxdepth 1 -name '*.h' | sed 's|^\./||' | sort
	)
}

# The patches for VFIO in the order of patches/series, with their paths
vfio_patches()
{
	sed "/^\(#\|\$\)/d; s|^|$TOP/patches/|" "$TOP/patches/series"
}

# apply_patches DIRECTORY: those, to the VFIO in it
apply_patches()
{
	local patch patches

	mapfile -t patches < <(vfio_patches)
	[ ${#patches[@]} -gt 0 ] || die "patches/series names none"
	for patch in "${patches[@]}"; do
		patch -d "$1" -p1 -s -N --no-backup-if-mismatch <"$patch" ||
			die "$patch does not apply to the VFIO of $1"
	done
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

# The stock kernel's whole source with the subsystem in it (see scripts/tree), for
# one use, and what is built from it. All work trees have them in common and use
# them in turn: make then compiles only where they differ.
cached_tree_paths()
{
	TREE_CACHE=$CACHE/debug-kernel/${KERNEL##*/}
	TREE=$TREE_CACHE/$1.source
	TREE_OBJECTS=$TREE_CACHE/$1
}

# IOMMUFD_DEADLINE in the environment: when all has to be over, in seconds since the
# epoch.
seconds_left()
{
	echo $((${IOMMUFD_DEADLINE:-EPOCHSECONDS + 1000000} - EPOCHSECONDS))
}

# limit_to_deadline SECONDS: prints that, or little more than there are left
limit_to_deadline()
{
	local most

	most=$(($(seconds_left) + 240))
	most=$((most > 60 ? most : 60))
	echo $(($1 < most ? $1 : most))
}

# Brings cached tree $1 up to date and keeps it to this process until it ends.
use_cached_tree()
{
	cached_tree_paths "$1"
	mkdir -p "$TREE_OBJECTS"
	exec {tree_lock}>"$TREE_OBJECTS.lock"
	flock -w "$(limit_to_deadline 3600)" "$tree_lock" || die "$1: another build does not end"
	"$TOP/scripts/tree" --cached "$1"
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
