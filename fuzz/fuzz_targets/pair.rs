//! See `mail_fuzz::pair`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::pair::run(data));
