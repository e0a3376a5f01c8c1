#!/bin/bash
# postfix.sh start DIR [BASE] | stop DIR | env DIR
# An MTA of its own (own queue, own config): +25 smtp (STARTTLS offered, no AUTH asked),
# +465 submissions (implicit TLS, AUTH), +587 submission (STARTTLS wanted, AUTH), +26 smtp plain
# with AUTH offered in clear, +27 smtp without ESMTP extensions (EHLO keywords discarded),
# +28 smtp with SMTPUTF8/BDAT and strict pipelining checks (smtpd_forbid_* on).
# SASL: an auth-only dovecot of its own under DIR/auth (PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-* XOAUTH2 OAUTHBEARER).
# Mail for the domain lands in DIR/mail/USER/ (Maildir), or with LMTP=PORT it is handed to that port; all else goes to
# SINK (default 127.0.0.1:BASE+90).
. "$(dirname "$0")/_common.sh"
cmd=${1:-}; [ -n "${2:-}" ] || die "usage: postfix.sh start DIR [BASE] | stop DIR"
open_dir "$2"
pidf="$D/queue/pid/master.pid"
if [ "$cmd" = stop ]; then stop_pid "$pidf"; stop_pid "$D/auth/run/master.pid"; exit 0; fi
if [ "$cmd" = env ]; then cat "$D/ports.env"; exit 0; fi
[ "$cmd" = start ] || die "start or stop"
B=${3:-22000}; SINK=${SINK:-[127.0.0.1]:$((B+90))}
delivery=virtual; [ -n "${LMTP:-}" ] && delivery=lmtp:inet:127.0.0.1:$LMTP
need_pkgs openssl postfix dovecot-core
stop_pid "$pidf"; stop_pid "$D/auth/run/master.pid"
ports=($((B+25)) $((B+465)) $((B+587)) $((B+26)) $((B+27)) $((B+28)))
need_free "${ports[@]}"
make_certs "$D/tls"
mkdir -p "$D/conf" "$D/queue" "$D/data" "$D/mail" "$D/auth/run" "$D/auth/state"
chown root:root "$D/conf" "$D/queue"; chown postfix:postfix "$D/data"; chown mail:mail "$D/mail"
A=$D/auth
printf '%s:{PLAIN}%s::::::\n' "$H_USER" "$H_PASS" "$H_USER2" "$H_PASS2" > "$A/users"
mkdir -p "$A/jwt/default/HS256"; printf '%s' harness-jwt-key | base64 > "$A/jwt/default/HS256/default"
printf '%s\n' 'introspection_mode = local' "local_validation_key_dict = fs:posix:prefix=$A/jwt/" 'username_attribute = sub' > "$A/oauth2.conf"
cat > "$A/dovecot.conf" <<C
instance_name = harness-pfauth-$B
base_dir = $A/run
state_dir = $A/state
log_path = $A/auth.log
listen = 127.0.0.1
protocols = none
default_internal_user = dovecot
default_login_user = dovenull
disable_plaintext_auth = no
ssl = no
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer
auth_username_format = %Ln
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = username_format=%Ln $A/users
  mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $A/oauth2.conf
}
userdb {
  driver = passwd-file
  args = username_format=%Ln $A/users
}
service auth {
  unix_listener auth-sasl {
    mode = 0666
  }
}
C
dovecot -c "$A/dovecot.conf" >"$A/start.log" 2>&1 </dev/null || { cat "$A/start.log" >&2; die "auth dovecot start"; }
printf '%s@%s %s/\n%s@%s %s/\n' "$H_USER" "$H_DOMAIN" "$H_USER" "$H_USER2" "$H_DOMAIN" "$H_USER2" > "$D/conf/vmailbox"
printf 'discard@%s discard:\n' "$H_DOMAIN" > "$D/conf/transport"
printf 'discard@%s discard/\n' "$H_DOMAIN" >> "$D/conf/vmailbox"
cat > "$D/conf/main.cf" <<C
compatibility_level = 3.6
myhostname = localhost.$H_DOMAIN
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
queue_directory = $D/queue
data_directory = $D/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = $D/postfix.log
maillog_file_prefixes = $D
virtual_mailbox_domains = $H_DOMAIN
virtual_mailbox_base = $D/mail
virtual_mailbox_maps = texthash:$D/conf/vmailbox
virtual_uid_maps = static:$(id -u mail)
virtual_gid_maps = static:$(id -g mail)
virtual_minimum_uid = 1
virtual_transport = $delivery
transport_maps = texthash:$D/conf/transport
alias_maps =
alias_database =
relayhost = $SINK
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_tls_chain_files = $D/tls/both.pem
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtp_tls_security_level = may
smtp_tls_CAfile = $D/tls/ca.pem
smtpd_sasl_type = dovecot
smtpd_sasl_path = $A/run/auth-sasl
smtpd_sasl_local_domain = $H_DOMAIN
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_discard_ehlo_keywords =
smtpd_authorized_xclient_hosts = 127.0.0.0/8
default_process_limit = 100
message_size_limit = 52428800
virtual_mailbox_limit = 0
disable_vrfy_command = no
local_recipient_maps =
C
svc() { printf '%-28s inet n - n - - smtpd\n' "127.0.0.1:$1"; shift; local o; for o in "$@"; do printf '  -o %s\n' "$o"; done; }
{
  svc $((B+25)) syslog_name=smtpd25
  svc $((B+465)) smtpd_tls_wrappermode=yes smtpd_sasl_auth_enable=yes "smtpd_relay_restrictions=permit_sasl_authenticated,reject"
  svc $((B+587)) smtpd_tls_security_level=encrypt smtpd_sasl_auth_enable=yes "smtpd_relay_restrictions=permit_sasl_authenticated,reject"
  svc $((B+26)) smtpd_tls_security_level=none smtpd_sasl_auth_enable=yes
  svc $((B+27)) smtpd_tls_security_level=none "smtpd_discard_ehlo_keywords=pipelining,size,vrfy,etrn,starttls,auth,8bitmime,enhancedstatuscodes,dsn,smtputf8,chunking"
  svc $((B+28)) smtpd_forbid_bare_newline=yes smtpd_forbid_unauth_pipelining=yes "smtpd_data_restrictions=reject_unauth_pipelining"
  cat <<C
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
virtual   unix - n n - - virtual
lmtp      unix - - n - - lmtp
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
C
} > "$D/conf/master.cf"
postfix -c "$D/conf" check 2>"$D/check.log" || { cat "$D/check.log" >&2; die "postfix check"; }
postfix -c "$D/conf" start >/dev/null 2>"$D/start.log" </dev/null || { cat "$D/start.log" >&2; tail -5 "$D/postfix.log" >&2; die "postfix start"; }
wait_ports "${ports[@]}" || { tail -5 "$D/postfix.log" >&2; die "postfix did not come up"; }
cat > "$D/ports.env" <<C
SMTP=${ports[0]}
SUBMISSIONS=${ports[1]}
SUBMISSION=${ports[2]}
SMTP_AUTH_CLEAR=${ports[3]}
SMTP_BARE=${ports[4]}
SMTP_STRICT=${ports[5]}
CA=$D/tls/ca.pem
USER=$H_USER@$H_DOMAIN
PASS=$H_PASS
MAILDIR=$D/mail
C
cat "$D/ports.env"
