//! Listed sizes and messages that do not have them: no client ever takes a part for the whole.

use crate::messages::{number, retr, top};
use crate::peer::{Meeting, ask, good, open_config, opening};
use crate::shelf::Shelf;
use crate::twins::{HEAD, LOG_IN, awaiting, blocked};
use mail_session::Bytes;
use mail_session::memory::Chunks;
use mail_session::pop3::serve::{Attempt, Denied, Ended, Host, LockedMaildrop, ServeError, Service, Source};
use mail_session::proto::pop3::Command;
use mail_session::proto::pop3::server::{Deletions, Maildrop};
use mail_session::proto::pop3::types::{MessageNumber, UniqueId};
use mail_session::wire::dot::BodyEol;
use std::fs::{self, File};
use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

const LETTER: &str = "Subject: a\r\n\r\n.dot\r\n..\r\nend\r\n";

/// By both drivers, in pieces of any size: what was sent has no terminator, and the lock is released.
#[test]
fn a_message_that_ends_before_its_listed_size_has_no_end() {
    for (missing, octets) in [(1, 1), (2, 7), (3, usize::MAX), (1_000_000, 5), (u64::MAX / 2, 29)] {
        for command in ["RETR 1", "TOP 1 100"] {
            let script = format!("{LOG_IN}DELE 2\r\n{command}\r\nQUIT\r\n");
            let shelf = || Shelf::new(&[LETTER, ""]).in_pieces(octets).listing(LETTER.len() as u64 + missing);
            let expected = format!(
                "{HEAD}+OK deleted\r\n+OK the message follows\r\n{}",
                LETTER.replace("\r\n.", "\r\n..")
            );
            let (one, other) = (shelf(), shelf());
            for (shelf, (said, ended)) in [
                (&one, awaiting(&script, &one, Chunks::Whole)),
                (&other, blocked(&script, &other, Chunks::Whole)),
            ] {
                assert_eq!(said, expected, "{command}");
                let Err(ServeError::Short(message, short)) = ended else { panic!("{ended:?}") };
                assert_eq!((message, short), (number(1), missing));
                assert_eq!((shelf.left().as_str(), shelf.is_locked()), ("ab", false));
            }
        }
    }
}

/// Nothing has been said yet, so that it can be refused, and the session goes on.
#[test]
fn a_message_that_is_listed_and_has_nothing_is_refused() {
    let shelf = Shelf::new(&[""]).listing(1);
    let (_, ended) = Meeting::new(&shelf).meet(async |mut peer| {
        for command in [retr(1), top(1, 0)] {
            let (said, _) = ask(&mut peer, &command).await;
            assert_eq!((said.ok, said.code.as_deref()), (false, Some("SYS/TEMP")));
        }
        good(&mut peer, &Command::Quit).await;
    });
    assert!(matches!(ended, Ok(Ended::Committed(0))), "{ended:?}");
}

/// Too small a size costs nothing: the message is sent as far as it goes.
#[test]
fn a_message_may_be_longer_than_listed() {
    for listed in [0, 1, LETTER.len() as u64 - 1] {
        let shelf = Shelf::new(&[LETTER]).in_pieces(3).listing(listed);
        let (_, ended) = Meeting::new(&shelf).meet(async |mut peer| {
            assert_eq!(good(&mut peer, &retr(1)).await.rest, LETTER);
            good(&mut peer, &Command::Quit).await;
        });
        assert!(matches!(ended, Ok(Ended::Committed(0))), "{ended:?}");
    }
}

/// Of a message without a line end at its end, both sizes are right: with it and without.
#[test]
fn the_line_end_that_is_added_may_be_listed_or_not() {
    let letter = "Subject: b\r\n\r\nno line end";
    for listed in [letter.len() as u64, letter.len() as u64 + 2] {
        let shelf = Shelf::new(&[letter]).listing(listed);
        let (said, _) = Meeting::new(&shelf).meet(async |mut peer| good(&mut peer, &retr(1)).await.rest);
        assert_eq!(said, format!("{letter}\r\n"));
    }
    // It makes up for no octet but its own.
    let shelf = Shelf::new(&[&letter[..letter.len() - 1]]).listing(letter.len() as u64);
    let (said, ended) = awaiting(&format!("{LOG_IN}RETR 1\r\n"), &shelf, Chunks::Whole);
    assert!(said.ends_with("no line en"), "{said}");
    assert!(matches!(ended, Err(ServeError::Short(_, 1))), "{ended:?}");
}

