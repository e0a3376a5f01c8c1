# shellcheck shell=bash
# Helpers for the interop harness. Sourced by each NAME.sh; not run by itself.
# Everything listens on 127.0.0.1 only. Users: alice / wonderland, bob / builder (domain mail.test).
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
H_USER=${H_USER:-alice} H_PASS=${H_PASS:-wonderland}
H_USER2=${H_USER2:-bob} H_PASS2=${H_PASS2:-builder}
H_DOMAIN=${H_DOMAIN:-mail.test}

say()  { printf '%s\n' "$*"; }
die()  { printf 'harness: %s\n' "$*" >&2; exit 1; }

# need_pkgs PKG...: install what is missing. Serialised over all harness runs on the machine.
need_pkgs() {
  local miss=() p
  for p in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || miss+=("$p")
  done
  ((${#miss[@]})) || return 0
  [ "$(id -u)" = 0 ] || die "missing packages and not root: ${miss[*]}"
  ( flock 9
    local d; d=$(mktemp -d /var/tmp/h-apt.XXXXXX)
    apt-get -qq update >/dev/null
    TMPDIR=$d apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 install "${miss[@]}" >"$d/log" 2>&1 \
      || { tail -20 "$d/log" >&2; exit 1; }
    rm -rf "$d" ) 9>/var/tmp/h-apt.lock
}

# make_certs DIR: ca.pem, cert.pem + key.pem (leaf, EC P-256, or RSA with KEYTYPE=rsa), chain.pem, both.pem
make_certs() {
  local d=$1
  [ -s "$d/cert.pem" ] && return 0
  mkdir -p "$d"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -sha256 \
    -subj "/CN=harness test CA" -keyout "$d/ca.key" -out "$d/ca.pem" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
  local kt=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
  [ "${KEYTYPE:-ec}" = rsa ] && kt=(-newkey rsa:2048)
  openssl req "${kt[@]}" -nodes -sha256 \
    -subj "/CN=localhost" -keyout "$d/key.pem" -out "$d/leaf.csr" 2>/dev/null
  printf '%s\n' "subjectAltName=DNS:localhost,DNS:$H_DOMAIN,IP:127.0.0.1,IP:::1" \
    "basicConstraints=critical,CA:FALSE" "extendedKeyUsage=serverAuth" \
    "keyUsage=critical,digitalSignature,keyEncipherment" > "$d/leaf.ext"
  openssl x509 -req -in "$d/leaf.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial \
    -days 30 -sha256 -extfile "$d/leaf.ext" -out "$d/cert.pem" 2>/dev/null
  cat "$d/cert.pem" "$d/ca.pem" > "$d/chain.pem"
  cat "$d/key.pem" "$d/cert.pem" "$d/ca.pem" > "$d/both.pem"
  chmod 644 "$d"/*.pem "$d"/ca.key
}

# wait_port PORT [SECONDS]: until something accepts on 127.0.0.1:PORT
wait_port() {
  local i n=$(( ${2:-15} * 10 ))
  for ((i = 0; i < n; i++)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.1
  done
  return 1
}
wait_ports() { local p; for p in "$@"; do wait_port "$p" || return 1; done; }
port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
need_free() { local p; for p in "$@"; do port_free "$p" || die "port $p is taken"; done; }

# stop_pid PIDFILE: TERM, wait up to 8 s, then KILL. Only ever touches the pid in the file.
stop_pid() {
  local f=$1 p i
  [ -s "$f" ] || return 0
  p=$(tr -dc 0-9 < "$f")
  [ -n "$p" ] || return 0
  kill "$p" 2>/dev/null || { rm -f "$f"; return 0; }
  for ((i = 0; i < 80; i++)); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
  kill -9 "$p" 2>/dev/null || true
  rm -f "$f"
}

# open_dir DIR: make it, absolute, and check that an unprivileged server process can walk to it
open_dir() {
  mkdir -p "$1"; D=$(cd "$1" && pwd -P); chmod 755 "$D"
  local p=$D
  while [ "$p" != / ]; do
    [ $(( 0$(stat -c %a "$p") & 1 )) = 1 ] || die "$p is not world-searchable: the server drops root and could not reach $D"
    p=$(dirname "$p")
  done
}
