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
    case ${HOME:-} in
        /*) prefix=${prefix:-$HOME/.local/opt} ;;
        *)
            [ -n "$prefix" ] || fail "Your home folder is not known (HOME is not set). Choose a folder: sh ${0##*/} --to FOLDER"
            menu=''
            ;;
    esac
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
    # Some computers let no program start from a home.
    [ -x "$1/sensiview" ] || fail "The system lets no program start from '$prefix' (mounted with noexec). Nothing was changed. Choose another folder: sh ${0##*/} --to FOLDER"
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
