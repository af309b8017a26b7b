#!/usr/bin/env bash
# Starts SensiView from a checkout: bash installer/run.sh [sensiview arguments]
# The first start sets everything up; later starts need no network and check one stamp.
set -u
# shellcheck source=installer/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
ensure_runtime || exit 1
# -P: a folder of the user's that happens to be called like a package is not imported.
exec "$python" -P -m sensiview "$@"
