# Functions that run.sh and test.sh share; sourced, never run. Nothing here names a package host: pip's own
# configuration decides where packages come from, the hashes in requirements*.txt decide what is accepted.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"
python="$venv/bin/python"

# What Qt, OpenGL in software and the fonts need on Debian and its relatives.
system_libraries=(
    libgl1 libegl1 libopengl0 libgl1-mesa-dri libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4
    libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-sync1 libxcb-xfixes0
    libxcb-xinerama0 libxcb-xkb1 libx11-xcb1 libdbus-1-3 libfontconfig1 libfreetype6 libglib2.0-0 fonts-dejavu-core
)

note() { printf '%s\n' "$*" >&2; }

# missing_packages NAME...: prints those that dpkg does not have.
missing_packages() {
    local name
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$name"
    done
}

# install_packages required|wanted NAME...: by apt when we may, else says the exact line to type.
install_packages() {
    local need=$1 missing how=()
    shift
    command -v dpkg-query >/dev/null || { note "Not a Debian system: install the equivalents of: $*"; return 0; }
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return 0
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null && how=(sudo -n)
    fi
    if [ "$(id -u)" = 0 ] || [ ${#how[@]} -gt 0 ]; then
        note "Installing system packages: $missing"
        # shellcheck disable=SC2086 # one word per package
        { "${how[@]}" apt-get -q update && "${how[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -q -y --no-install-recommends install $missing; } >&2 && return 0
        note "apt did not install them."
    fi
    note "Please install the missing system packages, then start again:"
    note "    sudo apt-get update && sudo apt-get install -y $missing"
    [ "$need" = wanted ] && return 0
    return 1
}

# find_python: prints a Python of a supported version that can make environments.
find_python() {
    local candidate
    for candidate in "${SENSIVIEW_PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
        "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
            2>/dev/null && { command -v "$candidate"; return 0; }
    done
    return 1
}

# stamp FILE...: one line that changes when the environment would have to.
stamp() { { printf '%s\n' "$root"; cat "$@"; } | sha256sum | cut -d' ' -f1; }

is_current() { # is_current NAME FILE...: true when the environment was finished for exactly these files
    local name=$1
    shift
    [ -x "$python" ] && [ "$(cat "$venv/.$name" 2>/dev/null)" = "$(stamp "$@")" ]
}

make_environment() {
    local base
    if ! base=$(find_python); then
        install_packages required python3 python3-venv || return 1
        base=$(find_python) || {
            note "SensiView needs Python 3.11, 3.12 or 3.13 with the venv module; this system has none."
            note "Install one, or name it: SENSIVIEW_PYTHON=/path/to/python3.11 bash installer/run.sh"
            return 1
        }
    fi
    # An environment of another place or of a Python that is gone can't be mended, only made again.
    if [ -e "$venv" ] && ! "$python" -c 'import pip' 2>/dev/null; then
        rm -rf "$venv"
    fi
    [ -x "$python" ] || "$base" -m venv "$venv" || return 1
}

# pip_install FILE: exactly the pinned files, every one checked against its hash.
# Its progress bars are for a terminal; elsewhere only errors are worth a line.
pip_install() {
    local quiet=(-qq)
    [ -t 2 ] && quiet=()
    "$python" -m pip install "${quiet[@]}" --disable-pip-version-check --no-input --require-hashes --no-deps \
        -r "$1" >&2 || {
        note "The packages could not be installed; the reason stands above. Is the network (or your package mirror)"
        note "reachable, and is there room (8 GB) in $root?"
        return 1
    }
}

runtime_files() { printf '%s\n' "$root/pyproject.toml" "$root/installer/requirements.txt" "$root/installer/requirements-build.txt"; }

# told_version: what git says the checkout is; empty without git.
told_version() { git -C "$root" describe --tags --long --always --match 'v[0-9]*' 2>/dev/null; }

# After a commit or an update the program names the new version (in records, reports, About); takes half a second, once.
refresh_version() {
    [ "$(told_version)" = "$(cat "$venv/.version" 2>/dev/null)" ] && return 0
    (cd "$root" && "$python" -m hatchling build --hooks-only -t wheel) >/dev/null 2>&1 && told_version >"$venv/.version"
    return 0 # a checkout that can't be written still runs
}

ensure_runtime() {
    local files
    mapfile -t files < <(runtime_files)
    is_current runtime "${files[@]}" && { refresh_version; return 0; }
    note "Setting up SensiView in $venv (once; about 5 GB of packages)."
    install_packages wanted "${system_libraries[@]}" || return 1
    make_environment || return 1
    rm -f "$venv/.runtime"
    pip_install "$root/installer/requirements.txt" || return 1
    pip_install "$root/installer/requirements-build.txt" || return 1
    "$python" -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-build-isolation \
        --editable "$root" >&2 || return 1
    told_version >"$venv/.version"
    # Compiled now, so that the first window is as quick as the later ones.
    "$python" -m compileall -q "$root/sensiview" >&2
    stamp "${files[@]}" >"$venv/.runtime"
}
