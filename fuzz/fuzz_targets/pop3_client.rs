//! See `mail_fuzz::pop3_client`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::pop3_client::run(data));
