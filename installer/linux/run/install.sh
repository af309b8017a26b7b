# shellcheck shell=sh
# shellcheck disable=SC2154 # version, glibc, needed, payload_line, payload_sha256, payload_bytes: from make_run.sh

usage() {
    cat <<END
SensiView $version: installs itself under your home folder, without root and without a network connection.

Usage: sh ${0##*/} [OPTIONS]
  --to FOLDER   install into FOLDER/sensiview instead of ~/.local/opt/sensiview (or \$SENSIVIEW_PREFIX/sensiview)
  --no-menu     no menu entry, no icons, no file type, no command in ~/.local/bin
  --check       only look whether this file is whole and whether this computer can run it
  --list        only list the files inside
  --uninstall   remove SensiView again (also: sensiview-uninstall); projects and settings stay
  --quiet       say nothing unless something is wrong
  --help        this text

Installed again, or a newer one over an older one: projects, settings and plugins stay.
END
}

payload() { tail -n "+$payload_line" -- "$self"; }

read_options() {
    action=install quiet='' menu=1 to=''
    while [ $# -gt 0 ]; do
        case $1 in
            --to)
                [ -n "${2:-}" ] || fail "--to needs a folder: sh ${0##*/} --to FOLDER"
                to=$2
                shift
                ;;
            --to=?*) to=${1#--to=} ;;
            --no-menu) menu='' ;;
            --check) action=check ;;
            --list) action=list ;;
            --uninstall) action=uninstall ;;
            --quiet) quiet=1 ;;
            --help | -h)
                usage
                exit 0
                ;;
            *)
                printf "There is no option '%s'.\n\n" "$1" >&2
                usage >&2
                exit 2
                ;;
        esac
        shift
    done
}

choose_folder() {
    prefix=${to:-${SENSIVIEW_PREFIX:-}}
    if [ -z "$prefix" ]; then
        case ${HOME:-} in
            /*) prefix=$HOME/.local/opt ;;
            *) fail "Your home folder is not known (HOME is not set). Choose a folder: sh ${0##*/} --to FOLDER" ;;
        esac
    fi
    case $prefix in
        /*) ;;
        *) prefix=$PWD/$prefix ;;
    esac
    case $prefix in
        *"
"*) fail "The folder's name holds a line break. Choose another: sh ${0##*/} --to FOLDER" ;;
    esac
    while [ "${prefix%/}" != "$prefix" ] && [ "$prefix" != / ]; do
        prefix=${prefix%/}
    done
    folder=${prefix%/}/sensiview
}

# Under sudo the home is either root's, where nobody finds the program, or the user's, who then can't replace it. Who
# names a folder knows; the menu of root is nobody's, so there is none.
check_user() {
    [ "$(id -u)" = 0 ] || return 0
    [ -n "$to" ] || fail "You are root, whose home nobody else sees. Start this as the user who works with SensiView, without sudo; or name a folder for all: sh ${0##*/} --to FOLDER. The .deb package installs for all users, too."
    menu=''
}

check_tools() {
    for tool in gzip tar sha256sum awk sed df readlink xargs; do
        command -v "$tool" >/dev/null || fail "This computer lacks the program '$tool', which unpacking needs. Install it with the system's package manager, then start again."
    done
}