/// What TOP does not ask for may be missing.
#[test]
fn top_minds_what_it_has_asked_for() {
    let shelf = Shelf::new(&["A: 1\r\n\r\nline\r\n"]).listing(1000);
    let (_, ended) = Meeting::new(&shelf).meet(async |mut peer| {
        assert_eq!(good(&mut peer, &top(1, 0)).await.rest, "A: 1\r\n\r\n");
        assert_eq!(good(&mut peer, &top(1, 1)).await.rest, "A: 1\r\n\r\nline\r\n");
        let (said, _) = ask(&mut peer, &top(1, 2)).await;
        assert!(said.ok && !said.whole);
    });
    assert!(matches!(ended, Err(ServeError::Short(_, 986))), "{ended:?}");
}

/// A folder of files with LF alone, one for each message: the octets of the file are what is listed.
#[derive(Clone)]
struct Folder(Arc<PathBuf>);

struct Taken {
    folder: Folder,
    sizes: Vec<u64>,
    open: Option<Source<File>>,
}

impl Folder {
    fn file(&self, message: MessageNumber) -> PathBuf {
        self.0.join(format!("{message}.eml"))
    }
}

impl Host for Folder {
    type Locked = Taken;

    fn log_in(&self, _: Attempt) -> Result<(Taken, Maildrop), Denied> {
        let (mut maildrop, mut sizes) = (Maildrop::new(), Vec::new());
        for file in (1..).map(|n| self.file(number(n))) {
            let Ok(known) = fs::metadata(file) else { break };
            let id = format!("id{}", sizes.len());
            maildrop.push(known.len(), UniqueId::try_from(id.as_str()).unwrap()).unwrap();
            sizes.push(known.len());
        }
        Ok((Taken { folder: self.clone(), sizes, open: None }, maildrop))
    }
}

impl LockedMaildrop for Taken {
    fn read(&mut self, message: MessageNumber, offset: u64) -> io::Result<Bytes> {
        if offset == 0 {
            let size = self.sizes[message.get() as usize - 1];
            self.open = Some(Source::new(File::open(self.folder.file(message))?, size));
        }
        self.open.as_mut().ok_or(io::ErrorKind::NotFound)?.piece()
    }

    fn commit(self, deletions: Deletions) -> io::Result<()> {
        deletions.numbers().try_for_each(|message| fs::remove_file(self.folder.file(message)))
    }
}

#[test]
fn a_file_that_shrinks_is_cut_and_one_that_grows_is_not_longer() {
    let folder =
        Folder(Arc::new(std::env::temp_dir().join(format!("mail-session-sizes-{}", std::process::id()))));
    fs::create_dir_all(&*folder.0).unwrap();
    let letter = "A: 1\n\n".to_owned() + &"a line of it\n".repeat(20_000);
    for n in 1..=3 {
        fs::write(folder.file(number(n)), &letter).unwrap();
    }
    let mut config = open_config();
    config.policy.body_eol = BodyEol::Normalise;
    let service = Service::new(config);
    let meeting = Meeting { service, ..Meeting::new(&Shelf::default()) };
    let (_, ended) = meeting.open(&folder, opening(), pending(), async |opened| {
        let mut peer = opened.unwrap();
        let sent = letter.replace('\n', "\r\n");
        assert_eq!(good(&mut peer, &retr(1)).await.rest, sent);
        fs::write(folder.file(number(2)), letter.clone() + "the next message\n").unwrap();
        assert_eq!(good(&mut peer, &retr(2)).await.rest, sent);
        fs::write(folder.file(number(3)), &letter[..200_000]).unwrap();
        let (said, outcome) = ask(&mut peer, &retr(3)).await;
        assert!(said.ok && !said.whole && outcome.is_err());
    });
    let Err(ServeError::Read(message, error)) = ended else { panic!("{ended:?}") };
    assert_eq!((message, error.kind()), (number(3), io::ErrorKind::UnexpectedEof));
    fs::remove_dir_all(&*folder.0).unwrap();
}
