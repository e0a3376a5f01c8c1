#!/bin/bash
# run.sh [PART...]: the suite against real servers and real clients, on loopback.
#   harness  foreign clients against Postfix and Dovecot: shows that the checks themselves are right
#   suite    the suite's clients against Postfix and Dovecot, and against the clock (example `interop`)
#   foreign  the same foreign clients against the suite's server (example `mailhost`)
# All parts, if none is named. Servers are installed when missing (as root), started on free ports and ended by their process ids.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/_common.sh"
cd "$here/.."
parts=" ${*:-harness suite foreign} "
has() { [[ $parts == *" $1 "* ]]; }

# The servers leave root behind, so the folder must be open to others on its whole way.
dir=$(mktemp -d /var/tmp/mail-interop.XXXXXX); chmod 755 "$dir"
mailhost=
stop() {
  status=$?
  trap - EXIT; set +e
  [ -n "$mailhost" ] && { kill "$mailhost" && wait "$mailhost"; } 2>/dev/null
  if [ "$status" != 0 ]; then
    for log in "$dir"/*.log "$dir"/*/*.log; do [ -s "$log" ] && { say "---- the end of $(basename "$log")"; tail -n 15 "$log"; }; done
  fi
  [ -d "$dir/dovecot" ] && "$here/dovecot.sh" stop "$dir/dovecot"
  [ -d "$dir/postfix" ] && "$here/postfix.sh" stop "$dir/postfix"
  rm -rf "$dir"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT TERM

# free_base OFFSET...: a base from which all these ports are free, below the range of outgoing connections
free_base() {
  local base offset
  for base in 21000 23000 25000 27000 29000 31000; do
    for offset in "$@"; do port_free $((base + offset)) || continue 2; done
    printf '%s\n' "$base"; return 0
  done
  die "no free ports"
}
# value KEY FILE
value() { sed -n "s/^$1=//p" "$2"; }

if has harness || has suite; then
  "$here/dovecot.sh" start "$dir/dovecot" "$(free_base 143 993 110 995 24 587 465 190)" >/dev/null
  dovecot=$dir/dovecot/ports.env
  say "dovecot $(dovecot --version | cut -d' ' -f1) answers"
fi

if has harness; then
  say; say "==== foreign clients against Postfix and Dovecot"
  # Delivery into Dovecot, so that what was submitted can be read: for this part alone.
  LMTP=$(value LMTP "$dovecot") "$here/postfix.sh" start "$dir/postfix" "$(free_base 25 465 587 26 27 28)" >/dev/null
  p=$dir/postfix/ports.env
  cat "$dir/dovecot/tls/ca.pem" "$dir/postfix/tls/ca.pem" > "$dir/both.pem"
  {
    printf 'SMTP=%s\nSMTPS=%s\n' "$(value SUBMISSION "$p")" "$(value SUBMISSIONS "$p")"
    grep -E '^(IMAP|IMAPS|POP3|POP3S|USER|PASS)=' "$dovecot"
    printf 'CA=%s\nDOMAIN=%s\n' "$dir/both.pem" "$H_DOMAIN"
  } > "$dir/harness.env"
  "$here/foreign.sh" "$dir/harness.env"
  "$here/postfix.sh" stop "$dir/postfix"
fi

if has suite; then
  say; say "==== the suite's clients against Postfix and Dovecot"
  "$here/postfix.sh" start "$dir/postfix" "$(free_base 25 465 587 26 27 28)" >/dev/null
  command -v curl >/dev/null || need_pkgs curl
  cargo build --locked --release --example interop
  timeout 300 "${CARGO_TARGET_DIR:-target}/release/examples/interop" --dovecot "$dovecot" --postfix "$dir/postfix/ports.env"
fi

if has foreign; then
  say; say "==== foreign clients against the suite's server"
  cargo build --locked --release --example mailhost
  "${CARGO_TARGET_DIR:-target}/release/examples/mailhost" --smtp 127.0.0.1:0 --smtps 127.0.0.1:0 --imap 127.0.0.1:0 --imaps 127.0.0.1:0 \
    --pop3 127.0.0.1:0 --pop3s 127.0.0.1:0 --user "$H_USER:$H_PASS" --user "$H_USER2:$H_PASS2" \
    --ca-out "$dir/mailhost-ca.pem" --ports-out "$dir/mailhost.env" >"$dir/mailhost.log" 2>&1 </dev/null &
  mailhost=$!
  # PASS= is the last line: with it the file is whole.
  for ((i = 0; i < 100; i++)); do
    grep -qs '^PASS=' "$dir/mailhost.env" && break
    kill -0 "$mailhost" 2>/dev/null || die "mailhost ended"
    sleep 0.1
  done
  "$here/foreign.sh" "$dir/mailhost.env"
  kill -0 "$mailhost" || die "mailhost did not live to the end"
fi
say; say "interop: all of$parts""passed"
