//! Sections and structures of messages written by hand.

use super::{Structure, section};
use bytes::Bytes;
use mail_session::proto::imap::types::Section;
