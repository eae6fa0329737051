#!/usr/bin/env bash
# install.sh ENVIRONMENT ARGUMENTS...   pip install ARGUMENTS into a virtual environment; prints a line for each download.
# It takes the versions in requirements/ for that Python; with NEWEST=1 the newest.
set -euo pipefail
python=$1/bin/python; shift
lock=requirements/python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])').txt
if [ -z "${NEWEST:-}" ] && [ -f "$lock" ]; then
    export PIP_CONSTRAINT=$lock PIP_BUILD_CONSTRAINT=$lock  # the second is for the builds of pip 25.3 and later
fi
# Without --no-compile, pip compiles all of TensorFlow, most of which is never imported.
"$python" -m pip install --use-pep517 --no-compile --disable-pip-version-check --progress-bar off "$@" |
    while read -r word rest; do
        case "$word $rest" in
            Downloading*.metadata*) ;;
            Downloading*) echo "  $rest" ;;
            Installing\ collected*) echo "  installing $(wc -w <<<"${rest#*:}") packages" ;;
        esac
    done
