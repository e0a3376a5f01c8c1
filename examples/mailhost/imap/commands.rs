//! What each command does.

use super::list::{DELIMITER, matching};
use super::search::search;
use super::selected::{Selected, seq, with_flags};
use super::{Client, Turn, name, ok, status};
use crate::Failure;
use crate::store::{Change, Refusal};
use mail_session::proto::imap::Command;
use mail_session::proto::imap::command::{ListArgs, StoreMode};
use mail_session::proto::imap::server::{Answer, NamespaceEntry, SearchResult};
use mail_session::proto::imap::types::{
    AString, Atom, Atoms, Code, Condition, Flag, Flags, IdField, IdFields, Mailbox, Options, Search,
    SequenceSet, SequenceSetBuf, Status, utf7,
};

/// What a message can be flagged with.
const FLAGS: [Flag<'static>; 5] = [Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Seen, Flag::Draft];

impl Client<'_> {
    pub(super) async fn command(
        &mut self,
        command: Command<'_>,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        match command {
            Command::Noop | Command::Check => self.done(ok("done"), answer, turn),
            Command::Logout => Ok(turn.answer(answer, &ok("bye"))?),
            Command::Enable(_) => Ok(turn.answer(answer, &ok("enabled"))?),
            Command::Id(_) => {
                let fields: [IdField<'_>; 1] =
                    [(AString::try_from("name")?, Some(AString::try_from("mailhost")?))];
                turn.untagged(&answer)?.id(IdFields::of(&fields)?);
                Ok(turn.answer(answer, &ok("done"))?)
            }
            Command::Login { user, password } => {
                let user = String::from_utf8_lossy(&user.bytes()).into_owned();
                let given = mail_session::wire::Secret::new(password.expose().bytes());
                let good = self.store.password(&user).is_some_and(|known| given.matches(known.as_bytes()));
                if !good {
                    let failed = no("wrong user or password").with_code(Code::AuthenticationFailed);
                    return Ok(turn.answer(answer, &failed)?);
                }
                self.user = user;
                Ok(turn.answer(answer, &ok("logged in"))?)
            }
            Command::Select { mailbox, params } if !params.is_present() => {
                self.select(mailbox, false, answer, turn)
            }
            Command::Examine { mailbox, params } if !params.is_present() => {
                self.select(mailbox, true, answer, turn)
            }
            Command::Create { mailbox, params } if !params.is_present() => {
                let done = name(mailbox).and_then(|name| told(self.store.create(&self.user, &name)));
                self.done(either(done), answer, turn)
            }
            Command::Delete(mailbox) => {
                let done = name(mailbox).and_then(|name| told(self.store.delete(&self.user, &name)));
                self.done(either(done), answer, turn)
            }
            Command::Rename { from, to } => {
                let names = name(from).and_then(|from| Ok((from, name(to)?)));
                let done = names.and_then(|(from, to)| told(self.store.rename(&self.user, &from, &to)));
                self.done(either(done), answer, turn)
            }
            Command::Subscribe(mailbox) => self.subscribe(mailbox, true, answer, turn),
            Command::Unsubscribe(mailbox) => self.subscribe(mailbox, false, answer, turn),
            Command::List(list) if !list.select.is_present() && !list.returns.is_present() => {
                self.list(list, answer, turn)
            }
            Command::Lsub { reference, pattern } => self.listed(reference, [pattern], true, answer, turn),
            Command::Namespace => {
                let personal = NamespaceEntry { prefix: AString::try_from("")?, delimiter: Some(DELIMITER) };
                turn.untagged(&answer)?.namespace(&[personal], &[], &[]);
                self.done(ok("done"), answer, turn)
            }
            Command::Status { mailbox, items } => self.status(mailbox, items, answer, turn),
            Command::Close | Command::Unselect => {
                if let Some(selected) = self.selected.take() {
                    if matches!(command, Command::Close) && !selected.read_only {
                        self.store.remove(&self.user, &selected.name, |message| message.has("\\Deleted"));
                    }
                }
                Ok(turn.answer(answer, &ok("closed"))?)
            }
            Command::Expunge { uids } => self.expunge(uids, answer, turn),
            Command::Search { uid, options, charset, keys } => {
                self.search(uid, options, charset, keys, answer, turn)
            }
            Command::Fetch { uid, set, atts, modifiers } if !modifiers.is_present() => {
                self.fetch(set, uid, atts, answer, turn).await
            }
            Command::Store { uid, set, modifiers, mode, silent, flags } if !modifiers.is_present() => {
                self.flag(set, uid, mode, silent, flags, answer, turn)
            }
            Command::Copy { uid, set, mailbox } => self.copy(set, uid, mailbox, false, answer, turn),
            Command::Move { uid, set, mailbox } => self.copy(set, uid, mailbox, true, answer, turn),
            _ => Ok(turn.refuse(answer)?),
        }
    }

    /// Tells what is new, then answers.
    fn done(&mut self, status: Status<'_>, answer: Answer, turn: &mut Turn<'_>) -> Result<(), Failure> {
        if self.selected.is_some() {
            self.tell(&mut turn.untagged(&answer)?, true);
        }
        Ok(turn.answer(answer, &status)?)
    }

    fn select(
        &mut self,
        mailbox: Mailbox<'_>,
        read_only: bool,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        // Whatever comes of it, the mailbox that was selected is so no more (RFC 9051 §6.3.2).
        self.selected = None;
        let found = name(mailbox).and_then(|name| {
            let mailbox = self.store.mailbox(&self.user, &name).ok_or(missing())?;
            Ok((name, mailbox))
        });
        let (name, mailbox) = match found {
            Ok(found) => found,
            Err(status) => return Ok(turn.answer(answer, &status)?),
        };
        let mut writer = turn.untagged(&answer)?;
        let unseen = mailbox.messages.iter().position(|message| !message.has("\\Seen"));
        let (uid_next, uid_validity) = (mailbox.uid_next, mailbox.uid_validity);
        let selected = Selected::new(name, read_only, mailbox);
        writer.flags(Flags::of(&FLAGS)).exists(selected.exists()).recent(0);
        if let Some(place) = unseen {
            writer.status(&ok("the first unseen message").with_code(Code::Unseen(seq(place))))?;
        }
        let [answered, flagged, deleted, seen, draft] = FLAGS;
        let all = [answered, flagged, deleted, seen, draft, Flag::Any];
        let permanent = if read_only { Flags::NONE } else { Flags::of(&all) };
        writer
            .status(&ok("what can be stored").with_code(Code::PermanentFlags(permanent)))?
            .status(&ok("the next UID").with_code(Code::UidNext(uid_next)))?
            .status(&ok("UIDs are valid").with_code(Code::UidValidity(uid_validity)))?;
        self.selected = Some(selected);
        let code = if read_only { Code::ReadOnly } else { Code::ReadWrite };
        Ok(turn.answer(answer, &ok("selected").with_code(code))?)
    }

    fn subscribe(
        &mut self,
        mailbox: Mailbox<'_>,
        subscribed: bool,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let done = name(mailbox).and_then(|name| told(self.store.subscribe(&self.user, &name, subscribed)));
        self.done(either(done), answer, turn)
    }

    fn list(&mut self, list: ListArgs<'_>, answer: Answer, turn: &mut Turn<'_>) -> Result<(), Failure> {
        self.listed(list.reference, list.patterns.iter(), false, answer, turn)
    }

    /// LIST and LSUB.
    fn listed<'p>(
        &mut self,
        reference: Mailbox<'_>,
        patterns: impl IntoIterator<Item = AString<'p>>,
        subscribed: bool,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let all = self.store.mailboxes(&self.user);
        let names = all.into_iter().filter(|(_, is_subscribed)| *is_subscribed || !subscribed);
        let names: Vec<String> = names.map(|(name, _)| name).collect();
        let absent = [Flag::Extension(Atom::try_from("Noselect")?)];
        let mut writer = turn.untagged(&answer)?;
        for pattern in patterns {
            // An empty pattern asks for the delimiter (RFC 9051 §6.3.9).
            if pattern.is_empty() && !subscribed {
                writer.list(Flags::of(&absent), Some(DELIMITER), Mailbox::new(b"")?);
                continue;
            }
            let wanted = [reference.raw().bytes(), pattern.bytes()].concat();
            // A pattern is written as names are; where it is not, nothing matches it.
            let Ok(wanted) = utf7::decode(&wanted) else { continue };
            for entry in matching(&names, &wanted) {
                let name = utf7::encode(&entry.name);
                let name = Mailbox::new(name.as_bytes())?;
                let attributes = if entry.exists { Flags::NONE } else { Flags::of(&absent) };
                match subscribed {
                    true => writer.lsub(attributes, Some(DELIMITER), name),
                    false => writer.list(attributes, Some(DELIMITER), name),
                };
            }
        }
        self.done(ok("listed"), answer, turn)
    }

    fn status(
        &mut self,
        mailbox: Mailbox<'_>,
        items: Atoms<'_>,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let found = name(mailbox).and_then(|name| self.store.mailbox(&self.user, &name).ok_or(missing()));
        let found = match found {
            Ok(found) => found,
            Err(status) => return self.done(status, answer, turn),
        };
        let count = |flag: &str| found.messages.iter().filter(|message| message.has(flag)).count() as u64;
        let messages = found.messages.len() as u64;
        let mut told = Vec::new();
        for item in items.iter() {
            let number = match item.as_str().to_ascii_uppercase().as_str() {
                "MESSAGES" => messages,
                "RECENT" => 0,
                "UIDNEXT" => found.uid_next.into(),
                "UIDVALIDITY" => found.uid_validity.into(),
                "UNSEEN" => messages - count("\\Seen"),
                _ => return Ok(turn.refuse(answer)?),
            };
            told.push((item, number));
        }
        turn.untagged(&answer)?.mailbox_status(mailbox, told);
        self.done(ok("done"), answer, turn)
    }

    fn expunge(
        &mut self,
        uids: Option<SequenceSet<'_>>,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let Some(selected) = self.selected.as_ref().filter(|selected| !selected.read_only) else {
            return Ok(turn.answer(answer, &read_only())?);
        };
        let last = selected.messages.last().map_or(0, |message| message.uid);
        let named = |uid: u32| uids.is_none_or(|set| set.contains(uid, last));
        let gone = |message: &crate::store::Message| message.has("\\Deleted") && named(message.uid);
        self.store.remove(&self.user, &selected.name, gone);
        self.done(ok("expunged"), answer, turn)
    }

    fn search(
        &mut self,
        uid: bool,
        options: Options<'_>,
        charset: Option<AString<'_>>,
        keys: Search<'_>,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let known = |charset: &AString<'_>| {
            ["UTF-8", "US-ASCII"].iter().any(|name| charset.eq_ignore_ascii_case(name.as_bytes()))
        };
        if charset.is_some_and(|charset| !known(&charset)) {
            let status = no("not in this charset").with_code(Code::BadCharset(b"UTF-8 US-ASCII"));
            return self.done(status, answer, turn);
        }
        let Some(selected) = &self.selected else { return Ok(turn.refuse(answer)?) };
        let places = search(&selected.messages, keys);
        let numbers: Vec<u32> =
            if uid { selected.uids(&places) } else { places.into_iter().map(seq).collect() };
        let mut writer = turn.untagged(&answer)?;
        if options.is_present() {
            let all = SequenceSetBuf::from_numbers(numbers.iter().copied()).ok();
            // Without an option ALL is meant (RFC 9051 §6.4.4).
            let wants = |name: &str| options.has(name) || name == "ALL" && options.iter().next().is_none();
            let found = SearchResult {
                min: numbers.first().copied().filter(|_| wants("MIN")),
                max: numbers.last().copied().filter(|_| wants("MAX")),
                all: all.as_ref().map(SequenceSetBuf::as_set).filter(|_| wants("ALL")),
                count: u32::try_from(numbers.len()).ok().filter(|_| wants("COUNT")),
                ..SearchResult::default()
            };
            writer.esearch(uid, found);
        } else {
            writer.search(numbers);
        }
        self.tell(&mut turn.untagged(&answer)?, uid);
        Ok(turn.answer(answer, &ok("searched"))?)
    }

    /// STORE.
    #[allow(clippy::too_many_arguments)]
    fn flag(
        &mut self,
        set: SequenceSet<'_>,
        uid: bool,
        mode: StoreMode,
        silent: bool,
        flags: Flags<'_>,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let Some(selected) = self.selected.as_mut().filter(|selected| !selected.read_only) else {
            return Ok(turn.answer(answer, &read_only())?);
        };
        let places = selected.places(set, uid);
        let change = match mode {
            StoreMode::Replace => Change::Replace,
            StoreMode::Add => Change::Add,
            StoreMode::Remove => Change::Remove,
        };
        let flags = flags.iter().filter(|flag| flag.is_settable());
        let flags: Vec<String> = flags.map(|flag| flag.to_string()).collect();
        self.store.flag(&self.user, &selected.name, &selected.uids(&places), change, &flags);
        let now = self.store.mailbox(&self.user, &selected.name).map_or_else(Vec::new, |now| now.messages);
        let mut writer = turn.untagged(&answer)?;
        for place in places {
            let known = &mut selected.messages[place];
            let Ok(at) = now.binary_search_by_key(&known.uid, |message| message.uid) else { continue };
            known.flags.clone_from(&now[at].flags);
            if !silent {
                let response = writer.fetch(seq(place));
                let response = if uid { response.uid(known.uid) } else { response };
                with_flags(known, |flags| response.flags(flags).end());
            }
        }
        self.tell(&mut writer, uid);
        Ok(turn.answer(answer, &ok("stored"))?)
    }

    /// COPY and MOVE.
    fn copy(
        &mut self,
        set: SequenceSet<'_>,
        uid: bool,
        mailbox: Mailbox<'_>,
        moved: bool,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let Some(selected) = self.selected.as_ref().filter(|selected| !(moved && selected.read_only)) else {
            return Ok(turn.answer(answer, &read_only())?);
        };
        let uids = selected.uids(&selected.places(set, uid));
        let copied = name(mailbox).and_then(|to| {
            let copied = self.store.copy(&self.user, &selected.name, &uids, &to);
            copied.map_err(|_| no("no such mailbox").with_code(Code::TryCreate))
        });
        let (validity, pairs) = match copied {
            Ok(copied) => copied,
            Err(status) => return self.done(status, answer, turn),
        };
        let from = SequenceSetBuf::from_numbers(pairs.iter().map(|(from, _)| *from));
        let to = SequenceSetBuf::from_numbers(pairs.iter().map(|(_, to)| *to));
        let (Ok(from), Ok(to)) = (from, to) else { return self.done(ok("nothing to copy"), answer, turn) };
        let code = Code::CopyUid { validity, from: from.as_set(), to: to.as_set() };
        if !moved {
            return self.done(ok("copied").with_code(code), answer, turn);
        }
        // Before the EXPUNGEs, so that the client knows where its messages are (RFC 9051 §6.4.8).
        turn.untagged(&answer)?.status(&ok("moved").with_code(code))?;
        self.store.remove(&self.user, &selected.name, |message| from.as_set().contains(message.uid, 0));
        self.done(ok("moved"), answer, turn)
    }
}

pub(super) fn no(text: &'static str) -> Status<'static> {
    status(Condition::No, text)
}

fn missing() -> Status<'static> {
    no("no such mailbox").with_code(Code::NonExistent)
}

fn read_only() -> Status<'static> {
    no("the mailbox is selected for reading")
}

fn told(done: Result<(), Refusal>) -> Result<(), Status<'static>> {
    done.map_err(|refusal| match refusal {
        Refusal::Missing => missing(),
        Refusal::Exists => no("there is one already").with_code(Code::AlreadyExists),
        Refusal::Invalid => no("not with this mailbox").with_code(Code::Cannot),
    })
}

fn either(done: Result<(), Status<'static>>) -> Status<'static> {
    done.err().unwrap_or(ok("done"))
}
