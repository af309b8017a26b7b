#!/usr/bin/env bash
# All set-up and all checks: bash installer/test.sh
#   --benchmarks [NAME]   the timings beside the peers' instead (one table)
#   --quick               no slow tests
#   PYTEST ARGUMENTS      only these tests
set -u
# shellcheck source=installer/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
ensure_runtime || exit 1
install_packages required xvfb xauth xdotool x11-utils || exit 1
dev="$root/installer/requirements-dev.txt"
if ! is_current dev "$dev"; then
    pip_install "$dev" || exit 1
    stamp "$dev" >"$venv/.dev"
fi
cd "$root" || exit 1

# A private screen of a known size: the user's own is never touched, and software OpenGL is the same everywhere.
on_screen() {
    env -u WAYLAND_DISPLAY -u QT_QPA_PLATFORM LIBGL_ALWAYS_SOFTWARE=1 \
        xvfb-run -a -s "-screen 0 1920x1200x24 -nolisten tcp" "$@"
}

if [ "${1:-}" = --benchmarks ]; then
    shift
    on_screen "$python" tests/benchmarks/harness.py "$@"
    exit
fi

failed=()
check() { # check NAME COMMAND...
    local name=$1 began=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@" || failed+=("$name")
    printf '   (%s: %d s)\n' "$name" $((SECONDS - began))
}

slow=()
[ "${1:-}" = --quick ] && { slow=(-m "not slow"); shift; }
if [ $# -gt 0 ]; then
    on_screen "$python" -m pytest "${slow[@]}" "$@"
    exit
fi
check "ruff" "$venv/bin/ruff" check .
check "ruff format" "$venv/bin/ruff" format --check .
check "mypy" "$venv/bin/mypy"
check "import-linter" "$venv/bin/lint-imports" --no-cache
check "tests" on_screen "$python" -m pytest "${slow[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    printf '\nFailed: %s\n' "${failed[*]}"
    exit 1
fi
printf '\nEverything passed.\n'
