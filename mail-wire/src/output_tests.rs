use super::*;
use proptest::prelude::*;
use std::io::IoSlice;

fn all(output: &Output) -> Vec<u8> {
    output.runs().flat_map(|(_, octets)| octets.to_vec()).collect()
}

#[test]
fn writes_of_one_class_are_put_together_and_classes_kept_apart() {
    let mut output = Output::new();
    output.put(Class::Public, b"AUTH ");
    output.put(Class::Public, b"PLAIN ");
    output.put(Class::Secret, b"AGEAYg==");
    output.put(Class::Public, b"\r\n");
    let runs: Vec<_> = output.runs().collect();
    assert_eq!(
        runs,
        [(Class::Public, &b"AUTH PLAIN "[..]), (Class::Secret, b"AGEAYg=="), (Class::Public, b"\r\n")]
    );
    let mut slices = [IoSlice::new(&[]); 4];
    assert_eq!(output.chunks_vectored(&mut slices), 1, "one buffer, one slice");
    assert_eq!(&*slices[0], b"AUTH PLAIN AGEAYg==\r\n");
}

#[test]
fn a_large_piece_is_queued_uncopied_and_a_small_one_is_copied() {
    let mut output = Output::new();
    let large = Bytes::from(vec![b'x'; UNCOPIED]);
    let at = large.as_ptr();
    output.queue(Class::Body, large);
    output.queue(Class::Body, Bytes::from_static(b"tail"));
    assert_eq!(output.chunk().as_ptr(), at);
    output.advance(UNCOPIED);
    assert_eq!(output.chunk(), b"tail");
}

#[test]
fn full_lasts_until_half_is_free() {
    let mut output = Output::with_high_water(2048);
    output.put(Class::Body, &[0; 2047]);
    assert!(!output.is_full());
    assert_eq!(output.room(), 1);
    output.put(Class::Body, &[0; 1]);
    assert!(output.is_full());
    output.advance(1023);
    assert!(output.is_full());
    assert_eq!(output.room(), 0);
    output.advance(1);
    assert!(!output.is_full());
}

#[test]
fn a_secret_is_overwritten_once_sent_and_where_the_buffer_grows() {
    let mut output = Output::new();
    output.put(Class::Secret, b"wonderland");
    output.put(Class::Public, b"\r\n");
    output.advance(10);
    assert!(!output.buffer.windows(6).any(|w| w == b"wonder"));
    assert_eq!(output.chunk(), b"\r\n");
    assert!(!format!("{output:?}").contains("wonder"));
}

#[test]
fn numbers_are_written_in_decimal() {
    for number in [0, 7, 10, 4_294_967_295, u64::MAX] {
        let mut output = Output::new();
        output.put_decimal(number);
        assert_eq!(all(&output), number.to_string().as_bytes());
    }
}

#[test]
fn advancing_beyond_the_end_stops_at_the_end() {
    let mut output = Output::new();
    output.put(Class::Public, b"ab");
    output.advance(usize::MAX);
    assert!(output.is_empty());
    output.idle();
    assert_eq!(output.capacity(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Put(Class, Vec<u8>),
    Queue(usize),
    Advance(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let class = prop_oneof![Just(Class::Public), Just(Class::Secret), Just(Class::Body)];
    prop_oneof![
        (class, prop::collection::vec(any::<u8>(), 0..300)).prop_map(|(c, o)| Step::Put(c, o)),
        (0..4000_usize).prop_map(Step::Queue),
        (0..5000_usize).prop_map(Step::Advance),
    ]
}

proptest! {
    /// Whatever is put in comes out in order, once; the reference is one flat queue of (class, octet).
    #[test]
    fn the_output_is_a_queue(steps in prop::collection::vec(step(), 0..40)) {
        let mut output = Output::new();
        let mut model: VecDeque<(Class, u8)> = VecDeque::new();
        for step in steps {
            match step {
                Step::Put(class, octets) => {
                    output.put(class, &octets);
                    model.extend(octets.iter().map(|o| (class, *o)));
                }
                Step::Queue(n) => {
                    let octets: Vec<u8> = (0..n).map(|i| i as u8).collect();
                    model.extend(octets.iter().map(|o| (Class::Body, *o)));
                    output.queue(Class::Body, octets.into());
                }
                Step::Advance(n) => {
                    output.advance(n);
                    model.drain(..n.min(model.len()));
                }
            }
            let flat: Vec<_> = output.runs().flat_map(|(c, o)| o.iter().map(move |o| (c, *o))).collect();
            prop_assert_eq!(&flat, &Vec::from(model.clone()));
            prop_assert_eq!(output.remaining(), model.len());
            let mut slices = [IoSlice::new(&[]); 64];
            let n = output.chunks_vectored(&mut slices);
            let vectored: Vec<u8> = slices[..n].iter().flat_map(|s| s.to_vec()).collect();
            prop_assert_eq!(vectored, model.iter().map(|(_, o)| *o).collect::<Vec<_>>());
        }
    }
}
