#!/usr/bin/env bash
# Tries the packages as a person without Python, compiler or network would: bash installer/try_package.sh [deb|run]
# In a bare Debian root (debootstrap) with no network, a user whose home has spaces and accents installs the package,
# starts the program from the menu entry, runs a sample project, opens a brain, takes screenshots, and uninstalls.
# Needs root (chroot). With KEEP=1 the roots stay. Screenshots and logs: build/trial/. Both packages without an argument.
set -u
# shellcheck source=installer/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
trial="$root/build/trial"
display=:97
failures=0
mounts=()

# The verdicts go to the script's own output, whatever a check's output is sent to.
exec 3>&1
good() { printf '   ok    %s\n' "$*" >&3; }
bad() { printf '   FAIL  %s\n' "$*" >&3; failures=$((failures + 1)); }
expect() { # expect WHAT COMMAND...: the command succeeds
    local what=$1
    shift
    if "$@"; then good "$what"; else bad "$what"; fi
}
step() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }

[ "$(id -u)" = 0 ] || { note "This needs root, for a bare Debian root: sudo bash installer/try_package.sh"; exit 1; }
install_packages required debootstrap xvfb xauth openbox xdotool wmctrl imagemagick util-linux || exit 1
deb=$(find "$root/dist" -maxdepth 1 -name 'sensiview_*_amd64.deb' | head -n 1)
run=$(find "$root/dist" -maxdepth 1 -name 'SensiView-*-linux-x86_64.run' | head -n 1)
[ -n "$deb" ] && [ -n "$run" ] || { note "There are no packages in dist/: bash installer/build.sh"; exit 1; }
rm -rf "$trial"
mkdir -p "$trial"

# shellcheck disable=SC2317 # called by the trap
cleanup() {
    [ -n "${screen:-}" ] && kill "$screen" 2>/dev/null
    local place
    for place in "${mounts[@]}"; do umount -l "$place" 2>/dev/null; done
    [ -n "${KEEP:-}" ] || rm -rf "$trial/bare" "$trial/minimal" "$trial/root"
}
trap cleanup EXIT

# The mirror and the system are this machine's own.
make_bare_root() {
    local mirror codename proxy
    proxy=$(apt-config shell proxy Acquire::http::Proxy) && eval "$proxy" && [ -n "$proxy" ] && export http_proxy=$proxy
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    debootstrap --variant=minbase "$codename" "$trial/bare" "$mirror" >"$trial/debootstrap.log" 2>&1 || return 1
    cp -a "$trial/bare" "$trial/minimal"
    cp /etc/apt/sources.list "$trial/bare/etc/apt/" 2>/dev/null
    cp /etc/apt/sources.list.d/* "$trial/bare/etc/apt/sources.list.d/" 2>/dev/null
    apt-config dump | grep '^Acquire::' >"$trial/bare/etc/apt/apt.conf.d/90as-this-machine"
    # What every desktop has: the launcher of menu entries, the databases of types, OpenGL, one font.
    chroot "$trial/bare" sh -c 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        --no-install-recommends install libglib2.0-bin shared-mime-info desktop-file-utils hicolor-icon-theme xdg-utils \
        libgl1 libegl1 libopengl0 libgl1-mesa-dri fonts-dejavu-core' >"$trial/apt.log" 2>&1
}

# as_user COMMAND...: in the root, as a user, with this display, without network or anything of this machine's.
home='/home/Zoë Müller'
as_user() {
    unshare --net chroot --userspec=1000:1000 "$trial/root" /usr/bin/env -i HOME="$home" USER=zoe LANG=C.UTF-8 \
        DISPLAY="$display" PATH="$home/.local/bin:/usr/local/bin:/usr/bin:/bin" XDG_RUNTIME_DIR=/tmp/zoe "$@"
}

fresh_root() {
    local place
    for place in "${mounts[@]}"; do umount -l "$place" 2>/dev/null; done
    mounts=()
    rm -rf "$trial/root"
    cp -a "$trial/${1:-bare}" "$trial/root"
    chroot "$trial/root" useradd --uid 1000 --shell /bin/sh --no-create-home --home-dir "$home" zoe
    mkdir -p "$trial/root$home" "$trial/root/tmp/zoe" "$trial/root/tmp/.X11-unix" "$trial/root/packages"
    chown 1000:1000 "$trial/root$home" "$trial/root/tmp/zoe"
    mount -t proc proc "$trial/root/proc" && mounts+=("$trial/root/proc")
    mount --bind /dev "$trial/root/dev" && mounts+=("$trial/root/dev")
    mount --bind /tmp/.X11-unix "$trial/root/tmp/.X11-unix" && mounts+=("$trial/root/tmp/.X11-unix")
    mount --bind -o ro "$root/dist" "$trial/root/packages" && mounts+=("$trial/root/packages")
}

picture() { DISPLAY=$display import -window root "$trial/$1.png"; }

# As after switching the machine on: nothing of the program is in memory.
forget_files() { sync; echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null

# wait_for_window NAME: until a window of the program is there; says how long it took.
wait_for_window() {
    local began=$EPOCHREALTIME
    for _ in $(seq 600); do
        if DISPLAY=$display xdotool search --onlyvisible --name "$1" >/dev/null 2>&1; then
            awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "   window after %.2f s\n", b - a }'
            return 0
        fi
        sleep 0.05
    done
    return 1
}

# running PROGRAM: its processes, workers included, by whatever name they were started.
running() {
    local exe
    for exe in /proc/[0-9]*/exe; do
        [ "$(readlink "$exe" 2>/dev/null)" = "$trial/root$1" ] && echo "${exe//[!0-9]/}"
    done
}

