# SPDX-License-Identifier: MIT
#
# tests/suite.sh - how tests/run judges a suite: sourced by it, and by
# tests/check-runner, which shows that it can say no.
#
# Takes: out, where the logs go; only, the suites wanted, none: all. Sets
# passed, failed, skipped, broken; out/skips has a line for each test that was
# skipped, out/failures what each that failed has said.

. tests/each.sh

passed=0
failed=0
skipped=0
broken=

# True if the suite is to be run.
wanted()
{
    [ -z "$only" ] || [[ " $only " = *" $1 "* ]]
}

# run_suite NAME COMMAND... - runs one, and keeps how it ended and how long
# that took.
run_suite()
{
    local name=$1 begin=$SECONDS
    shift
    "$@" >"$out/$name.log" 2>&1
    echo "$? $((SECONDS - begin))" >"$out/$name.ended"
}

# suite NAME COMMAND... - runs one, and judges it.
suite()
{
    wanted "$1" || return
    echo "== $1"
    run_suite "$@"
    judge_suite "$1"
}

# Suites that run while those behind them do, in two lanes, in each of which one
# runs at a time, in the order of their lines:
#
# beside NAME COMMAND... - only on a core for which nobody else asks. For what
# needs a core and nothing else: neither Wine, nor to be in time.
#
# along NAME COMMAND... - with its share of the cores. For what uses Wine, sleeps
# a good part of its time, and shares neither files nor windows with those that
# come behind it.
beside() { in_lane beside "$@"; }
along() { in_lane along "$@"; }

lanes=()
in_lane()
{
    local lane=$1 name=$2 before= i
    shift
    wanted "$name" || return
    for ((i = 0; i < ${#lanes[@]}; i += 3)); do
        [ "${lanes[i]}" != $lane ] || before=$out/${lanes[i + 1]}.turn
    done
    # Its turn is over when nobody holds this any more.
    exec 9>"$out/$name.turn"
    flock 9
    (
        trap - INT
        [ $lane != beside ] || chrt -i -p 0 $BASHPID
        [ -z "$before" ] || flock -s "$before" true
        run_suite "$@" 9>&-
    ) 2>/dev/null &
    lanes+=($lane "$name" $!)
    exec 9>&-
}

# as_others PID - it has its share of the cores, and what it has started.
as_others()
{
    local child
    chrt -o -p 0 "$1"
    for child in $(pgrep -P "$1"); do
        as_others "$child"
    done
}

# told LANE - waits for all that run in it, and judges them. Those `beside`
# have the cores like others from then on.
told()
{
    local i
    for ((i = 0; i < ${#lanes[@]}; i += 3)); do
        [ "${lanes[i]}" = "$1" ] || continue
        echo "== ${lanes[i + 1]}"
        as_others "${lanes[i + 2]}" 2>/dev/null
        wait "${lanes[i + 2]}"
        judge_suite "${lanes[i + 1]}"
    done
}

# judge_suite NAME - takes the last counts of one that ended.
judge_suite()
{
    local name=$1 status=1 seconds=0 counts
    read -r status seconds <"$out/$name.ended"
    counts=$(grep -E '^([A-Za-z_-]+: )?[0-9]+ passed, [0-9]+ failed' \
        "$out/$name.log" | sed 's/^[A-Za-z_-]*: //' |
        awk -F'[ ,]+' '{ p += $1; f += $3; s += $5 }
             END { if (NR) print p, f, s + 0 }')
    if [ -z "$counts" ]; then
        echo "   ended with status $status and no counts; its last lines:"
        tail -n 20 "$out/$name.log" | sed 's/^/   | /'
        echo "   $name: no counts, status $status" >>"$out/failures"
        failed=$((failed + 1))
        broken="$broken $name"
        return
    fi
    set -- $counts
    echo "   $1 passed, $2 failed, $3 skipped  ($seconds s)"
    if [ "$2" != 0 ] || [ $status != 0 ]; then
        grep -vE '^(ok|pass|passed|  *ok)\b' "$out/$name.log" |
            tail -n 40 | sed 's/^/   | /'
        if grep -qE '^ *FAIL' "$out/$name.log"; then
            grep -E -A 5 '^ *FAIL' "$out/$name.log"
        else
            echo "status $status"
        fi | sed "s/^ */   $name: /" >>"$out/failures"
        broken="$broken $name"
        [ "$2" != 0 ] || set -- "$1" 1 "$3"
    fi
    grep -iE '^ *skip' "$out/$name.log" | sed "s/^ */   /" |
        tee -a "$out/skips"
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
}

# judge COMMAND... - runs a program of tests. One that ends before it has said
# its counts, or with a status that they do not explain, has failed.
judge()
{
    local said status last
    echo "-- $*"
    said=$("$@" 2>&1)
    status=$?
    echo "$said"
    last=${said##*$'\n'}
    if ! [[ $last =~ ^[0-9]+\ passed,\ [0-9]+\ failed ]]; then
        echo "FAIL $*: status $status, and no counts"
        echo "0 passed, 1 failed"
        return 1
    fi
    if [ $status != 0 ] && [[ $last = *" passed, 0 failed"* ]]; then
        echo "FAIL $*: status $status"
        echo "0 passed, 1 failed"
    fi
    return $status
}

# units PROGRAM... - runs unit tests, and judges them.
units()
{
    each judge "$@"
}
