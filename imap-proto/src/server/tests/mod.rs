//! What the server machine decides, on an application that says yes to everything ([`desk`]). Its golden transcripts are replayed in
//! `tests/server_golden.rs`.

mod cuts;
mod desk;
mod faults;
mod limits;
mod limits_states;
mod offers;
mod rules;
mod tokens;

use super::table::{Place, TABLE};
use super::*;

#[test]
fn the_table_is_the_graph_of_the_module() {
    use Phase::{Authenticated, Greeting, Logout, NotAuthenticated, Selected};
    for (name, place) in TABLE {
        assert_eq!(Place::of(name.to_lowercase().as_bytes()), *place);
        assert!(!place.allows(Greeting) || *place == Place::Any);
        assert!(*place != Place::Selected || !place.allows(Authenticated), "{name}");
    }
    let of = |name: &str, phase| Place::of(name.as_bytes()).allows(phase);
    for phase in [NotAuthenticated, Authenticated, Selected, Logout] {
        assert!(of("NOOP", phase) && of("LOGOUT", phase));
    }
    assert!(of("LOGIN", NotAuthenticated) && !of("LOGIN", Authenticated) && !of("LOGIN", Selected));
    assert!(of("SELECT", Authenticated) && of("SELECT", Selected) && !of("SELECT", NotAuthenticated));
    assert!(of("FETCH", Selected) && !of("FETCH", Authenticated));
    assert!(of("XUNKNOWN", Authenticated) && !of("XUNKNOWN", NotAuthenticated));
    let doc = include_str!("../mod.rs");
    for arrow in
        ["--OK--> NotAuthenticated", "--SELECT or EXAMINE, OK--> Selected", "--LOGOUT, answered--> Logout"]
    {
        assert!(doc.contains(arrow));
    }
}
