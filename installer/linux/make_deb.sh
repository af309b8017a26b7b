#!/usr/bin/env bash
# Makes the Debian package of a finished program folder: bash make_deb.sh FOLDER VERSION OUT.deb
#   FOLDER    holds the executable `sensiview` and `_internal/`; only permissions and times of its files change
#   VERSION   as Python writes it; see debian_version.sh for what Debian sees
# Environment: SOURCE_DATE_EPOCH (else the time of the last commit), PACKAGE_PYTHON (a Python with PySide6, else the
# one of .venv). The same folder, version and time give the same bytes.
# shellcheck source=installer/linux/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=installer/linux/debian_version.sh
. "$linux/debian_version.sh"

[ $# = 3 ] || die "Usage: bash make_deb.sh FOLDER VERSION OUT.deb"
folder=$(realpath "$1") version=$2 out=$3
command -v dpkg-deb >/dev/null || die "There is no dpkg-deb here: packages for Debian are made on Debian or Ubuntu."
debian=$(debian_version "$version") || exit 1
check_input "$folder"

# Beside the folder, so that gigabytes are linked and not copied.
stage=$(mktemp -d "$(dirname "$folder")/.deb-XXXXXX")
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/DEBIAN" "$stage/opt"
cp -al "$folder" "$stage/opt/sensiview"
rm -f "$stage/opt/sensiview/INSTALLED" # a link would write into the folder
echo deb >"$stage/opt/sensiview/INSTALLED"
# Python's caches, of a trial of the program: they differ from run to run, and the times in them are wrong from here on.
find "$stage/opt" -name __pycache__ -type d -prune -exec rm -rf {} +

share="$stage/usr/share"
mkdir -p "$stage/usr/bin" "$share"/{applications,mime/packages,metainfo,doc/sensiview,lintian/overrides,man/man1}
ln -s /opt/sensiview/sensiview "$stage/usr/bin/sensiview"
sed -e 's|@EXEC@|sensiview|' -e 's|@TRYEXEC@|sensiview|' "$linux/desktop/sensiview.desktop.in" \
    >"$share/applications/sensiview.desktop"
cp "$linux/desktop/sensiview.xml" "$share/mime/packages/"
fill "$linux/desktop/sensiview.metainfo.xml.in" >"$share/metainfo/sensiview.metainfo.xml"
"$python" "$linux/icons.py" "$share/icons/hicolor"
"$python" "$linux/manual_page.py" "$version" | gzip -9n >"$share/man/man1/sensiview.1.gz"
cp "$linux/deb/lintian-overrides" "$share/lintian/overrides/sensiview"
{
    "$python" "$linux/deb/components.py" "$folder" >"$stage/components"
    sed -e "/^@COMPONENTS@\$/{r $stage/components" -e 'd}' "$linux/deb/copyright.in"
    rm "$stage/components"
    # The licence's own words, as a paragraph of that file: indented, empty lines as dots.
    sed -e 1,4d -e 's/^/ /' -e 's/^ $/ ./' "$root/LICENSE"
} >"$share/doc/sensiview/copyright"
gzip -9n >"$share/doc/sensiview/changelog.gz" <<END
sensiview ($debian) stable; urgency=medium

  * SensiView $version.

 -- SensiView developers <developers@sensiview.invalid>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END

make_public "$stage"
# Pre-Depends on the C library: on a system that is too old dpkg then says so before it unpacks anything. What the window
# needs beyond it is only recommended, so that the package installs without a network; the program names what it lacks.
sed -e "s/@DEBIAN_VERSION@/$debian/" -e "s/@SIZE@/$(kib "$stage" 1)/" \
    -e "s/@GLIBC@/$("$python" "$linux/elf_needs.py" "$folder")/" "$linux/deb/control.in" >"$stage/DEBIAN/control"
"$python" "$linux/deb/md5sums.py" "$stage" >"$stage/DEBIAN/md5sums"
needed=$(kib "$stage" 4)
for script in preinst prerm postrm; do
    sed -e "/^@SHARED@\$/{r $linux/shared.sh" -e 'd}' -e "s/@NEEDED@/$needed/" "$linux/deb/$script" >"$stage/DEBIAN/$script"
    chmod 755 "$stage/DEBIAN/$script"
done

# Zstandard: Debian 12 and Ubuntu 22.04 read it, and it unpacks several times faster than xz. Level 9 packs the libraries
# of PyTorch at 33 MB/s on two cores; level 12 takes twice as long for 0.3 % less.
DPKG_DEB_THREADS_MAX=$threads dpkg-deb --root-owner-group -Zzstd -z9 --build "$stage" "$out.part" >/dev/null
mv "$out.part" "$out"
