//! Why a value cannot be built.

/// Octets that the type does not take. Nothing of them is in here: they may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// Nothing, where at least one octet is needed.
    #[error("empty")]
    Empty,
    /// An octet that the production does not contain.
    #[error("octet {at} has no place here")]
    Octet {
        /// Counted from the start of the value.
        at: usize,
    },
    /// A number of 0 where none may stand, above its width, or with a needless zero.
    #[error("a number out of its range")]
    Number,
    /// A date that no calendar has.
    #[error("no such date or time")]
    Date,
    /// More items or octets than the limit.
    #[error("more than {limit}")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// Nested deeper than the limit, or with a number of operands that does not fit.
    #[error("operators and operands do not fit together")]
    Shape,
    /// The text is not in the encoding that it claims.
    #[error("not in the encoding that it claims")]
    Encoding,
    /// The value is right by its octets and still means nothing here.
    #[error("the value does not fit: {0}")]
    Value(&'static str),
}
