//! What is not RFC 1939: one file for each extension that has types or rules of its own.
//!
//! | file | standard |
//! |---|---|
//! | [`capa`] | CAPA and its capabilities (RFC 2449, RFC 3206, RFC 2595, RFC 5034, RFC 6856) |

pub mod capa;
