//! Seeds from the project's vectors: what a peer sends in each of them.

use crate::machine::{OURS, PEER, TLS};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Longer inputs are for the conformance run; a corpus wants short ones.
const MOST: usize = 16 * 1024;

/// What one peer says in one vector or in one transcript of an RFC.
pub struct Seed {
    /// The id of the vector, or `rfcN-blockN` and the side.
    pub id: String,
    /// `smtp`, `imap`, `pop3` or `any`.
    pub protocol: String,
    /// Whether a server machine reads it. Where the vector leaves that open, there is a seed for each.
    pub server: bool,
    /// All that the peer sends, from its first octet on.
    pub octets: Vec<u8>,
    /// The same with our side's lines and the hand-over to TLS, as [`crate::machine`] reads it.
    pub script: Vec<u8>,
    /// Whether TLS stands from the start.
    pub implicit: bool,
}

/// All seeds.
///
/// # Panics
/// Where a vector file is missing or not of its format.
#[must_use]
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for file in ["quirks", "security"] {
        records(file).iter().for_each(|record| vector(record, &mut seeds));
    }
    transcripts(&records("rfc-examples"), &mut seeds);
    seeds.retain(|seed| !seed.octets.is_empty() && seed.octets.len() <= MOST);
    seeds
}

fn records(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../testdata/vectors/{file}.jsonl"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

fn vector(record: &Value, seeds: &mut Vec<Seed>) {
    if record["setup"]["kind"] != "wire" {
        return;
    }
    let (mut octets, mut script) = (Vec::new(), Vec::new());
    let steps = record["setup"]["script"].as_array().map_or(&[][..], |steps| steps);
    let implicit = steps.first().is_some_and(|step| step[0] == "tls");
    for step in &steps[usize::from(implicit)..] {
        let said = wire(&step[1]);
        script.push(if step[0] == "peer" {
            PEER
        } else if step[0] == "us" {
            OURS
        } else {
            TLS
        });
        script.extend(&said);
        if step[0] == "peer" {
            octets.extend(said);
        }
    }
    let input = if let Some(parts) = record["parts"].as_array() {
        let repeated = |part: &Value| {
            let times = part[1].as_u64().unwrap_or(1).min(MOST as u64) as usize;
            wire(&part[0]).repeat(times).into_iter().take(MOST).collect::<Vec<u8>>()
        };
        parts.iter().flat_map(repeated).collect()
    } else {
        wire(&record["input"])
    };
    script.push(PEER);
    script.extend(&input);
    octets.extend(input);
    for (role, server) in [("client", false), ("server", true)] {
        if record["role"] == role || record["role"] == "any" || record["role"] == "session" {
            let (id, protocol) = (text(&record["id"]), text(&record["protocol"]));
            seeds.push(Seed {
                id,
                protocol,
                server,
                octets: octets.clone(),
                script: script.clone(),
                implicit,
            });
        }
    }
}

/// A transcript gives one seed for each side.
fn transcripts(records: &[Value], seeds: &mut Vec<Seed>) {
    // By block, protocol and side: the octets and the script.
    let mut sides = BTreeMap::<(String, String, bool), (Vec<u8>, Vec<u8>)>::new();
    for record in records.iter().filter(|record| record["exact"] == true) {
        let protocol = match text(&record["protocol"]).as_str() {
            "lmtp" | "sasl" => "smtp".to_owned(),
            other => other.to_owned(),
        };
        let block = format!("rfc{}-block{}", record["rfc"], record["block"]);
        let said = wire(&record["bytes"]);
        for server in [false, true] {
            let peer = (record["direction"] == "C") == server;
            let (octets, script) = sides.entry((block.clone(), protocol.clone(), server)).or_default();
            script.push(if peer { PEER } else { OURS });
            script.extend(&said);
            if peer {
                octets.extend(&said);
            }
        }
    }
    for ((block, protocol, server), (octets, script)) in sides {
        let id = format!("{block}-{}", if server { 'C' } else { 'S' });
        seeds.push(Seed { id, protocol, server, octets, script, implicit: false });
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A character up to U+00FF is one octet; a record that holds others is text and gives its UTF-8.
fn wire(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_default();
    let octets: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    octets.unwrap_or_else(|_| text.as_bytes().to_vec())
}
