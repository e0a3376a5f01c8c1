//! The records of `quirks.jsonl` and `security.jsonl`, read strictly: a key that is not known is an error, never ignored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::octets::latin1;

/// The three protocols, and `any` for records about the session around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    /// SMTP, with LMTP and SASL.
    Smtp,
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
    /// All of them.
    Any,
}

/// Which machine reads the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The client machine.
    Client,
    /// The server machine.
    Server,
    /// Both, an encoder, or the session.
    Other,
}

/// How the input of a record is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Replay the script, feed the input.
    Wire,
    /// Build a value from the input.
    Encode,
    /// A test of its own, elsewhere.
    Behaviour,
}

/// One step of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Octets of the peer.
    Peer(Vec<u8>),
    /// Our side: one command or body (client), the reply (server).
    Us(Vec<u8>),
    /// The hand-over to TLS.
    Tls,
}

/// How the peer closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With close_notify, or FIN on a plain link.
    Fin,
    /// Without close_notify.
    Cut,
}

/// What a side does with bare CR, bare LF and NUL in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEol {
    /// Refused.
    Reject,
    /// Made CRLF.
    Normalise,
    /// Passed on.
    Pass,
}

/// `setup.policy` with the defaults of the vectors filled in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Named repairs are on.
    pub(crate) grammar_tolerant: bool,
    /// LF alone ends a line.
    pub(crate) line_tolerant: bool,
    /// TLS is required.
    pub(crate) tls_required: bool,
    /// Octets behind a synchronisation point are a fault.
    pub(crate) sync_strict: bool,
    /// Line ends in bodies.
    pub(crate) body_eol: BodyEol,
    /// Octets before the greeting end the session.
    pub(crate) early_talker_close: bool,
    /// Plain-text log-in without TLS.
    pub(crate) plaintext_auth: bool,
    /// IMAP PREAUTH before TLS.
    pub(crate) preauth: bool,
    /// POP3 APOP.
    pub(crate) apop: bool,
    /// SMTP XCLIENT.
    pub(crate) xclient: bool,
    /// The PROXY header.
    pub(crate) proxy: bool,
}

/// `setup.sasl`: an exchange that must be computed.
#[derive(Clone, Debug)]
pub(crate) struct Sasl {
    /// The mechanism.
    pub(crate) mechanism: String,
    /// The user.
    pub(crate) user: String,
    /// The password.
    pub(crate) password: String,
    /// The nonce of the client.
    pub(crate) nonce: String,
}

/// How to come to the state in which the input is read.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// How to run the record.
    pub(crate) kind: Kind,
    /// The steps from a fresh connection.
    pub(crate) script: Vec<Step>,
    /// Extensions that the server of the exchange offers.
    pub(crate) offer: Vec<String>,
    /// LMTP instead of SMTP.
    pub(crate) lmtp: bool,
    /// The policies.
    pub(crate) policy: Policy,
    /// Limits that differ from the defaults.
    pub(crate) limits: BTreeMap<String, u64>,
    /// What the application stub answers.
    pub(crate) app: Map<String, Value>,
    /// An exchange to compute.
    pub(crate) sasl: Option<Sasl>,
    /// The input is judged in one feed only.
    pub(crate) feed_whole: bool,
    /// How the peer closes; empty when it does not.
    pub(crate) eof: Vec<Ending>,
    /// The encoder type.
    pub(crate) encode: String,
    /// What else the encoder needs.
    pub(crate) arg: Value,
    /// A transcript of an RFC tells every step: the machine takes none by itself.
    pub(crate) transcript: bool,
}

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its stable name.
    pub(crate) id: String,
    /// The protocol it counts under.
    pub(crate) protocol: Protocol,
    /// The machine that reads it.
    pub(crate) role: Role,
    /// `verdict` or `outcome`.
    pub(crate) verdict: String,
    /// The octets; for `input_kind: text` in UTF-8.
    pub(crate) input: Vec<u8>,
    /// How to come to the state.
    pub(crate) setup: Setup,
    /// What must come out.
    pub(crate) want: Map<String, Value>,
}

/// Keys that `want` may hold.
const WANT_KEYS: &[&str] = &[
    "replies",
    "commands",
    "completes",
    "fatal",
    "closes",
    "ends",
    "needs_more",
    "output",
    "output_any",
    "refused",
    "value",
    "never",
    "not_echoed",
    "malformed",
    "repairs",
    "has",
];

