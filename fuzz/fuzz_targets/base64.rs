//! See `mail_fuzz::base64`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mail_fuzz::base64::run(data));
