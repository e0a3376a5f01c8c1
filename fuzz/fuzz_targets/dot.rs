//! See `mail_fuzz::dot`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::dot::run(data));
