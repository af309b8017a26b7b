# shellcheck shell=sh disable=SC2034 # `quiet` is read in common.sh
# Started as uninstall.sh in the program's folder, or as sensiview-uninstall.

main() {
    quiet=
    case ${1:-} in
        "") ;;
        --quiet) quiet=1 ;;
        *)
            echo "Usage: sensiview-uninstall [--quiet]"
            echo "Removes SensiView from this folder and its menu entry. Projects, settings and plugins stay."
            [ "$1" = --help ] || exit 2
            exit 0
            ;;
    esac
    # Its name in the PATH is a link to it.
    self=$(readlink -f "$0") || fail "'$0' can't be found."
    folder=$(dirname "$self")
    is_ours "$folder" || fail "'$folder' is not an installation of SensiView, so nothing was removed."
    { [ -w "$folder" ] && [ -w "$(dirname "$folder")" ]; } ||
        fail "'$folder' can't be changed by you, so nothing was removed. Ask the user who installed it."
    refuse_while_running "$folder" "remove it"
    lock=
    trap '[ -z "$lock" ] || rm -f "$lock"' EXIT
    trap 'exit 130' INT TERM HUP
    prefix=$(dirname "$folder")
    take_lock "$prefix"

    near=$(sed -n 's/^made-in //p' "$folder/OUTSIDE" 2>/dev/null)
    remove_outside "$folder"
    if remove_program "$folder"; then
        say "SensiView was removed from '$folder'."
    else
        say "SensiView was removed. What is left in '$folder' is not part of it."
    fi
    rm -f "$lock"
    # Folders that the installation made around it, as far as they are empty.
    case $prefix in
        "${near:-/}"/*) (cd "$near" && rmdir -p -- "${prefix#"$near"/}") 2>/dev/null ;;
    esac
    say "Projects stay where you saved them; settings and plugins stay in '${SENSIVIEW_HOME:-${XDG_DATA_HOME:-${HOME:-~}/.local/share}/SensiView}'."
}

main "$@"
exit
