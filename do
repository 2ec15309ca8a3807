#!/bin/sh
# One command per task: ./do setup | demo | test | soak | lint | check | docs | notebooks.
# Needs only python3 (>= 3.11) with venv, and git.
set -eu
cd "$(dirname "$0")"
py=.venv/bin/python

setup() {
    [ -e src/disparsity/stereo/__init__.py ] || {
        echo "src/disparsity/* are not symlinks: clone again with 'git clone -c core.symlinks=true'" >&2; exit 1; }
    [ -x "$py" ] || "${PYTHON:-python3}" -m venv .venv
    # Plain pip: its own configuration (mirror, find-links) decides where torch comes from.
    # torch first: its exact version must be fixed before anything else asks for a newer one.
    stamp=.venv/installed
    if [ ! -e "$stamp" ] || [ pyproject.toml -nt "$stamp" ] || [ constraints.txt -nt "$stamp" ]; then
        "$py" -m pip install -q "$(grep '^torch==' constraints.txt)"
        "$py" -m pip install -q -c constraints.txt -e '.[dev]'
        touch "$stamp"
    fi
}
extra() { "$py" -m pip install -q -c constraints.txt -e ".[$1]"; }
lint()  { .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/pyright; }
# One process per core, one thread each. `--all` adds the slow tests.
tests() {
    if [ "${1:-}" = --all ]; then shift; set -- -m "not soak" "$@"; fi
    OMP_NUM_THREADS=1 .venv/bin/pytest -n auto --dist worksteal "$@"
}

case "${1:-}" in
    setup) setup ;;
    demo)  shift; setup; .venv/bin/disparsity demo "$@" ;;
    lint)  setup; lint ;;
    test)  shift; setup; tests "$@" ;;
    soak)  shift; setup; tests -m soak "$@" ;;
    docs)  shift; setup; extra docs; NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --site-dir build/docs "$@" ;;
    notebooks) setup; .venv/bin/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False notebooks/*.ipynb ;;
    check) shift; setup; lint; tests "$@" ;;
    *) echo "usage: ./do setup|demo|test [--all]|soak|lint|check [--all]|docs|notebooks" >&2; exit 2 ;;
esac
