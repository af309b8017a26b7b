# What is looked at before anything is touched, each with its sentence; POSIX shell, copied into the installer.
# shellcheck shell=sh
# shellcheck disable=SC2154,SC2034 # to, prefix, folder: from install.sh; glibc, needed, payload_*: from make_run.sh

# Under sudo the home is either root's, where nobody finds the program, or the user's, who then can't replace it. Who
# names a folder knows; the menu of root is nobody's, so there is none.
check_user() {
    [ "$(id -u)" = 0 ] || return 0
    [ -n "$to" ] || fail "You are root, whose home nobody else sees. Start this as the user who works with SensiView, without sudo; or name a folder for all: sh ${0##*/} --to FOLDER. The .deb package installs for all users, too."
    menu=''
    umask 022 # for all users; a user's own files are as private as that user's others
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
    at_least "$found" "$glibc" || fail "SensiView needs glibc $glibc or newer; this system has $found. A newer release of the system will have it. Nothing was installed."
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