impl Protocol {
    /// The protocol that a name of the files counts under.
    pub(crate) fn of(name: &str) -> Result<Protocol, String> {
        match name {
            "smtp" | "lmtp" | "sasl" => Ok(Protocol::Smtp),
            "imap" => Ok(Protocol::Imap),
            "pop3" => Ok(Protocol::Pop3),
            "any" => Ok(Protocol::Any),
            other => Err(format!("unknown protocol {other}")),
        }
    }

    /// The name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Protocol::Smtp => "smtp",
            Protocol::Imap => "imap",
            Protocol::Pop3 => "pop3",
            Protocol::Any => "any",
        }
    }
}

impl Record {
    /// Reads one line of a file.
    pub(crate) fn read(line: &Value) -> Result<Record, String> {
        let role = match text(line, "role")? {
            "client" => Role::Client,
            "server" => Role::Server,
            "any" | "session" => Role::Other,
            other => return Err(format!("unknown role {other}")),
        };
        let want = object(line.get("want").unwrap_or(&Value::Null), "want")?;
        known(&want, WANT_KEYS, "want")?;
        Ok(Record {
            id: text(line, "id")?.to_owned(),
            protocol: Protocol::of(text(line, "protocol")?)?,
            role,
            verdict: text(line, "verdict").or_else(|_| text(line, "outcome"))?.to_owned(),
            input: input(line)?,
            setup: Setup::read(line.get("setup").unwrap_or(&Value::Null), role)?,
            want,
        })
    }
}

impl Setup {
    fn read(setup: &Value, role: Role) -> Result<Setup, String> {
        const KEYS: &[&str] = &[
            "kind", "script", "link", "offer", "variant", "policy", "limits", "app", "sasl", "feed", "eof",
            "encode", "arg",
        ];
        let map = object(setup, "setup")?;
        known(&map, KEYS, "setup")?;
        let kind = match text(setup, "kind")? {
            "wire" => Kind::Wire,
            "encode" => Kind::Encode,
            "behaviour" => Kind::Behaviour,
            other => return Err(format!("unknown kind {other}")),
        };
        let eof = match map.get("eof") {
            None => Vec::new(),
            Some(Value::Bool(true)) => vec![Ending::Fin, Ending::Cut],
            Some(Value::String(how)) if how == "fin" => vec![Ending::Fin],
            Some(Value::String(how)) if how == "cut" => vec![Ending::Cut],
            Some(other) => return Err(format!("unknown eof {other}")),
        };
        let offer = match map.get("offer") {
            None => Vec::new(),
            Some(offer) => strings(offer)?,
        };
        let mut limits = BTreeMap::new();
        for (key, limit) in object(map.get("limits").unwrap_or(&Value::Null), "limits")? {
            limits.insert(key, limit.as_u64().ok_or("a limit is no number")?);
        }
        Ok(Setup {
            kind,
            script: script(map.get("script").unwrap_or(&Value::Null))?,
            offer,
            lmtp: flag(&map, "variant", "lmtp")?,
            policy: Policy::read(map.get("policy").unwrap_or(&Value::Null), role)?,
            limits,
            app: object(map.get("app").unwrap_or(&Value::Null), "app")?,
            sasl: map.get("sasl").map(Sasl::read).transpose()?,
            feed_whole: flag(&map, "feed", "whole")?,
            eof,
            encode: text(setup, "encode").unwrap_or_default().to_owned(),
            arg: map.get("arg").cloned().unwrap_or(Value::Null),
            transcript: false,
        })
    }

    /// The state right after the connection, with the default policies: for transcripts of RFCs.
    pub(crate) fn plain(role: Role) -> Setup {
        Setup {
            kind: Kind::Wire,
            script: Vec::new(),
            offer: Vec::new(),
            lmtp: false,
            policy: Policy::standard(role),
            limits: BTreeMap::new(),
            app: Map::new(),
            sasl: None,
            feed_whole: false,
            eof: Vec::new(),
            encode: String::new(),
            arg: Value::Null,
            transcript: true,
        }
    }
}

