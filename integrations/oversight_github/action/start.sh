#!/usr/bin/env bash
# Finds a Python that is new enough and hands over to install.py, or to the job itself where OVERSIGHT_PYTHON names a
# Python that already has everything.
#
# Nothing of the workspace has a say: it is left at once, since tools that choose a Python by files of the current
# folder (.python-version, .tool-versions, pyproject.toml) would otherwise do so for the author of the change, and -I
# keeps Python from importing modules from there.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cd -- "$RUNNER_TEMP"

if [[ -n ${OVERSIGHT_PYTHON:-} ]]; then
  exec "$OVERSIGHT_PYTHON" -I "$here/__main__.py"
fi

fits() {
  "$1" -I -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 14) and sys.implementation.name == "cpython"))' \
    > /dev/null 2>&1
}

shopt -s nullglob
tools=${RUNNER_TOOL_CACHE:-}
candidates=(python3 python python3.14 python3.13 python3.12 python3.11)
if [[ -n $tools ]]; then
  # Hosted runners keep newer Pythons than the system's here, without putting them on PATH.
  candidates+=("$tools"/Python/3.1[1-4].*/*/bin/python3 "$tools"/Python/3.1[1-4].*/*/python.exe)
fi
for candidate in "${candidates[@]}"; do
  if fits "$candidate"; then
    exec "$candidate" -I "$here/install.py"
  fi
done

echo "::error title=oversight::There is no CPython from 3.11 to 3.14 on this runner (add a step with actions/setup-python before this one, or set OVERSIGHT_PYTHON)"
{
  echo "status=error"
  echo "flagged=true"
} >> "${GITHUB_OUTPUT:-/dev/null}"
exit 2
