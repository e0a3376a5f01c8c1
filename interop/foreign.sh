#!/bin/bash
# foreign.sh PORTS_ENV: curl, Python's smtplib, imaplib and poplib, mpop and getmail against the mail host that PORTS_ENV tells of.
. "$(dirname "$0")/_common.sh"
[ -s "${1:-}" ] || die "usage: foreign.sh PORTS_ENV"
missing=()
for tool in curl python3 openssl mpop getmail:getmail6; do
  command -v "${tool%:*}" >/dev/null || missing+=("${tool#*:}")
done
((${#missing[@]})) && need_pkgs "${missing[@]}"
curl --version | sed -n 1p | cut -d' ' -f1,2; python3 --version; mpop --version | sed -n 1p; getmail --version
timeout 180 python3 -B "$(dirname "$0")/foreign.py" "$1"
timeout 180 python3 -B "$(dirname "$0")/leave.py" "$1"
