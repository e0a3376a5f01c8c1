use mail_imap_proto::{Command, Limits, types::Tag};
use mail_wire::Output;
use bytes::Buf;
#[test]
fn rfc_units() {
    let text = std::fs::read_to_string("/tmp/imaps-scratch/units.txt").unwrap();
    let (mut good, mut bad) = (0, 0);
    for line in text.lines() {
        let (id, hex) = line.split_once(' ').unwrap();
        let octets: Vec<u8> = (0..hex.len()/2).map(|i| u8::from_str_radix(&hex[2*i..2*i+2], 16).unwrap()).collect();
        match Command::parse(&octets, &Limits::default(), false).or_else(|_| Command::parse(&octets, &Limits::default(), true)) {
            Ok((tag, command)) => {
                good += 1;
                let mut out = Output::new();
                command.encode(tag, false, &mut out);
                let enc = out.copy_to_bytes(out.remaining());
                let (t2, c2) = Command::parse(&enc, &Limits::default(), true).unwrap_or_else(|e| panic!("{id} {} {e:?}", enc.escape_ascii()));
                assert_eq!(tag, t2);
                assert_eq!(format!("{command:?}").replace("+}","}"), format!("{c2:?}").replace("+}","}"), "{id}");
                let _ = Tag::new(b"x");
            }
            Err(m) => { bad += 1; println!("{id} {m} {}", octets.escape_ascii()); }
        }
    }
    println!("{good} good {bad} bad");
}
