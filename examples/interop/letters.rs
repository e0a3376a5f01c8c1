//! The messages of the large download: the same each time, each of them another, made without memory for all of them.

use mail_session::pop3::Part;
use mailhost::Failure;
use std::fmt::Write as _;

/// How many.
pub(crate) const COUNT: u32 = 500;
/// Octets of each, line ends and all.
pub(crate) const OCTETS: usize = 64 * 1024;

/// Octets of a line or, with a lone dot before it, of two. The header and the bodies are multiples of it.
const LINE: usize = 64;
/// Octets of the header, with the empty line.
const HEADER: usize = 4 * LINE;
/// Octets of the body.
const BODY: usize = OCTETS - HEADER;

/// What all bodies are cut from: each begins at another line.
pub(crate) struct Letters {
    pool: Vec<u8>,
}

impl Letters {
    /// Lines of visible octets by a linear congruence. Some begin with dots, and some are a dot alone: those are stuffed on the way.
    pub(crate) fn new() -> Self {
        let mut pool = String::with_capacity(2 * BODY);
        let mut state = 2_463_534_242_u32;
        for number in 0..2 * BODY / LINE {
            let end = pool.len() + LINE - 2;
            // A dot alone takes the place of three octets, so that two lines are as long as one.
            match number % 16 {
                0 => pool.push_str(".\r\n"),
                5 => pool.push_str(".."),
                9 => pool.push('.'),
                _ => {}
            }
            // Each octet from blank to tilde: what stands at the end of a line is kept, too.
            while pool.len() < end {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                pool.push(char::from(b' ' + (state >> 24) as u8 % 95));
            }
            pool.push_str("\r\n");
        }
        Self { pool: pool.into_bytes() }
    }

    /// Header and body of a letter, counted from 1.
    pub(crate) fn letter(&self, number: u32) -> (String, &[u8]) {
        // Its own Message-ID, and filled up, so that all are equally long.
        let mut header = String::with_capacity(HEADER);
        let _ = write!(
            header,
            "From: bob@mail.test\r\nTo: alice@mail.test\r\nDate: Sun, 1 Mar 2026 10:00:00 +0000\r\n\
             Message-ID: <letter-{number}@mail.test>\r\nSubject: "
        );
        while header.len() < HEADER - 4 {
            header.push('x');
        }
        header.push_str("\r\n\r\n");
        let from = number as usize * 7 % (BODY / LINE) * LINE;
        (header, &self.pool[from..from + BODY])
    }

    /// All octets of a letter.
    pub(crate) fn octets(&self, number: u32) -> Vec<u8> {
        let (header, body) = self.letter(number);
        [header.as_bytes(), body].concat()
    }

    /// To compare a download with them.
    pub(crate) fn check(&self) -> Check<'_> {
        Check { letters: self, number: 0, header: String::new(), body: &[], at: 0 }
    }
}

/// Compares the parts of a download, octet by octet, as they come.
pub(crate) struct Check<'l> {
    letters: &'l Letters,
    /// The letter that is under way, or the last one.
    number: u32,
    /// What it must be.
    header: String,
    body: &'l [u8],
    /// How many of its octets have come.
    at: usize,
}

impl Check<'_> {
    /// The next part. The letters come in their order.
    pub(crate) fn part(&mut self, part: &Part<'_>) -> Result<(), Failure> {
        match part {
            Part::Begin(message) => {
                // LIST gives them in the order in which they were put there.
                self.number += 1;
                (self.header, self.body) = self.letters.letter(self.number);
                self.at = 0;
                self.demand(message.get() == self.number)
            }
            Part::Octets(octets) => {
                // What arrives may come apart anywhere, also where the body begins.
                let into_header = self.header.as_bytes().get(self.at..).unwrap_or(&[]);
                let (header, body) = octets.split_at(octets.len().min(into_header.len()));
                let into_body = self.body.get(self.at.saturating_sub(HEADER)..).unwrap_or(&[]);
                self.demand(into_header.starts_with(header) && into_body.starts_with(body))?;
                self.at += octets.len();
                Ok(())
            }
            Part::End(message) => self.demand(message.get() == self.number && self.at == OCTETS),
            part => Err(format!("letter {}: {part:?}", self.number).into()),
        }
    }

    /// After the last part: whether all letters have come.
    pub(crate) fn all(&self) -> Result<(), Failure> {
        self.demand(self.number == COUNT && self.at == OCTETS)
    }

    /// Says where it went wrong.
    fn demand(&self, holds: bool) -> Result<(), Failure> {
        if holds {
            Ok(())
        } else {
            Err(format!("letter {} differs near octet {}", self.number, self.at).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_session::proto::pop3::types::MessageNumber;
    use std::collections::BTreeSet;

    /// Legal by RFC 5322 §2.1: lines end in CRLF, and there is no other CR or LF.
    #[test]
    fn each_is_legal_and_another() {
        let letters = Letters::new();
        let all: BTreeSet<Vec<u8>> = (1..=COUNT).map(|number| letters.octets(number)).collect();
        assert_eq!(all.len(), COUNT as usize);
        for letter in all {
            assert_eq!(letter.len(), OCTETS);
            let text = String::from_utf8(letter).unwrap();
            assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
            assert!(
                text.contains("\r\n.\r\n")
                    && text.contains("\r\n..")
                    && text.split("\r\n").all(|line| line.len() <= 250)
            );
        }
    }

    /// At every border of header and body: right octets are taken, and one bit, one octet too few or too many is not.
    #[test]
    fn the_check_takes_the_letters_and_nothing_else() {
        let letters = Letters::new();
        let first = MessageNumber::new(1).unwrap();
        let feed = |octets: &[u8], cut: usize| {
            let mut check = letters.check();
            check.part(&Part::Begin(first))?;
            for piece in octets.chunks(cut) {
                check.part(&Part::Octets(piece))?;
            }
            check.part(&Part::End(first))
        };
        let good = letters.octets(1);
        for cut in [1, 255, 256, 257, 4096, OCTETS] {
            assert!(feed(&good, cut).is_ok(), "{cut}");
            assert!(feed(&good[..OCTETS - 1], cut).is_err(), "{cut}");
            assert!(feed(&[&good[..], b"\n"].concat(), cut).is_err(), "{cut}");
            for at in [0, 255, 256, OCTETS - 1] {
                let mut bad = good.clone();
                bad[at] ^= 1;
                assert!(feed(&bad, cut).is_err(), "{at} {cut}");
            }
        }
        let mut check = letters.check();
        assert!(check.part(&Part::Begin(MessageNumber::new(2).unwrap())).is_err());
        assert!(letters.check().all().is_err());
    }
}
