//! What a session waits for and what drives its operations, written once for both kinds of sessions: what differs is whether a wait is awaited.

/// Writes the methods into the `impl` of a session: `async` and `.await`, or neither; the parameters of its type; and what is to be said of a wait
/// that is given up.
macro_rules! waits {
    ([$($async:tt)?] [$($await:tt)*] [$($of:ident),*] $cancel:literal) => {
        /// Lets `tap` look at the octets of the session.
        #[must_use]
        pub fn tap(mut self, tap: impl Tap + 'static) -> Self {
            self.engine = self.engine.tap(tap);
            self
        }

        /// The next event, or `None` at the end of the session.
        #[doc = $cancel]
        ///
        /// The deadline is the start of the wait and the machine's patience; neither a slow drip of octets nor a repeated call moves it.
        ///
        /// # Errors
        /// The end of the session in another way, after what was due to the peer has been written; or [`Error::AnswerOwed`] and
        /// [`Error::UpgradeOwed`], which change nothing.
        // An iterator could not lend the event.
        #[allow(clippy::should_implement_trait)]
        pub $($async)? fn next(&mut self) -> Result<Event<'_, $($of),*>, Error<M::Error>> {
            match self.wait(false, None)$($await)*? {
                Some(Turned::Unit(unit)) => Ok(Some(self.event(unit)$($await)*?)),
                _ => Ok(None),
            }
        }

        /// The next event, or room to queue more. Bulk senders loop over it.
        #[doc = $cancel]
        ///
        /// # Errors
        /// As [`Session::next`].
        pub $($async)? fn next_or_room(&mut self) -> Result<Next<'_, $($of),*>, Error<M::Error>> {
            match self.wait(true, None)$($await)*? {
                Some(Turned::Unit(unit)) => {
                    let (event, turn) = self.event(unit)$($await)*?;
                    Ok(Next::Event(event, turn))
                }
                Some(Turned::Room) => Ok(Next::Room),
                _ => Ok(Next::Closed),
            }
        }

        /// The next event within a time of the caller's, such as the pause between two looks at a mailbox. A time of zero looks at what has
        /// arrived. It begins at the call, and moves no deadline of the peer.
        #[doc = $cancel]
        ///
        /// # Errors
        /// As [`Session::next`].
        pub $($async)? fn next_within(&mut self, time: Duration) -> Result<Within<'_, $($of),*>, Error<M::Error>> {
            match self.wait(false, Some(time))$($await)*? {
                Some(Turned::Unit(unit)) => {
                    let (event, turn) = self.event(unit)$($await)*?;
                    Ok(Within::Event(event, turn))
                }
                None => Ok(Within::Elapsed),
                Some(_) => Ok(Within::Closed),
            }
        }

        /// Ends the session as the standard asks for: a server says so after the command in flight. Then call [`Session::next`] until the
        /// end.
        pub fn shutdown(&mut self) {
            self.engine.close(Closing::Shutdown);
        }

        /// The same, and what is in flight may take no longer than this: a peer that does not go on, or does not read, is cut then, and the
        /// session ends with [`Error::Timeout`]. Its last octets have five seconds on top. Of several calls the first counts.
        pub fn shutdown_within(&mut self, time: Duration) {
            let now = self.now();
            self.drive.stop(now, time);
            self.shutdown();
        }

        /// Runs a flow that may make TLS, to its end. Where it fails, what is due is written and the connection closed.
        ///
        /// # Errors
        /// [`FlowError`].
        pub $($async)? fn run<F: Flow<M, Upgrade = M::Upgrade>>(
            mut self,
            flow: &mut F,
        ) -> Result<(Self, F::Output), FlowError<M::Error>> {
            let mut progress = flow.begin(self.turn().bare());
            loop {
                progress = match progress {
                    Err(failure) => {
                        self.close()$($await)*;
                        return Err(failure.into());
                    }
                    Ok(Progress::Done(output)) => return Ok((self, output)),
                    Ok(Progress::StartTls(token)) => {
                        self = self.start_tls(token, flow.tls()?)$($await)*?;
                        flow.begin(self.turn().bare())
                    }
                    Ok(Progress::More) => match self.next()$($await)*? {
                        Some((event, turn)) => flow.on(event, turn.bare()),
                        None => Err(Failure::Ended),
                    },
                };
            }
        }

        /// Runs a flow that makes no TLS, to its end. Where it fails the session stays as it is. A flow that is given up has sent what it has
        /// sent.
        ///
        /// # Errors
        /// [`FlowError`].
        pub $($async)? fn perform<F: Flow<M, Upgrade = Infallible>>(
            &mut self,
            flow: &mut F,
        ) -> Result<F::Output, FlowError<M::Error>> {
            let mut progress = flow.begin(self.turn().bare())?;
            loop {
                progress = match progress {
                    Progress::Done(output) => return Ok(output),
                    Progress::StartTls(never) => match never {},
                    Progress::More => match self.next()$($await)*? {
                        Some((event, turn)) => flow.on(event, turn.bare())?,
                        None => return Err(Failure::Ended.into()),
                    },
                };
            }
        }

        /// The next part of an operation, or `None` when it is over.
        #[doc = $cancel]
        ///
        /// # Errors
        /// [`FlowError`].
        pub $($async)? fn part<P: Parts<M>>(
            &mut self,
            parts: &mut P,
        ) -> Result<Option<P::Part<'_>>, FlowError<M::Error>> {
            parts.fill(self.turn().bare())?;
            if parts.is_over() {
                return Ok(None);
            }
            match self.next()$($await)*? {
                Some((event, _)) => Ok(Some(parts.part(event)?)),
                None => Err(Failure::Ended.into()),
            }
        }

        /// The mechanism of the log-in that [`Session::open`] did. `None` where nobody logged in, or without SASL.
        #[must_use]
        pub fn mechanism(&self) -> Option<Mechanism> {
            self.drive.mechanism
        }

        /// Whether TLS stands.
        #[must_use]
        pub fn is_secured(&self) -> bool {
            self.engine.is_secured()
        }
    };
}
pub(crate) use waits;
