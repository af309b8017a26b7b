#!/usr/bin/env bash
# The Debian version of a Python version: bash debian_version.sh 0.1.1.dev275+ge86a2b69c  ->  0.1.1~~dev275+ge86a2b69c
# Sourced, it only defines the function.
#
# dpkg sorts versions by other rules than Python: "~" comes before the end of a version, letters before "+", "+" before
# ".". So that both sort alike:
#   1.0.dev3 -> 1.0~~dev3    two tildes: a development version comes before 1.0~a1 too, and "d" comes after "a"
#   1.0a1    -> 1.0~a1       (b, rc alike), 1.0rc1.dev3 -> 1.0~rc1~~dev3
#   1.0.post1 -> 1.0+post1   before 1.0.1, which ".post1" would not be
#   1!2.0    -> 1:2.0        the epoch
#   1.0+g12ab -> 1.0+g12ab   what tells the commit stays; "g" and digits come before "post" as they should

debian_version() { # debian_version VERSION: prints it, or says that VERSION is none
    local release='([0-9]+!)?([0-9]+(\.[0-9]+)*)' pre='((a|b|rc)[0-9]+)?' post='(\.(post[0-9]+))?' dev='(\.(dev[0-9]+))?'
    local own='(\+[a-z0-9]+(\.[a-z0-9]+)*)?'
    if ! [[ $1 =~ ^$release$pre$post$dev$own$ ]]; then
        printf "'%s' is not a version as Python writes them, such as 0.1.0, 0.2.0rc1 or 0.2.0.dev3+g12ab34c.\n" "$1" >&2
        return 1
    fi
    local epoch=${BASH_REMATCH[1]} number=${BASH_REMATCH[2]} before=${BASH_REMATCH[4]} after=${BASH_REMATCH[7]}
    printf '%s%s%s%s%s%s\n' "${epoch/!/:}" "$number" "${before:+~$before}" "${after:++$after}" \
        "${BASH_REMATCH[9]:+~~${BASH_REMATCH[9]}}" "${BASH_REMATCH[10]}"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    [ $# = 1 ] || { echo "Usage: bash debian_version.sh VERSION" >&2; exit 2; }
    debian_version "$1"
fi
