//! See `mail_fuzz::pop3_operations`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::pop3_operations::run(data));
