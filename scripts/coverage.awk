# SPDX-License-Identifier: GPL-2.0-only
#
# Adds up what gcov says of several objects and runs. See scripts/coverage.

BEGIN {
	FS = ":"
	# FILE:FUNCTION: TEXT <tab> REASON, where * is all of the function
	while ((getline line < exceptions) > 0) {
		if (line ~ /^(#|$)/)
			continue
		split(line, part, "\t+")
		excused[part[1]] = 1
	}
}

FNR == 1 {
	file = FILENAME
	sub(/.*drivers#iommu#iommufd#/, "", file)
	sub(/\.gcov$/, "", file)
	gsub(/#/, "/", file)
}

{
	count = $1
	gsub(/[ *]/, "", count)
	number = $2 + 0
}

!number || count == "-" { next }

{
	if (!((file, number) in reached))
		reached[file, number] = 0
	if (count !~ /^[#=]/)
		reached[file, number] += count
	if (number > last[file])
		last[file] = number
}

# The function that a line of text begins, by kernel style.
function function_of(text, before)
{
	if (text !~ /^[a-zA-Z_].*\(/ || text ~ /;$/ || text ~ /^#/)
		return before
	sub(/\(.*/, "", text)
	sub(/.*[ *]/, "", text)
	return text
}

function read_source(file,   path, number, text, name)
{
	path = sources "/" file
	while ((getline text < path) > 0) {
		name = function_of(text, name)
		where[++number] = name
		sub(/^[ \t]+/, "", text)
		source[number] = text
	}
	close(path)
	return number
}

function report(file,   lines, n, done, excuses, number, key)
{
	lines = read_source(file)
	for (number = 1; number <= lines; number++) {
		if (!((file, number) in reached))
			continue
		n++
		key = file ":" where[number] ": " source[number]
		if (!(key in excused))
			key = file ":" where[number] ": *"
		if (reached[file, number]) {
			done++
		} else if (key in excused) {
			excuses++
			used[key] = 1
		} else {
			open_lines = open_lines sprintf("%s:%d: %s(): %s\n", file, number,
							where[number], source[number])
			left++
		}
	}
	printf "%-22s %6d %8d %7d %6.1f%%\n", file, n, done, excuses, 100 * done / n
	total += n
	total_done += done
	total_excuses += excuses
}

END {
	count = 0
	for (file in last)
		files[++count] = file
	for (i = 2; i <= count; i++)
		for (j = i; j > 1 && files[j] < files[j - 1]; j--) {
			swap = files[j]
			files[j] = files[j - 1]
			files[j - 1] = swap
		}
	printf "%-22s %6s %8s %7s %7s\n", "file", "lines", "reached", "cannot", ""
	for (i = 1; i <= count; i++)
		report(files[i])
	printf "%-22s %6d %8d %7d %6.1f%%\n\n", "all", total, total_done, total_excuses,
		100 * total_done / total
	for (key in excused)
		if (!(key in used))
			print "listed, but reached or gone: " key
	printf "%s%d lines not reached and not listed\n", open_lines, left
	exit left > 0
}
