//! See `mail_fuzz::engine`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::engine::run(data));
