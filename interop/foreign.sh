#!/bin/bash
# foreign.sh PORTS_ENV: curl and Python's smtplib, imaplib and poplib against the mail host that PORTS_ENV tells of.
. "$(dirname "$0")/_common.sh"
[ -s "${1:-}" ] || die "usage: foreign.sh PORTS_ENV"
command -v curl >/dev/null || need_pkgs curl
command -v python3 >/dev/null || need_pkgs python3
curl --version | head -n 1 | cut -d' ' -f1,2; python3 --version
python3 -B "$(dirname "$0")/foreign.py" "$1"
