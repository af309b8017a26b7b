#!/usr/bin/env bash
# For CI: builds and tries the packages when what they are made of has changed since they last passed, and says so
# when it skips them. "Last passed" is installer/tried.txt: the fingerprint of those files, written here after every check passed.
#   --fingerprint   only prints the fingerprint of the present files
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
record="$root/installer/tried.txt"

# Recipes, dependencies, and the modules that only a frozen program goes through.
inputs() {
    cd "$root" || exit 1
    find installer pyproject.toml sensiview/__main__.py sensiview/locations.py sensiview/jobs/worker_process.py \
        sensiview/plugin_loading -type f ! -path '*/__pycache__/*' ! -name tried.txt -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
}
fingerprint=$(inputs | sha256sum | cut -d' ' -f1)
[ "${1:-}" = --fingerprint ] && { echo "$fingerprint"; exit 0; }

printf '\n== package\n'
if [ "$fingerprint" = "$(head -n 1 "$record" 2>/dev/null)" ]; then
    printf 'Skipped: nothing under installer/, in pyproject.toml or in the dependencies changed since the packages were\n'
    printf 'built and tried (%s).\n' "$(sed -n 2p "$record")"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    printf 'Not tried: the bare root needs root. Run: sudo bash installer/ci_package.sh\n'
    exit 1
fi
bash "$root/installer/build.sh" && bash "$root/installer/try_package.sh" || exit 1
version=$("$root/build/package/environment/bin/python" -m hatchling version 2>/dev/null | tail -n 1)
printf '%s\n%s, version %s\n' "$fingerprint" "$(date -u +%F)" "$version" >"$record"
printf 'The packages passed. Commit installer/tried.txt, so that the next run skips them.\n'
