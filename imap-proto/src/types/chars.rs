//! What each octet may be, in one table: the leaves of the grammar look here and nowhere else (RFC 9051 §9).

// One bit for each class, so that an octet is looked up once however many classes it is in. The names are those of the productions.
const ATOM: u8 = 1;
const ASTRING: u8 = 2;
const LIST: u8 = 4;
const TAG: u8 = 8;
const BASE64: u8 = 64;
const LABEL: u8 = 128;

const TABLE: [u8; 256] = {
    let mut table = [0_u8; 256];
    // NUL stands in no production at all (RFC 9051 §9, note 3), and octets above 127 stand in none of these: 8 bits need quotes or a
    // literal, whatever is enabled (RFC 6855 §3).
    let mut octet = 1_usize;
    while octet < 0x80 {
        // Below the length of the table.
        #[allow(clippy::indexing_slicing)]
        {
            table[octet] = classes(octet as u8);
        }
        octet += 1;
    }
    table
};

const fn classes(octet: u8) -> u8 {
    let mut classes = 0;
    if octet <= b' ' || octet == 0x7f || matches!(octet, b'(' | b')' | b'{' | b'"' | b'\\') {
        return classes;
    }
    // From the widest class to the narrowest: each leaves out what the one before it took (`list-char`, `ASTRING-CHAR`, `ATOM-CHAR`).
    classes |= LIST;
    if !matches!(octet, b'%' | b'*') {
        classes |= ASTRING;
        if octet != b']' {
            classes |= ATOM;
        }
        // A line that begins with `+` is a continuation request, so no tag holds one.
        if octet != b'+' {
            classes |= TAG;
        }
    }
    if octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/') {
        classes |= BASE64;
    }
    if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b':') {
        classes |= LABEL;
    }
    classes
}

const fn has(octet: u8, class: u8) -> bool {
    // Every octet has its row: the index is never out of bounds.
    #[allow(clippy::indexing_slicing)]
    let row = TABLE[octet as usize];
    row & class != 0
}

/// `ATOM-CHAR`.
pub(crate) const fn is_atom(octet: u8) -> bool {
    has(octet, ATOM)
}

/// `ASTRING-CHAR`: an atom's, and `]`.
pub(crate) const fn is_astring(octet: u8) -> bool {
    has(octet, ASTRING)
}

/// `list-char`: an astring's, and the wildcards.
pub(crate) const fn is_list(octet: u8) -> bool {
    has(octet, LIST)
}

/// What a tag is made of: an astring's octets without `+`.
pub(crate) const fn is_tag(octet: u8) -> bool {
    has(octet, TAG)
}

/// `base64-char`, without the padding.
pub(crate) const fn is_base64(octet: u8) -> bool {
    has(octet, BASE64)
}

/// `tagged-label-char`.
pub(crate) const fn is_label(octet: u8) -> bool {
    has(octet, LABEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The productions of the standard, written out once more as sets.
    #[test]
    fn the_table_says_what_the_grammar_says() {
        for octet in 0..=255_u8 {
            let ctl = octet < 0x20 || octet == 0x7f;
            let specials = b"(){ %*\"\\]".contains(&octet) && octet != b'}';
            let atom = octet.is_ascii() && !ctl && !specials || octet == b'}';
            assert_eq!(is_atom(octet), atom, "{octet}");
            assert_eq!(is_astring(octet), atom || octet == b']', "{octet}");
            assert_eq!(is_list(octet), atom || b"]%*".contains(&octet), "{octet}");
            assert_eq!(is_tag(octet), (atom || octet == b']') && octet != b'+', "{octet}");
            let base64 = octet.is_ascii_alphanumeric() || b"+/".contains(&octet);
            assert_eq!(is_base64(octet), base64, "{octet}");
            let label = octet.is_ascii_alphanumeric() || b"-_.:".contains(&octet);
            assert_eq!(is_label(octet), label, "{octet}");
        }
    }
}
