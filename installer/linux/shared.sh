# Copied into the scripts of both packages, so plain POSIX shell.
# shellcheck shell=sh

# running_in FOLDER: prints "user anna, process 1234; user bert, process 99" for programs that run from FOLDER, and
# succeeds when there are any. One process for each user, the first: a window has workers. Root sees everybody's.
running_in() {
    real=$(cd -P -- "$1" 2>/dev/null && pwd -P) || return 1
    running=$(
        for link in /proc/[0-9]*/exe; do
            program=$(readlink "$link" 2>/dev/null) || continue
            case $program in
                "$real"/*) ;;
                *) continue ;;
            esac
            process=${link#/proc/}
            process=${process%/exe}
            # Gone in the meantime: not running.
            user=$(stat -c %U "/proc/$process" 2>/dev/null) || continue
            printf '%s %s\n' "$process" "$user"
        done | sort -n | awk '!seen[$2]++ { printf "%suser %s, process %s", between, $2, $1; between = "; " }'
    )
    [ -n "$running" ] && printf '%s' "$running"
}

# free_kib FOLDER: prints how many KiB may still be written there; nothing where the file system does not tell.
# Read from the end, as names of disks may hold spaces.
free_kib() { LC_ALL=C df -Pk "$1" 2>/dev/null | sed -n '2s/.* \([0-9]\{1,\}\)  *[0-9]\{1,\}% .*/\1/p'; }

# in_words KIB: prints "4.1 GB" or "12 MB".
in_words() {
    LC_ALL=C awk -v kib="$1" 'BEGIN { mb = kib * 1.024 / 1000; if (mb >= 1000) printf "%.1f GB", mb / 1000; else printf "%.0f MB", mb + 0.5 }'
}
