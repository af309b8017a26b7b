#!/usr/bin/env bash
# Makes the disk image for macOS: bash installer/macos/build.sh
#   dist/SensiView-VERSION-macos-ARCH.dmg and its checksum
# Needs Python 3.11 to 3.13 from python.org. Written with care, NOT YET TRIED.
# Signing and notarising need an Apple developer's identity: SENSIVIEW_SIGNATURE names it; without one the signature is
# this machine's, and users open the app the first time by the context menu.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work="$root/build/package"
dist="$root/dist"
python="$work/environment/bin/python"
mkdir -p "$work" "$dist"
exec > >(tee "$dist/build.log") 2>&1
[ -x "$python" ] || python3 -m venv "$work/environment"
for name in requirements.txt requirements-build.txt requirements-package.txt; do
    "$python" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r "$root/installer/$name"
done
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
SENSIVIEW_ICONS="$work/icons"
export SOURCE_DATE_EPOCH SENSIVIEW_ICONS
"$python" "$root/installer/frozen/system_icons.py" "$SENSIVIEW_ICONS"
version=$(cd "$root" && "$python" -m hatchling version | tail -n 1)
"$python" "$root/installer/frozen/make.py" "$work"
app="$work/program/SensiView.app"
if [ -n "${SENSIVIEW_SIGNATURE:-}" ]; then
    codesign --deep --force --options runtime --timestamp --sign "$SENSIVIEW_SIGNATURE" "$app"
else
    codesign --deep --force --sign - "$app"
fi
image="$dist/SensiView-$version-macos-$(uname -m).dmg"
stage="$work/image"
rm -rf "$stage" "$image"
mkdir -p "$stage"
cp -R "$app" "$stage/"
ln -s /Applications "$stage/Applications"
hdiutil create -volname SensiView -srcfolder "$stage" -format ULFO "$image"
(cd "$dist" && shasum -a 256 "$(basename "$image")" >SHA256SUMS)
