#!/usr/bin/env bash
# Makes the packages for Linux from a clean checkout: bash installer/build.sh
#   dist/sensiview_VERSION_amd64.deb             for the whole machine (apt, dpkg)
#   dist/SensiView-VERSION-linux-x86_64.run      for one user, no root needed
#   dist/SHA256SUMS, dist/CONTENTS.txt, dist/build.log
# --folder   only the program's folder (build/package/program/sensiview), no packages
#
# Build on the oldest system that the packages shall run on: they need its C library or a newer one.
# Takes about 20 minutes on two cores and 25 GB of disk.
set -u
# shellcheck source=installer/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
work="$root/build/package"
dist="$root/dist"
venv="$work/environment"
python="$venv/bin/python"
mkdir -p "$work" "$dist"
exec > >(tee "$dist/build.log") 2>&1
began=$SECONDS
stop() { note "$*"; note "The packages were not made; the log is dist/build.log."; exit 1; }
step() { printf '\n== %s (after %d s)\n' "$*" $((SECONDS - began)); }

# The system's own Python before others: its libraries have Debian's records of licences and security fixes.
# PyInstaller needs the shared library that Debian packs by itself.
find_python() {
    local candidate
    for candidate in "${SENSIVIEW_PYTHON:-}" /usr/bin/python3.11 /usr/bin/python3.12 /usr/bin/python3.13 python3; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
        "$candidate" - 2>/dev/null <<'PYTHON' && { command -v "$candidate"; return 0; }
import ctypes, sys, sysconfig, ensurepip, venv
ctypes.CDLL(sysconfig.get_config_var("INSTSONAME"))
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON
    done
    return 1
}

printf 'SensiView packages, %s, %s, commit %s\n' "$(date -u +%FT%TZ)" "$(uname -srm)" \
    "$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)"
step "Tools and environment"
install_packages wanted "${system_libraries[@]}" || exit 1
install_packages required binutils gcc libc6-dev pigz zstd desktop-file-utils libwayland-client0 libwayland-cursor0 \
    libwayland-egl1 || exit 1
find_python >/dev/null || install_packages required python3 python3-venv "libpython$(python3 -c \
    'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo 3.11)" || exit 1
files=("$root/installer/requirements.txt" "$root/installer/requirements-build.txt" "$root/installer/requirements-package.txt")
if ! is_current package "${files[@]}"; then
    rm -rf "$venv"
    make_environment || stop "There is no Python 3.11 to 3.13 with a shared library and the venv module."
    for file in "${files[@]}"; do
        pip_install "$file" || stop "The environment could not be made."
    done
    stamp "${files[@]}" >"$venv/.package"
fi

# The time of the commit stands for every time in the packages: the same commit gives the same files.
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null || stat -c %Y "$root/pyproject.toml")
export SOURCE_DATE_EPOCH
export PACKAGE_PYTHON="$python"
version=$(cd "$root" && "$python" -m hatchling version | tail -n 1)
[ -n "$version" ] || stop "The version could not be found."

step "Program $version"
"$python" "$root/installer/frozen/make.py" "$work" || stop "The program's folder could not be made."
program="$work/program/sensiview"

step "Does it start?"
# An empty environment: neither this checkout nor a Python is there for it.
mkdir -p "$work/home"
alone() { env -i HOME="$work/home" PATH=/nonexistent LANG=C.UTF-8 "$program/sensiview" "$@"; }
[ "$(alone --version)" = "SensiView $version" ] || stop "The program does not say its version."
alone doctor || stop "The program does not start."

step "Does it give the same numbers as Python does?"
# A library without one of its files may compute something else instead of failing.
rm -rf "$work/numbers"
mkdir -p "$work/numbers"
for who in program python; do
    ask=(alone)
    [ "$who" = python ] && ask=(env -C "$work" HOME="$work/home" QT_QPA_PLATFORM=offscreen "$python" -P -m sensiview)
    "${ask[@]}" demo diabetes --quick --no-window --to "$work/numbers/$who" >"$work/numbers/$who.log" 2>&1 ||
        { cat "$work/numbers/$who.log"; stop "The sample project does not run."; }
    grep -n Traceback "$work/numbers/$who.log" && stop "The sample project meets an error."
    for name in sobol-0001 sobol-0002 first_layer_sensitivity-0001 pca-0001 feature_subset-0001; do
        "${ask[@]}" export "$work/numbers/$who/diabetes.sensiview" "$name" --to "$work/numbers/$who/$name" >/dev/null 2>&1 ||
            stop "The run $name can't be exported."
        rm -f "$work/numbers/$who/$name"/*.png "$work/numbers/$who/$name"/*.svg "$work/numbers/$who/$name"/record.json
    done
    rm -rf "$work/numbers/$who/diabetes.sensiview"
done
diff -r "$work/numbers/program" "$work/numbers/python" || stop "The program computes something else than Python."
find "$work/numbers/program" -type f | wc -l | sed 's/$/ files of results are equal, byte for byte./'
rm -rf "$work/home"
cp "$program/CONTENTS.txt" "$dist/CONTENTS.txt"
[ "${1:-}" = --folder ] && { step "The folder is $program"; exit 0; }

deb="$dist/sensiview_$(bash "$root/installer/linux/debian_version.sh" "$version")_amd64.deb"
run="$dist/SensiView-$version-linux-x86_64.run"
rm -f "$dist"/sensiview_*_amd64.deb "$dist"/SensiView-*-linux-x86_64.run
step "Package for the machine"
bash "$root/installer/linux/make_deb.sh" "$program" "$version" "$deb" || stop "The .deb could not be made."
step "Package for one user"
bash "$root/installer/linux/make_run.sh" "$program" "$version" "$run" || stop "The .run could not be made."
(cd "$dist" && sha256sum "$(basename "$deb")" "$(basename "$run")" CONTENTS.txt >SHA256SUMS)
step "Done"
ls -l "$dist"
cat "$dist/SHA256SUMS"