# at_least HAVE WANT: compares two versions such as 2.9 and 2.28.
at_least() {
    [ "${1%%.*}" -gt "${2%%.*}" ] && return 0
    have=${1#*.} want=${2#*.}
    [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${have%%.*}" -ge "${want%%.*}" ]
}

check_system() {
    [ "$(uname -s)" = Linux ] || fail "SensiView's file for Linux was started on $(uname -s). Nothing was installed."
    [ "$(uname -m)" = x86_64 ] || fail "SensiView needs a 64-bit Intel or AMD processor (x86_64); this computer is $(uname -m). Nothing was installed."
    # The name that every program for x86_64 asks for; absent on a 32-bit system with a 64-bit kernel.
    [ -e /lib64/ld-linux-x86-64.so.2 ] || fail "This system has no 64-bit C library (/lib64/ld-linux-x86-64.so.2), which SensiView needs. Nothing was installed."
    found=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc \([0-9]\{1,\}\.[0-9]\{1,\}\).*/\1/p')
    [ -n "$found" ] || found=$(ldd --version 2>/dev/null | sed -n '1s/.* \([0-9]\{1,\}\.[0-9]\{1,\}\)$/\1/p')
    [ -n "$found" ] || fail "SensiView needs the GNU C library (glibc) $glibc or newer, which was not found. Nothing was installed."
    at_least "$found" "$glibc" || fail "SensiView needs glibc $glibc or newer; this system has $found. Debian 12, Ubuntu 22.04 and later have it. Nothing was installed."
}

# The nearest folder that is there already: what tells of room and rights before anything is made.
nearest() {
    near=$1
    while [ ! -d "$near" ]; do
        [ ! -e "$near" ] || fail "'$near' is a file, so nothing can be installed into '$prefix'. Choose another folder: sh ${0##*/} --to FOLDER"
        near=$(dirname "$near")
    done
}

check_place() {
    nearest "$prefix"
    { [ -w "$near" ] && [ -x "$near" ]; } || fail "'$near' can't be written to (no permission, or a read-only file system). Choose another folder: sh ${0##*/} --to FOLDER"
    [ ! -L "$folder" ] || fail "'$folder' is a link. Install where it leads to: sh ${0##*/} --to FOLDER"
    if [ -e "$folder" ]; then
        is_ours "$folder" || fail "'$folder' is there already and was not made by this installer. Move it away, or choose another folder: sh ${0##*/} --to FOLDER"
        refuse_while_running "$folder" "install"
    fi
    free=$(free_kib "$near")
    if [ -n "$free" ] && [ "$free" -lt "$needed" ]; then
        fail "SensiView needs $(in_words "$needed") in '$prefix', where $(in_words "$free") are free. Make room, or choose another folder: sh ${0##*/} --to FOLDER"
    fi
}

check_file() {
    lacking=$((payload_bytes + $(head -n $((payload_line - 1)) -- "$self" | wc -c) - $(wc -c <"$self")))
    if [ "$lacking" -gt 0 ]; then
        fail "This file is incomplete ($lacking bytes are missing). Download or copy it again. Nothing was installed."
    fi
    sum=$(payload | sha256sum)
    [ "${sum%% *}" = "$payload_sha256" ] || fail "This file is damaged: its contents are not what was packed. Download or copy it again. Nothing was installed."
}

show_progress() { # show_progress FOLDER: until it is ended
    while sleep 1; do
        used=$(du -sk "$1" 2>/dev/null) || continue
        used=${used%%[!0-9]*}
        [ "$used" -le "$needed" ] || used=$needed
        printf '\rUnpacking: %d %%  ' $((used * 100 / needed))
    done
}

unpack() { # unpack FOLDER
    mkdir "$1" || fail "'$prefix' can't be written to. Choose another folder: sh ${0##*/} --to FOLDER"
    watcher=''
    if [ -z "$quiet" ] && [ -t 1 ]; then
        show_progress "$1" &
        watcher=$!
    fi
    # Gzip and tar are on every system; zstd and xz are not. Ends at the first complaint, as there would be thousands
    # on a full disk.
    outcome=$({ payload | gzip -dc | LC_ALL=C tar -x -o -f - -C "$1"; echo "status $?"; } 2>&1 | head -n 1)
    if [ -n "$watcher" ]; then
        kill "$watcher" 2>/dev/null
        wait "$watcher" 2>/dev/null
        printf '\r                    \r'
    fi
    if [ "$outcome" != "status 0" ] || ! is_ours "$1"; then
        case $outcome in
            *"Wrote only"* | *"No space left"*) reason="the disk or your share of it is full" ;;
            *) reason=${outcome##*: } ;;
        esac
        fail "Unpacking into '$prefix' failed: $reason. Nothing was changed. Make room, or choose another folder: sh ${0##*/} --to FOLDER"
    fi
}

# Leftovers of an installation that was killed. Called with the lock held, so nobody works on them.
clean_leftovers() {
    for left in "$folder".new-[0-9]*; do
        [ ! -d "$left" ] || rm -rf -- "$left"
    done
    for left in "$folder".old-[0-9]*; do
        is_ours "$left" || continue
        if [ -e "$folder" ]; then
            retire "$left"
        else
            mv "$left" "$folder"
        fi
    done
}

# retire FOLDER: removes a former version, and keeps what the user put into its folder.
retire() {
    remove_program "$1" && return
    kept=$folder.kept
    number=1
    while [ -e "$kept" ]; do
        number=$((number + 1))
        kept=$folder.kept-$number
    done
    mv "$1" "$kept" && printf '%s\n' "Files in the former version's folder were not part of it; they lie in '$kept' now." >&2
}

# The end of everything, good or bad: no half-made folder, no lock, and the old version where it was.
# shellcheck disable=SC2317 # called by trap
clean_up() {
    status=$?
    trap '' INT TERM HUP
    [ -z "$watcher" ] || kill "$watcher" 2>/dev/null
    if [ -n "$lock" ]; then
        [ ! -d "$fresh" ] || rm -rf -- "$fresh"
        if [ -d "$former" ] && [ ! -e "$folder" ]; then
            mv "$former" "$folder"
        fi
        # Nothing when there is something in it, or when it was there before.
        rm -f "$lock"
        (cd "$near" && [ "$made" != . ] && rmdir -p -- "$made") 2>/dev/null
    fi
    exit "$status"
}

# shellcheck disable=SC2317 # called by trap
interrupted() { # interrupted STATUS
    printf '\nInterrupted. Nothing was changed.\n' >&2
    exit "$1"
}

# quoted FILE: as an argument in the Exec line of a menu entry. First the line's own quoting, then that of strings.
quoted() { printf '"%s"' "$(printf '%s' "$1" | LC_ALL=C sed -e 's/[\\"`$]/\\&/g' -e 's/\\/\\\\/g' -e 's/%/%%/g')"; }

write_entry() { # write_entry FILE
    program=$folder/sensiview
    case $program in
        # Desktops look for the program itself before they read %% as %, and take a = for an assignment.
        *[%=]*) exec="/bin/sh -c \"exec \\\\\"\\\\\$0\\\\\" \\\\\"\\\\\$@\\\\\"\" $(quoted "$program")" ;;
        *) exec=$(quoted "$program") ;;
    esac
    while IFS= read -r line; do
        case $line in
            *@EXEC@*) printf '%s%s%s\n' "${line%%@EXEC@*}" "$exec" "${line#*@EXEC@}" ;;
            *@TRYEXEC@*) printf '%s%s\n' "${line%%@TRYEXEC@*}" "$(as_string "$program")" ;;
            *) printf '%s\n' "$line" ;;
        esac
    done <"$folder/share/sensiview.desktop.in" >"$1" && printf 'X-SensiView-Folder=%s\n' "$(as_string "$folder")" >>"$1"
}

add_link() { # add_link NAME TARGET: a command in ~/.local/bin, unless something else has the name
    link=$HOME/.local/bin/$1
    if [ ! -w "$HOME/.local/bin" ]; then
        say "'$link' was not made, as '$HOME/.local/bin' can't be written to."
        return
    fi
    case $(readlink "$link") in
        */sensiview/"$2") rm -f "$link" ;;
    esac
    if ln -s "$folder/$2" "$link" 2>/dev/null; then
        printf 'link %s\n' "$link" >>"$folder/OUTSIDE"
    else
        say "'$link' is something else and was left alone."
    fi
}

integrate() {
    data=${XDG_DATA_HOME:-$HOME/.local/share}
    case $data in
        /*) ;;
        *) data=$HOME/.local/share ;; # relative ones are to be passed over
    esac
    mkdir -p "$HOME/.local/bin" 2>/dev/null
    printf 'data %s\n' "$data" >>"$folder/OUTSIDE"
    add_link sensiview sensiview
    add_link sensiview-uninstall uninstall.sh

    if ! mkdir -p "$data/applications" "$data/mime/packages" 2>/dev/null || ! write_entry "$data/applications/sensiview.desktop" 2>/dev/null; then
        say "The menu entry was not made, as '$data' can't be written to."
        return
    fi
    printf 'file %s\n' applications/sensiview.desktop mime/packages/sensiview.xml >>"$folder/OUTSIDE"
    lost=$(
        cp "$folder/share/sensiview.xml" "$data/mime/packages/sensiview.xml" 2>/dev/null || echo file type
        (cd "$folder/share" && find icons -type f) | while IFS= read -r icon; do
            printf 'file %s\n' "$icon" >>"$folder/OUTSIDE"
            { mkdir -p "$data/${icon%/*}" && cp "$folder/share/$icon" "$data/$icon"; } 2>/dev/null || echo icon
        done
    )
    [ -z "$lost" ] || say "Icons and file type could not all be copied to '$data'. Make room there and install again."
    refresh_databases "$data"
    if command -v xdg-mime >/dev/null; then
        xdg-mime default sensiview.desktop application/x-sensiview-project application/x-sensiview-database 2>/dev/null
    fi
}

tell() {
    say "SensiView $version is installed in '$folder'."
    if [ -z "$menu" ] || [ "$(readlink "$HOME/.local/bin/sensiview")" != "$folder/sensiview" ]; then
        say "Start it: '$folder/sensiview'    Remove it: '$folder/uninstall.sh'"
        return
    fi
    say "Start it from the menu, or in a terminal: sensiview    Remove it: sensiview-uninstall"
    case :$PATH: in
        *:"$HOME/.local/bin":*) ;;
        *)
            say "Terminals do not find it yet, as ~/.local/bin is not in the PATH. Add this line to ~/.profile and log in again:"
            # shellcheck disable=SC2016 # to be typed like that
            say '    export PATH="$HOME/.local/bin:$PATH"'
            ;;
    esac
}

install() {
    check_tools
    check_system
    check_place
    say "Checking the file ..."
    check_file

    lock='' watcher='' fresh='' former=''
    # What of the folder is made now, to be taken away if nothing comes of it.
    made=.
    [ "$near" = "$prefix" ] || made=${prefix#"${near%/}"/}
    trap clean_up EXIT
    trap 'interrupted 130' INT
    trap 'interrupted 143' TERM
    trap 'interrupted 129' HUP
    mkdir -p "$prefix" || fail "'$prefix' can't be made. Choose another folder: sh ${0##*/} --to FOLDER"
    near=$(cd -P -- "$near" && pwd -P)
    # Without links, as the uninstaller will see it.
    folder=$(cd -P -- "$prefix" && pwd -P) || fail "'$prefix' can't be entered. Choose another folder: sh ${0##*/} --to FOLDER"
    folder=${folder%/}/sensiview fresh=$folder.new-$$ former=$folder.old-$$
    take_lock "$prefix"
    clean_leftovers
    say "Unpacking $(in_words "$needed") into '$folder' ..."
    unpack "$fresh"

    # It may have been started meanwhile.
    [ ! -e "$folder" ] || refuse_while_running "$folder" "install"
    # What follows takes a moment and is not to be left half done.
    trap '' INT TERM HUP
    if [ -e "$folder" ]; then
        # The first installation knows which folders it made.
        near=$(sed -n 's/^made-in //p' "$folder/OUTSIDE")
        remove_outside "$folder"
        mv "$folder" "$former" || fail "'$folder' can't be replaced. Nothing was changed."
    fi
    mv "$fresh" "$folder" || fail "'$folder' can't be made. Nothing was changed."
    made=.
    printf 'made-in %s\n' "$near" >"$folder/OUTSIDE"
    [ ! -d "$former" ] || retire "$former"
    if [ -n "$menu" ]; then
        integrate
    fi
    tell
}

main() {
    self=$0
    { [ -f "$self" ] && grep -q '^payload_line=' "$self"; } || fail "Start this file by its name: sh SensiView-$version-linux-x86_64.run"
    case $self in
        /*) ;;
        *) self=$PWD/$self ;;
    esac
    umask 022
    read_options "$@"
    case $action in
        list)
            check_tools
            check_file
            payload | gzip -dc | tar -tf -
            ;;
        check)
            choose_folder
            check_tools
            check_system
            check_place
            check_file
            say "This file is whole, and this computer can run SensiView $version in '$folder'."
            ;;
        uninstall)
            choose_folder
            is_ours "$folder" || fail "SensiView is not installed in '$folder'. Nothing was removed."
            if [ -n "$quiet" ]; then
                exec sh "$folder/uninstall.sh" --quiet
            fi
            exec sh "$folder/uninstall.sh"
            ;;
        install)
            choose_folder
            check_user
            install
            ;;
    esac
}

main "$@"
exit
