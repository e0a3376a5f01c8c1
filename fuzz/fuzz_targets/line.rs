//! See `mail_fuzz::line`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::line::run(data));
