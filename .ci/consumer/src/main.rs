//! Shows that `mail-session` alone is enough: everything is reached through its re-exports.

use mail_session as _;

fn main() {
    println!("mail-session links");
}
