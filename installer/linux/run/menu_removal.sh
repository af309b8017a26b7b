# Takes the menu entry away, and what belongs to it; POSIX shell, copied into installer and uninstaller.
# shellcheck shell=sh

# Desktop Entry: backslashes are doubled in every string.
as_string() { printf '%s' "$1" | LC_ALL=C sed 's/\\/\\\\/g'; }

refresh_databases() { # refresh_databases DATA
    if [ -d "$1/applications" ] && command -v update-desktop-database >/dev/null; then
        update-desktop-database -q "$1/applications" 2>/dev/null
    fi
    if [ -d "$1/mime/packages" ] && command -v update-mime-database >/dev/null; then
        update-mime-database "$1/mime" >/dev/null 2>&1
    fi
    # A cache is made only where one is kept: other programs' icons would not be found beside a new one.
    if [ -f "$1/icons/hicolor/icon-theme.cache" ] && command -v gtk-update-icon-cache >/dev/null; then
        gtk-update-icon-cache -q -t -f "$1/icons/hicolor" 2>/dev/null
    elif [ -d "$1/icons/hicolor" ]; then
        touch "$1/icons/hicolor" 2>/dev/null
    fi
    return 0
}

# remove_outside FOLDER: removes links, menu entry, icons and file type, as far as they belong to this installation.
remove_outside() {
    [ -f "$1/OUTSIDE" ] || return 0
    data=$(sed -n 's/^data //p' "$1/OUTSIDE")
    sed -n 's/^link //p' "$1/OUTSIDE" | while IFS= read -r link; do
        case $(readlink "$link") in
            "$1"/*) rm -f -- "$link" ;;
        esac
    done
    entry=$data/applications/sensiview.desktop
    # Made again by an installation elsewhere: then it is that one's.
    if [ -z "$data" ] || ! grep -qFx "X-SensiView-Folder=$(as_string "$1")" "$entry" 2>/dev/null; then
        return 0
    fi
    sed -n 's/^file //p' "$1/OUTSIDE" | while IFS= read -r name; do
        rm -f -- "$data/$name"
    done
    forget_default
    refresh_databases "$data"
    if [ -d "$data/mime/packages" ] && [ -z "$(ls -A "$data/mime/packages")" ]; then
        # What is left there was derived from our file type alone.
        (cd "$data/mime" && rm -f XMLnamespaces aliases generic-icons globs globs2 icons magic mime.cache subclasses treemagic types version
            rmdir application 2>/dev/null)
    fi
    # An empty list of the desktop's.
    if [ "$(cat "$data/applications/mimeinfo.cache" 2>/dev/null)" = "[MIME Cache]" ]; then
        rm -f "$data/applications/mimeinfo.cache"
    fi
    sed -n 's/^file //p' "$1/OUTSIDE" | sed 's|/[^/]*$||' | sort -u | while IFS= read -r name; do
        (cd "$data" && rmdir -p -- "$name") 2>/dev/null
    done
    rmdir "$HOME/.local/bin" "$data" 2>/dev/null
    return 0
}

# Takes back what xdg-mime wrote for our types.
forget_default() {
    for list in "${XDG_CONFIG_HOME:-$HOME/.config}/mimeapps.list" "$data/applications/mimeapps.list" "$data/applications/defaults.list"; do
        if grep -q '^application/x-sensiview-[a-z]*=sensiview\.desktop;\{0,1\}$' "$list" 2>/dev/null; then
            kept=$(sed '/^application\/x-sensiview-[a-z]*=sensiview\.desktop;\{0,1\}$/d' "$list")
            if [ "$(printf '%s\n' "$kept" | sed '/^$/d')" = "[Default Applications]" ]; then
                rm -f "$list"
                rmdir "${list%/*}"
            else
                # Not moved over it: it may be a link to where the user keeps such files.
                printf '%s\n' "$kept" >"$list"
            fi
        fi
    done 2>/dev/null
}
