# SPDX-License-Identifier: MIT
#
# tests/each.sh - several at a time: sourced by suites.

# each COMMAND WORD... - runs COMMAND WORD for every word, as many at a time as
# there are cores. What one says is shown in one piece, in the order of the
# words. Status 1 if one of them had another than 0.
#
# For what needs a core and nothing else: what waits for Wine is slower beside
# it, and misses its deadlines.
each()
{
    local command=$1 dir pids=() status=0 i
    shift
    dir=$(mktemp -d) || return 1
    for i in $(seq $#); do
        # Whoever calls may have jobs of its own.
        while [ "$(jobs -pr | grep -cxF "$(printf '%s\n' "${pids[@]}")")" -ge \
            "$(nproc)" ]; do
            wait -n
        done
        (trap - INT; "$command" "${!i}") >"$dir/$i" 2>&1 &
        pids+=($!)
    done
    for i in $(seq $#); do
        wait "${pids[i - 1]}" || status=1
        cat "$dir/$i"
    done
    rm -rf "$dir"
    return $status
}