# close_windows PROGRAM: as with the button of the window's frame; then no process of the program may be left.
close_windows() {
    DISPLAY=$display wmctrl -c SensiView
    for _ in $(seq 100); do
        [ -z "$(running "$1")" ] && return 0
        sleep 0.2
    done
    running "$1" | xargs -r kill
    return 1
}

files_outside_homes() { (cd "$trial/root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./home -o -path ./tmp \
    -o -path ./packages -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/dpkg \) -prune -o -print | sort); }

# try KIND ENTRY PROGRAM: everything between installing and uninstalling.
try_program() {
    local kind=$1 entry=$2 program=$3 before answer
    step "$kind: started from the menu entry, from a cold cache"
    forget_files
    as_user gio launch "$entry" >"$trial/$kind-menu.log" 2>&1 &
    expect "the window opens" wait_for_window SensiView
    sleep 6
    picture "$kind-welcome"
    expect "the window closes and leaves no process" close_windows "$program"

    step "$kind: what it finds"
    as_user sensiview doctor | tee "$trial/$kind-doctor.txt" | sed 's/^/   /'
    expect "doctor ends well" test "${PIPESTATUS[0]}" = 0
    expect "everything is there" grep -q '^Everything that comes with SensiView was found' "$trial/$kind-doctor.txt"

    step "$kind: a sample project"
    expect "demo diabetes --quick" as_user sensiview demo diabetes --quick --no-window --to "$home/Eigene Projekte" \
        >"$trial/$kind-demo.log" 2>&1
    answer=$(find "$trial/root$home/Eigene Projekte" -maxdepth 1 -name '*.sensiview' | head -n 1)
    expect "the project is in the home" test -f "$answer/project.sqlite"
    expect "its files and runs are whole" as_user sensiview check "${answer#"$trial/root"}"
    step "$kind: opened by double click"
    before=$(find "$answer" -mindepth 1 -maxdepth 1 -type f -name '*.sensiview' | head -n 1)
    as_user gio open "${before#"$trial/root"}" >"$trial/$kind-open.log" 2>&1 &
    expect "the window opens on the project" wait_for_window 'diabetes|Diabetes'
    sleep 8
    picture "$kind-diabetes"
    expect "the window closes" close_windows "$program"

    step "$kind: a plugin of the user's folder"
    plugin_of_user "$program"
    step "$kind: the brain viewer"
    brain "$kind" "$program"
    step "$kind: bad luck"
    bad_luck "$kind" "$entry" "$program"
}

plugin_of_user() {
    local folder="$home/.local/share/SensiView/plugins"
    as_user sh -c "mkdir -p '$folder' && cp -r '$(dirname "$1")/_internal/sensiview/_bundled/plugins/permutation_importance' \
        '$folder/mine' && cd '$folder/mine' && sed -i 's/permutation_importance/mine/g' plugin.toml *.py && mv permutation_importance.py mine.py 2>/dev/null"
    as_user sensiview plugins trust mine >"$trial/plugin.log" 2>&1
    expect "it is offered after consent" sh -c 'grep -q "mine.*trusted" "$1"' - "$trial/plugin.log"
}

# The template brain that comes with nilearn is a volume that is always there.
brain() {
    local kind=$1 program=$2 template
    template=$(cd "$trial/root" && find ".$(dirname "$program")/_internal/nilearn" -name 'mni_icbm152_t1*.nii.gz' | head -n 1)
    expect "a volume becomes a data set" as_user sh -c "cd '$home' && sensiview new brain >/dev/null && \
        sensiview add-dataset brain.sensiview '/${template#./}' --kind volumes --name template" >"$trial/$kind-brain.log" 2>&1
    expect "the viewer draws it" as_user sensiview --screenshot "$home/brain.png" --size 1280x800 --show dataset \
        "$home/brain.sensiview"
    cp "$trial/root$home/brain.png" "$trial/$kind-brain.png" 2>/dev/null
    rm -f "$trial/root$home/brain.png"
}

# says FILE WORDS: the sentence is there, and nothing that looks like a traceback.
says() { grep -q "$2" "$1" && ! grep -q Traceback "$1"; }

bad_luck() {
    local kind=$1 entry=$2 program=$3 log=$trial/$1-bad-luck.log shot=$home/picture.png
    as_user gio launch "$entry" >/dev/null 2>&1 &
    wait_for_window SensiView >/dev/null
    "install_$kind" >"$log" 2>&1
    expect "installing over a running program is refused with a sentence" says "$log" 'SensiView is running (user zoe'
    close_windows "$program"
    expect "installing it again is fine once it is closed" "install_$kind" >"$log" 2>&1
    as_user env LIBGL_DRIVERS_PATH=/nonexistent sensiview doctor --only OpenGL >"$log" 2>&1
    expect "without OpenGL the doctor says so" says "$log" 'OpenGL  *none'
    expect "without OpenGL the brain is drawn in flat panes" as_user env LIBGL_DRIVERS_PATH=/nonexistent sensiview \
        --screenshot "$shot" --size 1280x800 --show dataset "$home/brain.sensiview"
    mv "$trial/root$shot" "$trial/$kind-brain-without-opengl.png"
    mount --bind "$trial/root$home" "$trial/root$home" && mount -o remount,ro,bind "$trial/root$home"
    as_user sensiview doctor --only 'home writable' >"$log" 2>&1
    expect "a home that can't be written is told" says "$log" 'Nothing is kept for the next start'
    expect "the window opens all the same" as_user sensiview --screenshot /tmp/read-only.png --size 1280x800
    umount "$trial/root$home"
    mv "$trial/root/tmp/read-only.png" "$trial/$kind-read-only-home.png"
    [ "$kind" = run ] || two_users
}

# Two people at one workstation, each with a home of their own.
two_users() {
    local home_of_ben
    chroot "$trial/root" useradd --uid 1001 --create-home ben
    home_of_ben=$(chroot "$trial/root" getent passwd ben | cut -d: -f6)
    unshare --net chroot --userspec=1001:1001 "$trial/root" /usr/bin/env -i HOME="$home_of_ben" LANG=C.UTF-8 \
        DISPLAY="$display" PATH=/usr/bin:/bin sensiview demo diabetes --quick --no-window >"$trial/ben.log" 2>&1 &
    local other=$!
    expect "two users: the first one's sample" as_user sensiview demo diabetes --quick --no-window --to /tmp/zoe >"$trial/zoe.log" 2>&1
    expect "two users: the other one's at the same time" wait "$other"
}

install_deb() { unshare --net chroot "$trial/root" dpkg -i "/packages/$(basename "$deb")"; }
install_run() { as_user sh "/packages/$(basename "$run")"; }

what_is_left() { # what_is_left KIND BEFORE: outside homes nothing, in the home the user's own
    files_outside_homes >"$trial/$1-after.txt"
    expect "nothing is left outside the home" diff "$2" "$trial/$1-after.txt"
    expect "the projects are there" test -f "$trial/root$home/brain.sensiview/project.sqlite"
    expect "settings and plugins are there" test -d "$trial/root$home/.local/share/SensiView/plugins/mine"
    expect "the command is gone" sh -c '! chroot "$1" /usr/bin/env HOME="$2" PATH="$2/.local/bin:/usr/bin:/bin" sh -c \
        "command -v sensiview"' - "$trial/root" "$home"
}

# Neither X11 nor OpenGL nor a font, as on a server or in a container: what the package brings has to do.
try_minimal() {
    step "deb: a system with nothing but apt"
    fresh_root minimal
    expect "dpkg installs it" install_deb >"$trial/minimal-install.log" 2>&1
    as_user sensiview doctor >"$trial/minimal-doctor.txt" 2>&1
    expect "everything is there" grep -q '^Everything that comes with SensiView was found' "$trial/minimal-doctor.txt"
    brain minimal /opt/sensiview/sensiview
    expect "plots are drawn" as_user sh -c "cd '$home' && sensiview demo diabetes --quick --no-window --to samples && \
        sensiview export samples/diabetes.sensiview sobol-0001 --to out" >"$trial/minimal-demo.log" 2>&1
    cp "$trial/root$home/out/first_total.png" "$trial/minimal-plot.png"
}

try_deb() {
    try_minimal
    step "deb: installed with dpkg, without network"
    fresh_root
    files_outside_homes >"$trial/deb-before.txt"
    expect "there is no Python in the root" sh -c '! chroot "$1" sh -c "command -v python3 || command -v python"' - "$trial/root"
    mount -t tmpfs -o size=1g tmpfs "$trial/root/opt"
    install_deb >"$trial/deb-full.log" 2>&1
    expect "a disk that is too small is told before anything is unpacked" says "$trial/deb-full.log" 'Make room, then install again'
    umount "$trial/root/opt"
    expect "dpkg installs it" install_deb >"$trial/deb-install.log" 2>&1
    try_program deb /usr/share/applications/sensiview.desktop /opt/sensiview/sensiview
    step "deb: removed"
    expect "dpkg removes it" chroot "$trial/root" dpkg --purge sensiview >"$trial/deb-remove.log" 2>&1
    what_is_left deb "$trial/deb-before.txt"
}

try_run() {
    step "run: installed by the user, without network and without root"
    fresh_root
    files_outside_homes >"$trial/run-before.txt"
    (cd "$trial/root$home" && find . | sort) >"$trial/run-home-before.txt"
    mkdir "$trial/root/small" && mount -t tmpfs -o size=1g,uid=1000 tmpfs "$trial/root/small"
    as_user sh "/packages/$(basename "$run")" --to /small >"$trial/run-full.log" 2>&1
    expect "a disk that is too small is told before anything is unpacked" says "$trial/run-full.log" 'Make room'
    umount "$trial/root/small" && rmdir "$trial/root/small"
    expect "it installs itself" install_run >"$trial/run-install.log" 2>&1
    try_program run "$home/.local/share/applications/sensiview.desktop" "$home/.local/opt/sensiview/sensiview"
    step "run: uninstalled"
    expect "it removes itself" as_user sensiview-uninstall >"$trial/run-remove.log" 2>&1
    what_is_left run "$trial/run-before.txt"
    expect "nothing of the program is left in the home" sh -c '! find "$1/.local" | grep -v "/SensiView" | grep -i sensiview' \
        - "$trial/root$home"
}

step "A bare root"
make_bare_root || { note "The bare root could not be made; see $trial/debootstrap.log and apt.log."; exit 1; }
Xvfb "$display" -screen 0 1280x800x24 -nolisten tcp >/dev/null 2>&1 &
screen=$!
sleep 1
DISPLAY=$display openbox >/dev/null 2>&1 &
case "${1:-both}" in
    deb) try_deb ;;
    run) try_run ;;
    both) try_deb; try_run ;;
    *) note "Say deb, run, or nothing for both."; exit 2 ;;
esac
printf '\n'
[ "$failures" = 0 ] && { printf 'The packages passed. Pictures and logs: %s\n' "$trial"; exit 0; }
printf '%d checks failed. Pictures and logs: %s\n' "$failures" "$trial"
exit 1