impl Policy {
    /// The defaults of the vectors for a role.
    pub(crate) fn standard(role: Role) -> Policy {
        Policy {
            grammar_tolerant: role != Role::Server,
            line_tolerant: false,
            tls_required: false,
            sync_strict: false,
            body_eol: BodyEol::Reject,
            early_talker_close: false,
            plaintext_auth: false,
            preauth: false,
            apop: false,
            xclient: false,
            proxy: false,
        }
    }

    fn read(policy: &Value, role: Role) -> Result<Policy, String> {
        let mut read = Policy::standard(role);
        for (key, value) in object(policy, "policy")? {
            let value = value.as_str().unwrap_or_default();
            let allowed = match value {
                "strict" | "refuse" | "optional" => Ok(false),
                "tolerant" | "allow" | "required" | "close" => Ok(true),
                _ => Err(format!("unknown policy {key} {value}")),
            };
            match key.as_str() {
                "grammar" => read.grammar_tolerant = allowed?,
                "line" => read.line_tolerant = allowed?,
                "tls" => read.tls_required = allowed?,
                "early_talker" => read.early_talker_close = allowed?,
                "plaintext_auth" => read.plaintext_auth = allowed?,
                "preauth" => read.preauth = allowed?,
                "apop" => read.apop = allowed?,
                "xclient" => read.xclient = allowed?,
                "proxy" => read.proxy = allowed?,
                "sync" => {
                    read.sync_strict = match value {
                        "strict" => true,
                        "loose" => false,
                        _ => return allowed.map(|_| read),
                    }
                }
                "body_eol" => {
                    read.body_eol = match value {
                        "reject" => BodyEol::Reject,
                        "normalise" => BodyEol::Normalise,
                        "pass" => BodyEol::Pass,
                        _ => return allowed.map(|_| read),
                    }
                }
                _ => return Err(format!("unknown policy {key}")),
            }
        }
        Ok(read)
    }
}

impl Sasl {
    fn read(sasl: &Value) -> Result<Sasl, String> {
        let get = |key| text(sasl, key).map(str::to_owned);
        Ok(Sasl {
            mechanism: get("mechanism")?,
            user: get("user")?,
            password: get("password")?,
            nonce: get("nonce")?,
        })
    }
}

fn script(script: &Value) -> Result<Vec<Step>, String> {
    let steps = script.as_array().map(Vec::as_slice).unwrap_or_default();
    steps
        .iter()
        .map(|step| {
            let who = step.get(0).and_then(Value::as_str).unwrap_or_default();
            let octets = latin1(step.get(1).and_then(Value::as_str).unwrap_or_default())?;
            match who {
                "peer" => Ok(Step::Peer(octets)),
                "us" => Ok(Step::Us(octets)),
                "tls" => Ok(Step::Tls),
                _ => Err(format!("unknown step {step}")),
            }
        })
        .collect()
}

/// `input`, or `parts` each as often as its number says.
fn input(line: &Value) -> Result<Vec<u8>, String> {
    if let Some(input) = line.get("input").and_then(Value::as_str) {
        let unicode = line.get("input_kind").and_then(Value::as_str) == Some("text");
        return if unicode { Ok(input.as_bytes().to_vec()) } else { latin1(input) };
    }
    let mut octets = Vec::new();
    for part in line.get("parts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default() {
        let piece = latin1(part.get(0).and_then(Value::as_str).ok_or("a part without octets")?)?;
        let times = part.get(1).and_then(Value::as_u64).ok_or("a part without a number")?;
        for _ in 0..times {
            octets.extend_from_slice(&piece);
        }
    }
    Ok(octets)
}

/// The string under a key.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str, String> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| format!("no {key}"))
}

/// A list of strings.
pub(crate) fn strings(value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().ok_or("no list")?;
    list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(|| "no string".to_owned())).collect()
}

fn object(value: &Value, name: &str) -> Result<Map<String, Value>, String> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map.clone()),
        _ => Err(format!("{name} is no object")),
    }
}

fn known(map: &Map<String, Value>, keys: &[&str], name: &str) -> Result<(), String> {
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown key {name}.{key}")),
        None => Ok(()),
    }
}

/// Whether a key that knows one value alone is there.
fn flag(map: &Map<String, Value>, key: &str, only: &str) -> Result<bool, String> {
    match map.get(key) {
        None => Ok(false),
        Some(Value::String(value)) if value == only => Ok(true),
        Some(other) => Err(format!("unknown {key} {other}")),
    }
}
