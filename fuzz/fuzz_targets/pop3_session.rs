//! See `mail_fuzz::pop3_session`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::pop3_session::run(data));
