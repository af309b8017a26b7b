# shellcheck shell=bash
# Shared by make_deb.sh and make_run.sh, which set `version`; sourced, never run.
set -euo pipefail
export LC_ALL=C # names sort by their bytes, on every machine

linux=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$linux/../.." && pwd)
python=${PACKAGE_PYTHON:-$root/.venv/bin/python}
# Two at least: what compressors write with one thread differs from what they write with any other number.
threads=$(nproc)
[ "$threads" -ge 2 ] || threads=2

die() { printf '%s\n' "$*" >&2; exit 1; }

# Every file of the package bears this time.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=$(date +%s)
fi
export SOURCE_DATE_EPOCH

# check_input FOLDER: stops with a sentence when it does not hold the program.
check_input() {
    local program=$1
    if [ ! -x "$program/sensiview" ] || [ ! -d "$program/_internal" ]; then
        die "'$program' does not hold the program: it needs an executable 'sensiview' and a folder '_internal'."
    fi
    [ -z "$(find "$program" -name $'*\n*' -print -quit)" ] || die "A file's name in '$program' holds a line break."
    "$python" -c 'import PySide6' 2>/dev/null ||
        die "'$python' has no PySide6, which draws the icons. Set PACKAGE_PYTHON to a Python that has it."
}

# make_public FOLDER: every user may read it, nobody but the owner may write; files bear the package's time.
# What is linked is one file: this shows in the folder that it was linked from, too.
make_public() {
    chmod -R u+rwX,go+rX,go-w,a-s "$1"
    find "$1" -print0 | xargs -0 touch -h -d "@$SOURCE_DATE_EPOCH"
}

# kib FOLDER BLOCK: the room its files take, in KiB, on a file system that hands out BLOCK KiB at a time.
kib() {
    find "$1" -printf '%y %s %i %n\n' | awk -v block="$2" '
        $1 != "f" { sum += block; next }
        $4 > 1 && seen[$3]++ { next }
        { sum += int(($2 + block * 1024 - 1) / (block * 1024)) * block }
        END { print sum }'
}

# fill TEMPLATE: prints it with the version and the day put in.
# shellcheck disable=SC2154
fill() { sed -e "s/@VERSION@/$version/g" -e "s/@DATE@/$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)/g" "$1"; }
