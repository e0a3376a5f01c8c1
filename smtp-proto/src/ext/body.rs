//! 8BITMIME and BINARYMIME: what a body may hold (RFC 6152 §3, RFC 3030 §3).

/// The value of BODY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyType {
    /// `7BIT`: lines of ASCII.
    SevenBit,
    /// `8BITMIME`: lines of any octets.
    EightBitMime,
    /// `BINARYMIME`: any octets, without lines; by BDAT alone.
    BinaryMime,
}

impl BodyType {
    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SevenBit => "7BIT",
            Self::EightBitMime => "8BITMIME",
            Self::BinaryMime => "BINARYMIME",
        }
    }

    /// Reads a value, without case.
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let body = match value.len() {
            4 => Self::SevenBit,
            8 => Self::EightBitMime,
            10 => Self::BinaryMime,
            _ => return None,
        };
        body.as_str().as_bytes().eq_ignore_ascii_case(value).then_some(body)
    }
}
