# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A run of tests as a series of parts: each is timed, its output is kept and its
# test cases are counted. Sourced after lib.sh by those that run tests.
#
# IOMMUFD_DEADLINE in the environment: see lib.sh. A part that cannot be over by then
# is not begun.

SELFTESTS=$TOP/tools/testing/selftests/iommufd

# The status of a part that did not end in time: it counts as skipped
TOO_LATE=77

# Process by name of what was begun beside the parts
declare -A begun

# start_parts NAME: what the parts print is kept in build/NAME
start_parts()
{
	LOGS=$BUILD/$1
	rm -rf "$LOGS"
	mkdir -p "$LOGS"
	parts_failed=no
	parts_table=
}

# what_failed: the lines of the parts' output that say so, each once: of test cases with
# the expectation that was not met, of checks with their names, of the kernel how its
# report begins
what_failed()
{
	awk '
	/: the kernel reported [(]/ { report = 20 }
	report-- > 0 || /^not ok / || /^# [a-z_0-9]+[.]c:[0-9]+:/ || /^  .* FAILED$/ ||
	/^# [a-z_0-9]+: .*(no result|not finished|exit status)/ {
		if (!seen[$0]++)
			print
	}' "$LOGS"/*
}

# end_parts: prints what failed, how long each part took, then one line of totals; false
# if anything failed. Who reads the end of the output alone has it all.
end_parts()
{
	if [ "$parts_failed" = yes ]; then
		say 'what failed'
		what_failed
	fi
	printf '\n%s\n' "$parts_table"
	add_totals "$LOGS"/*
	[ "$parts_failed" = no ]
}

note_part()
{
	local line

	printf -v line '  %-24s %5s s  %s\n' "$@"
	parts_table+=$line
}

# part NAME COMMAND...: its output, and a totals line even if it has none.
part()
{
	local name=$1 status=0 began=$EPOCHSECONDS verdict=ok
	shift

	say "$name"
	"$@" 2>&1 | tee "$LOGS/$name" || status=$?
	case $status in
	0) ;;
	"$TOO_LATE") verdict='skipped: not over in time' ;;
	*)
		parts_failed=yes
		verdict=FAILED
		count_failure "$name" $status
		;;
	esac
	note_part "$name" $((EPOCHSECONDS - began)) "$verdict"
	return $status
}

# A part can fail although no test case did.
count_failure()
{
	! grep -qE '^[0-9]+ passed, [1-9][0-9]* failed' "$LOGS/$1" || return 0
	say "$1 ended with status $2"
	echo '0 passed, 1 failed, 0 skipped' >"$LOGS/$1.status"
}

# part_within SECONDS NAME COMMAND...: the same, if SECONDS, which is what the part
# is known to take, are left. Else it counts as skipped, and is false.
part_within()
{
	local seconds=$1 name=$2 reason

	if [ "$(seconds_left)" -ge "$seconds" ]; then
		part "${@:2}"
		return
	fi
	reason="skipped: takes $seconds s of the $(seconds_left) s that are left"
	say "$name: $reason"
	echo '0 passed, 0 failed, 1 skipped' >"$LOGS/$name"
	note_part "$name" 0 "$reason"
	return 1
}

# begin NAME COMMAND...: beside the parts, with the processor time that they leave: a
# machine that runs test programs seldom needs more than one. Ends with this script at
# the latest. It gets a process group, to be ended as one, but no session: sessions
# share the processors evenly, no matter of which class their processes are.
begin()
{
	local log=$LOGS/.$1
	shift

	trap end_begun EXIT
	echo 1 >"$log.status"
	: >"$log"
	set -m
	# shellcheck disable=SC2016 # for the inner shell
	chrt --idle 0 bash -c '"${@:2}" >"$1" 2>&1; echo $? >"$1.status"' \
		bash "$log" "$@" </dev/null >/dev/null 2>&1 &
	begun[${log##*/.}]=$!
	set +m
}

end_begun()
{
	local process

	for process in $(jobs -rp); do
		kill -- "-$process" 2>/dev/null || :
	done
}

# await NAME: the output of what was begun, and its status when it has ended, or TOO_LATE
await()
{
	local status=0

	timeout "$(limit_to_deadline 3600)" \
		tail -f -n +1 --pid="${begun[$1]}" "$LOGS/.$1" || status=$?
	if [ $status = 124 ]; then
		echo '0 passed, 0 failed, 1 skipped'
		return $TOO_LATE
	fi
	return "$(<"$LOGS/.$1.status")"
}

build_selftests()
{
	make --no-print-directory -s -j2 -C "$SELFTESTS" V=1 KSRC="$KSRC"
}

selftest_devices()
{
	sed 's/#.*//; /^[[:space:]]*$/d' "$SELFTESTS/devices"
}

# in_machine LIMIT VM-OPTION... -- COMMAND...: in the machine that the kselftests
# expect, for at most LIMIT seconds
in_machine()
{
	local device devices=() limit=$1
	shift

	while read -r device; do
		devices+=(--device "$device")
	done < <(selftest_devices)
	"$TOP/scripts/vm" --iommu intel "${devices[@]}" --mem 3G --hugepages 256 \
		--timeout "$limit" "$@"
}
