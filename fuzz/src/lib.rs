//! The bodies of the fuzz targets. Each takes any octets, drives one part of the suite with them and holds it against an
//! oracle; a fault is a panic. `tests/replay.rs` runs the same bodies over the seeds on stable, without a fuzzer.
//!
//! A target is a module here, a line in [`TARGETS`], a file in `fuzz_targets/` and a `[[bin]]` in the manifest; a test holds
//! the four together.

pub mod base64;
pub mod dot;
pub mod engine;
pub mod imap_client;
pub mod imap_server;
pub mod line;
pub mod machine;
pub mod pair;
pub mod pop3_client;
pub mod pop3_operations;
pub mod pop3_server;
pub mod pop3_session;
pub mod reads;
pub mod seeds;
pub mod smtp_client;
pub mod smtp_server;

use seeds::Seed;

/// A fuzz target.
pub struct Target {
    /// Of the module, the binary and the corpus folder.
    pub name: &'static str,
    /// The body.
    pub run: fn(&[u8]),
    /// Which of the seeds are fed to it.
    pub wants: fn(&Seed) -> bool,
    /// For a machine: the settings that it takes as its first octet. For anything else none, and no such octet.
    pub settings: &'static [u8],
    /// What stands before the settings, by the seed.
    pub prefix: fn(&Seed) -> &'static [u8],
}

fn nothing(_: &Seed) -> &'static [u8] {
    &[]
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "base64", run: base64::run, wants: |_| true, settings: &[], prefix: nothing },
    Target { name: "dot", run: dot::run, wants: |_| true, settings: &[], prefix: nothing },
    Target {
        name: "engine",
        run: engine::run,
        wants: |seed| seed.script.len() < 2048,
        settings: &[0],
        prefix: engine::which,
    },
    Target {
        name: "imap_client",
        run: imap_client::run,
        wants: |seed| seed.protocol == "imap" && !seed.server,
        settings: &[0, 1, 2, 3],
        prefix: nothing,
    },
    Target {
        name: "imap_server",
        run: imap_server::run,
        wants: |seed| seed.protocol == "imap" && seed.server,
        settings: &[0, 1, 2, 3],
        prefix: nothing,
    },
    Target { name: "line", run: line::run, wants: |_| true, settings: &[], prefix: nothing },
    Target {
        name: "pair",
        run: pair::run,
        wants: |seed| seed.server && seed.script.len() < 2048,
        settings: &[0, 1, 2, 3],
        prefix: pair::which,
    },
    Target {
        name: "pop3_client",
        run: pop3_client::run,
        wants: |seed| seed.protocol == "pop3" && !seed.server,
        settings: &[0, 1, 2],
        prefix: nothing,
    },
    Target {
        name: "pop3_operations",
        run: pop3_operations::run,
        wants: |seed| seed.protocol == "pop3",
        settings: &[0, 1, 2, pop3_operations::MANUAL],
        prefix: pop3_operations::which,
    },
    Target {
        name: "pop3_server",
        run: pop3_server::run,
        wants: |seed| seed.protocol == "pop3" && seed.server,
        settings: &[0, 1, 2],
        prefix: nothing,
    },
    Target {
        name: "pop3_session",
        run: pop3_session::run,
        wants: |seed| seed.protocol == "pop3" && seed.script.len() < 2048,
        settings: &[0, 1, 2, 24],
        prefix: pop3_session::which,
    },
    Target {
        name: "smtp_client",
        run: smtp_client::run,
        wants: |seed| seed.protocol == "smtp" && !seed.server,
        settings: &[0, 1, 2, 3],
        prefix: nothing,
    },
    Target {
        name: "smtp_server",
        run: smtp_server::run,
        wants: |seed| seed.protocol == "smtp" && seed.server,
        settings: &[0, 1, 2, 3],
        prefix: nothing,
    },
];

/// The corpus of a target: each seed that it wants, in each setting, read whole and octet by octet.
#[must_use]
pub fn corpus(target: &Target, seeds: &[Seed]) -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    for seed in seeds.iter().filter(|seed| (target.wants)(seed)) {
        for how in [reads::WHOLE, reads::OCTETS] {
            match target.settings {
                [] => inputs.push([&[how], &seed.octets[..]].concat()),
                settings => inputs.extend(settings.iter().map(|setting| {
                    let setting = setting | if seed.implicit { machine::IMPLICIT } else { 0 };
                    [(target.prefix)(seed), &[setting, how], &seed.script].concat()
                })),
            }
        }
    }
    inputs
}
