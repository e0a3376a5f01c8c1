//! See `mail_fuzz::smtp_client`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::smtp_client::run(data));
