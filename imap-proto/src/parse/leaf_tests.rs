use super::*;

fn text(octets: &[u8], span: Span) -> (&[u8], u8) {
    (span.of(octets), span.tag())
}

/// The octets one by one, as the standard writes the rule.
fn slow_special(octets: &[u8], at: usize) -> usize {
    (at..octets.len()).find(|i| octets[*i] < 16 || b"\"\\".contains(&octets[*i])).unwrap_or(octets.len())
}

#[test]
fn eight_octets_at_a_time_find_what_one_at_a_time_finds() {
    for filler in [b'a', 0xff, 0x80, b'#', b'!', b']', b'[', 16, 0x7f] {
        for length in 0..40 {
            for at in 0..length {
                for stop in [b'"', b'\\', 0, b'\r', b'\n', 15] {
                    let mut octets = vec![filler; length];
                    octets[at] = stop;
                    for from in 0..length {
                        assert_eq!(from + special(&octets[from..]), slow_special(&octets, from));
                    }
                }
            }
        }
    }
}

#[test]
fn strings_have_three_forms_and_nil_is_none_of_them() {
    let quoted = b"\"a b\" x";
    assert_eq!(Cursor::new(quoted).string().map(|s| text(quoted, s)), Ok((&b"a b"[..], form::QUOTED)));
    let escaped = b"\"a\\\"\\\\b\"";
    assert_eq!(
        Cursor::new(escaped).string().map(|s| text(escaped, s)),
        Ok((&b"a\\\"\\\\b"[..], form::ESCAPED))
    );
    let literal = b"{3}\r\na\r\n)";
    let mut cursor = Cursor::new(literal);
    assert_eq!(cursor.string().map(|s| text(literal, s)), Ok((&b"a\r\n"[..], form::LITERAL)));
    assert_eq!(cursor.peek(), Some(b')'));
    assert!(Cursor::new(b"NIL)").nil() && Cursor::new(b"nil").nil());
    assert!(!Cursor::new(b"NILS").nil() && !Cursor::new(b"\"NIL\"").nil());
    assert_eq!(Cursor::new(b"nil").astring().map(|s| (s.len(), s.tag())), Ok((3, form::ATOM)));
    let zero = b"~{4}\r\na\0b\0";
    assert_eq!(Cursor::new(zero).literal().map(|s| text(zero, s)), Ok((&b"a\0b\0"[..], form::LITERAL8)));
    assert_eq!(Cursor::new(b"{2}\r\na\0").literal().map_err(|f| f.rule), Err(Rule::Literal));
    assert_eq!(Cursor::new(b"{3}\r\nab").literal().map_err(|f| f.at), Err(0));
}

#[test]
fn a_quoted_string_ends_where_it_says_or_is_none() {
    for bad in [&b"\"abc"[..], b"\"a\\", b"\"a\0\"", b"\"a\rb\"", b"\"0123456789\n\"", b"\"a\\x\"", b"x\""] {
        assert!(Cursor::new(bad).quoted().is_err(), "{bad:?}");
    }
    let (span, odd) = Cursor::new(b"\"a\\x\"").loose_quoted().unwrap();
    assert_eq!((span.len(), odd), (3, Some(2)));
    assert!(Cursor::new(b"\"\xc3\xa9\x1b\x7f\t\"").quoted().is_ok());
}

#[test]
fn numbers_do_not_wrap() {
    assert_eq!(Cursor::new(b"9223372036854775807").number64(), Ok(i64::MAX as u64));
    assert_eq!(Cursor::new(b"0000000000000000000000007 ").number64(), Ok(7));
    for bad in [&b"9223372036854775808"[..], b"18446744073709551616", b"", b"-1", b"+1"] {
        assert_eq!(Cursor::new(bad).number64().map_err(|f| (f.at, f.rule)), Err((0, Rule::Number)));
    }
    assert_eq!(Cursor::new(b"4294967295").number(), Ok(u32::MAX));
    assert!(Cursor::new(b"4294967296").number().is_err());
    assert_eq!(Cursor::new(b"0").nz_number().map_err(|f| f.rule), Err(Rule::NonZero));
}

#[test]
fn a_value_is_skipped_whole_whatever_is_in_it() {
    for (value, depth) in [
        (&b"atom"[..], 0),
        (b"(a (b \")\" {3}\r\n)))) c)", 2),
        (b"\"a b\"", 0),
        (b"BODY[TEXT]<0>", 0),
        (b"{oops", 0),
        (b"~x", 0),
        (b"a\"b c\"d", 0),
    ] {
        for behind in [&b""[..], b" x", b")", if depth > 0 { b"(b)" } else { b"" }] {
            let octets = [value, behind].concat();
            let mut cursor = Cursor::new(&octets);
            assert_eq!(cursor.skip_value(), Ok(depth), "{octets:?}");
            assert_eq!(cursor.at(), value.len());
        }
    }
    let deep = [vec![b'('; 100_000], vec![b')'; 100_000]].concat();
    assert_eq!(Cursor::new(&deep).skip_value(), Ok(100_000));
    let mut open = Cursor::new(&deep[..150_000]);
    assert_eq!(open.skip_value().map_err(|f| f.rule), Err(Rule::List));
    assert!(open.is_end());
}

/// Every result of the grammar is as large as its error.
#[test]
fn a_fault_is_small() {
    assert!(size_of::<Fault>() <= 8, "{}", size_of::<Fault>());
}
