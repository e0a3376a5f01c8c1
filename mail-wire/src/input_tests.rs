use super::*;

fn fed(octets: &[u8]) -> Input {
    let mut input = Input::new();
    assert_eq!(input.feed(octets), octets.len());
    input
}

#[test]
fn nothing_is_allocated_before_the_first_read_nor_kept_when_idle() {
    let mut input = Input::new();
    assert_eq!(input.capacity(), 0);
    input.feed(b"ab");
    assert_eq!(input.capacity(), FIRST);
    input.idle();
    assert_eq!(input.pending(), b"ab");
    input.skip(2);
    input.idle();
    assert_eq!(input.capacity(), 0);
}

#[test]
fn a_unit_stays_until_the_next_begin() {
    let mut input = fed(b"onetwo");
    let unit = input.take(3);
    assert_eq!(input.unit(unit).unwrap().0, b"one");
    assert_eq!(input.len(), 3);
    assert!(input.begin().is_none());
    assert_eq!(input.pending(), b"two");
    assert_eq!(input.offset(), 3);
}

#[test]
fn a_unit_never_decoded_is_framed_again_and_the_old_one_is_stale() {
    let mut input = fed(b"one");
    let old = input.take(3);
    let new = input.begin().unwrap();
    assert_eq!(input.unit(old).unwrap_err(), StaleUnit);
    assert_eq!(input.unit(new).unwrap().0, b"one");
}

#[test]
fn a_unit_of_another_input_is_refused() {
    let (mut one, mut two) = (fed(b"a"), fed(b"b"));
    let (first, second) = (one.take(1), two.take(1));
    assert_eq!(two.unit(first).unwrap_err(), StaleUnit);
    assert_eq!(one.unit(second).unwrap_err(), StaleUnit);
}

#[test]
fn reading_on_between_frame_and_decode_moves_nothing_away() {
    let mut input = fed(&[b'x'; FIRST]);
    input.skip(FIRST - 3);
    let unit = input.take(3);
    assert!(!input.spare_mut().is_empty());
    assert_eq!(input.unit(unit).unwrap().0, b"xxx");
}

#[test]
fn it_grows_to_the_usual_size_and_beyond_only_for_an_allowed_unit() {
    let mut input = Input::new();
    while input.feed(&[0; 700]) > 0 {}
    assert_eq!(input.len(), USUAL);
    assert_eq!(input.capacity(), USUAL);
    input.allow(40_000);
    while input.feed(&[0; 700]) > 0 {}
    assert_eq!(input.len(), 40_000);
    input.skip(40_000);
    assert_eq!(input.capacity(), 0, "what an unusual unit took is given back");
}

#[test]
fn what_is_moved_stays_in_proportion_to_what_is_read() {
    // Units of all sizes in reads of all sizes: the octets come out in order, whatever moves inside.
    let mut input = Input::new();
    let (mut next_in, mut next_out) = (0_u8, 0_u8);
    for round in 0..5000_usize {
        let spare = input.spare_mut();
        let n = spare.len().min(round % 977);
        for octet in &mut spare[..n] {
            *octet = next_in;
            next_in = next_in.wrapping_add(1);
        }
        input.filled(n).unwrap();
        let len = input.len() * (round % 3) / 2;
        let unit = input.take(len);
        for octet in input.unit(unit).unwrap().0 {
            assert_eq!(*octet, next_out);
            next_out = next_out.wrapping_add(1);
        }
    }
}

#[test]
fn more_than_the_room_is_not_taken() {
    let mut input = Input::new();
    assert_eq!(input.filled(1), Err(Overfilled));
    let room = input.spare_mut().len();
    assert_eq!(input.filled(room + 1), Err(Overfilled));
    assert_eq!(input.filled(usize::MAX), Err(Overfilled));
    assert_eq!(input.filled(room), Ok(()));
}

#[test]
fn secret_octets_are_overwritten_when_dropped_and_when_moved() {
    let mut input = fed(b"PASS wonderland\r\nNOOP\r\n");
    input.hold_secret();
    let unit = input.take(17);
    input.unit(unit).unwrap();
    input.begin();
    assert!(!input.octets.windows(6).any(|w| w == b"wonder"));
    assert_eq!(input.pending(), b"NOOP\r\n");
    assert!(!format!("{input:?}").contains("NOOP"));
}

#[test]
fn reads_that_fill_the_buffer_get_more_room_though_all_is_used_up_between_them() {
    let mut input = Input::new();
    for room in [1024, 2048, 4096, 8192, 16_384, 16_384] {
        assert_eq!(input.spare_mut().len(), room);
        input.filled(room).unwrap();
        input.skip(room);
    }
    input.spare_mut();
    input.filled(1).unwrap();
    input.skip(1);
    assert_eq!(input.spare_mut().len(), 16_384);
    input.idle();
    assert_eq!(input.spare_mut().len(), FIRST);
}

#[test]
fn a_peer_that_is_not_known_has_only_what_is_allowed() {
    for room in [200, FIRST, 5000, 12_290, 40_000] {
        let mut input = Input::new();
        input.allow_only(room);
        // All of it arrives in one step behind the first allocation, octet by octet or in pieces.
        while input.feed(b"xyz") > 0 {
            assert!(input.capacity() <= FIRST.min(room) || input.capacity() == room, "{input:?}");
        }
        assert_eq!((input.len(), input.capacity()), (room, room));
        assert_eq!(input.pending().get(..4), Some(&b"xyzx"[..]));
        // What is used makes room for as much, and no more.
        input.skip(150);
        assert_eq!(input.feed(&[b'y'; 300]), 150);
        assert_eq!(input.feed(b"y"), 0);
        // Known, it may hold what all may.
        input.allow(0);
        assert_eq!(input.feed(b"y"), usize::from(room < USUAL));
    }
}

#[test]
fn octets_of_a_unit_are_changed_where_they_stand() {
    let mut input = fed(b"onetwo");
    let unit = input.take(3);
    input.unit_mut(unit).unwrap().0.make_ascii_uppercase();
    assert!(input.begin().is_none());
    assert_eq!(input.pending(), b"two");
}
