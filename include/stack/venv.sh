#!/bin/sh
# Make (or refresh) the Python environment:  venv.sh VENV REQUIREMENTS
# Checks the Python first, as a fresh machine often has one that is too old.
set -eu
venv=$1 requirements=$2

good() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3.14 python3 python; do
        if command -v "$candidate" >/dev/null 2>&1 && good "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    cat >&2 <<'END'
Python 3.11 or newer was not found (PYTHON=/path/to/python names one that is not on PATH). Install it:
  Debian 12, Ubuntu 24.04   sudo apt-get install python3 python3-venv
  Fedora                    sudo dnf install python3.12
  macOS                     brew install python@3.12
END
    return 1
}

if ! { [ -x "$venv/bin/python" ] && good "$venv/bin/python"; }; then
    python=$(find_python)
    echo "venv: creating $venv with $("$python" --version)"
    if ! "$python" -m venv --clear "$venv"; then
        echo "venv: $python cannot make a venv. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi

echo "venv: installing $requirements"
if ! "$venv/bin/python" -m uv --version >/dev/null 2>&1; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv ||
        echo "venv: uv could not be installed" >&2
fi
if ! "$venv/bin/python" -m uv pip install --quiet --python "$venv/bin/python" -r "$requirements"; then
    echo "venv: uv failed; trying pip, which is slower" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
fi
