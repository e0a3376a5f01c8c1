//! See `mail_fuzz::imap_client`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::imap_client::run(data));
