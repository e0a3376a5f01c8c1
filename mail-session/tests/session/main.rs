//! Sessions, by a small protocol that has all that a session must carry, and by the real ones.

#[path = "../toy/mod.rs"]
mod toy;

mod blocking;
mod drivers;
