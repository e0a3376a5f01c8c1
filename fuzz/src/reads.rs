//! How the octets of an input are cut into reads.

/// First octet of an input that comes in one read.
pub const WHOLE: u8 = 0;
/// First octet of an input that comes octet by octet.
pub const OCTETS: u8 = 1;

/// Splits off the octet that says how to cut, and cuts the rest: [`WHOLE`], [`OCTETS`], else reads of 1 to that many
/// octets, in an order that depends on nothing else.
pub fn reads(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (&how, mut rest) = data.split_first().unwrap_or((&WHOLE, &[]));
    let mut state = u32::from(how);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        // The step of Numerical Recipes; its high bits are the better ones.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = match how {
            WHOLE => rest.len(),
            most => (state >> 16) as usize % usize::from(most) + 1,
        };
        let (read, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        Some(read)
    })
}
