//! What is not RFC 1939's core: one file for each thing that has types or rules of its own. STLS, AUTH, UTF8 and LANG are commands like others
//! and stand in the machines.
//!
//! | file | what |
//! |---|---|
//! | [`capa`] | CAPA and its capabilities (RFC 2449, RFC 3206, RFC 2595, RFC 5034, RFC 6856) |
//! | `apop` | the digest of APOP (RFC 1939 §7), feature `legacy-md5` |
//! | [`fresh`] | what is new in a maildrop, by unique-ids (RFC 1939 §8) |
//! | [`url`] | POP URLs (RFC 2384) |

#[cfg(feature = "legacy-md5")]
pub mod apop;
pub mod capa;
pub mod fresh;
pub mod url;
