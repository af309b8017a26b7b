# What the installer and the uninstaller share; POSIX shell, copied into both.
# shellcheck shell=sh

say() { [ -n "$quiet" ] || printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# is_ours FOLDER: whether it is an installation that MANIFEST describes.
is_ours() { [ -f "$1/INSTALLED" ] && [ -f "$1/MANIFEST" ]; }

refuse_while_running() { # refuse_while_running FOLDER WHAT-TO-DO-AGAIN
    if running=$(running_in "$1"); then
        fail "SensiView is running ($running). Close it, then $2 again."
    fi
}

# started PROCESS: the moment at which a process started, in the system's ticks; tells it from a later one that got
# its number.
started() { cut -d ' ' -f 22 "/proc/$1/stat" 2>/dev/null; }

# take_lock FOLDER: one installation or removal at a time. A link, as making one is atomic on every file system, also
# on a network's; its target is no file but says who holds it.
take_lock() {
    lock=$1/.sensiview-lock
    mine="process $$ started $(started $$) on $(uname -n)"
    ln -s "$mine" "$lock" 2>/dev/null && return
    theirs=$(readlink "$lock" 2>/dev/null) || {
        lock=
        fail "'$1' can't be written to. Choose another folder with --to FOLDER."
    }
    number=${theirs#process }
    number=${number%% *}
    if [ "${theirs##* on }" = "$(uname -n)" ] && [ "$theirs" != "process $number started $(started "$number") on $(uname -n)" ]; then
        # It was killed. Who moves the link away takes over; whoever moved a new one by mistake puts it back.
        if mv "$lock" "$lock.$$" 2>/dev/null; then
            found=$(readlink "$lock.$$")
            rm -f "$lock.$$"
            if [ "$found" = "$theirs" ]; then
                ln -s "$mine" "$lock" 2>/dev/null && return
            else
                ln -s "$found" "$lock" 2>/dev/null || :
            fi
        fi
    fi
    theirs=$(readlink "$lock" 2>/dev/null) || theirs="another process"
    held=$lock
    lock=
    fail "SensiView is being installed or removed here already ($theirs). Wait until that is done. Should it not run any more, remove '$held'."
}

# remove_program FOLDER: removes what MANIFEST lists, what Python kept beside it, and folders that are empty then.
# Whatever else lies there was put there by the user, and stays. What makes it an installation goes last: a removal that
# was interrupted can be repeated.
remove_program() {
    (
        cd "$1" || exit 1
        grep -vxF -e MANIFEST -e INSTALLED -e uninstall.sh MANIFEST | tr '\n' '\0' | xargs -0 rm -f -- || exit 1
        find . -name __pycache__ -type d -prune -exec rm -rf {} +
        rm -f OUTSIDE uninstall.sh INSTALLED MANIFEST
    ) || return 1
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
    [ ! -d "$1" ]
}
