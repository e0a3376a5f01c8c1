//! See `mail_fuzz::smtp_server`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::smtp_server::run(data));
