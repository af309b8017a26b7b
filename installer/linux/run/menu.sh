# The menu entry, its icons and file type, and the commands in ~/.local/bin; POSIX shell, copied into the installer.
# shellcheck shell=sh
# shellcheck disable=SC2154 # folder: from install.sh

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
