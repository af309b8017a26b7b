#!/usr/bin/env bash
# Makes the self-extracting installer of a finished program folder: bash make_run.sh FOLDER VERSION OUT.run
#   FOLDER    holds the executable `sensiview` and `_internal/`; nothing in it changes
# Environment: SOURCE_DATE_EPOCH (else the time of the last commit), PACKAGE_PYTHON (a Python with PySide6, else the
# one of .venv). The same folder, version, time and compressor (pigz where there is one, else gzip) give the same bytes.
# The file is a POSIX shell script (run/*.sh behind the values below), then a compressed tar archive.
# shellcheck source=installer/linux/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=installer/linux/debian_version.sh
. "$linux/debian_version.sh"

[ $# = 3 ] || die "Usage: bash make_run.sh FOLDER VERSION OUT.run"
folder=$(realpath "$1") version=$2 out=$3
debian_version "$version" >/dev/null || exit 1 # says what is wrong with it
check_input "$folder"

stage=$(mktemp -d "$(dirname "$folder")/.run-XXXXXX")
trap 'rm -rf "$stage" "$out.part"' EXIT

# What lies beside the program: the mark, the uninstaller, what the menu needs.
extra="$stage/extra"
mkdir -p "$extra/share"
echo run >"$extra/INSTALLED"
{
    echo '#!/bin/sh'
    echo "# Removes SensiView $version from this folder; projects, settings and plugins stay."
    cat "$linux/shared.sh" "$linux/run/common.sh" "$linux/run/menu_removal.sh" "$linux/run/uninstall.sh"
} >"$extra/uninstall.sh"
chmod 755 "$extra/uninstall.sh"
cp "$linux/desktop/sensiview.desktop.in" "$linux/desktop/sensiview.xml" "$extra/share/"
"$python" "$linux/icons.py" "$extra/share/icons/hicolor"
{
    # A mark that lies in the folder already is replaced by ours.
    # Python's caches, of a trial of the program, differ from run to run.
    (cd "$folder" && find . -name __pycache__ -prune -o ! -type d ! -path ./INSTALLED -printf '%P\n')
    (cd "$extra" && find . ! -type d -printf '%P\n')
    echo MANIFEST
} | sort >"$stage/manifest"
mv "$stage/manifest" "$extra/MANIFEST"
[ -z "$(uniq -d "$extra/MANIFEST")" ] || die "'$folder' holds files of the installer's own: $(uniq -d "$extra/MANIFEST")"

compress=(gzip -6 -n)
if command -v pigz >/dev/null; then
    compress=(pigz -6 -n -p "$threads")
fi
tar --create --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --mode='u+rwX,go+rX,go-w,a-s' --exclude=__pycache__ -C "$folder" . -C "$extra" . | "${compress[@]}" >"$stage/payload"

header() { # header LINE: the script, whose payload starts at that line
    cat <<END
#!/bin/sh
# SensiView $version for Linux on x86_64. Start it with: sh SensiView-$version-linux-x86_64.run   (--help tells the rest)
version='$version'
glibc='$("$python" "$linux/elf_needs.py" "$folder")'
needed=$(($(kib "$folder" 4) + $(kib "$extra" 4)))
payload_line=$1
payload_bytes=$(stat -c %s "$stage/payload")
payload_sha256=$(sha256sum <"$stage/payload" | cut -d ' ' -f 1)
# First of all, as the rest of this script may be what is missing.
if [ -f "\$0" ] && [ "\$(wc -c <"\$0")" -lt "\$payload_bytes" ]; then
    echo "This file is incomplete. Download or copy it again. Nothing was installed." >&2
    exit 1
fi

END
    cat "$linux/shared.sh" "$linux"/run/{common,menu_removal,menu,checks,install}.sh
}
lines=$(header 0 | wc -l)
{ header $((lines + 1)); cat "$stage/payload"; } >"$out.part"
chmod 755 "$out.part"
mv "$out.part" "$out"
