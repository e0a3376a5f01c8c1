use super::*;
use crate::command::Command;

#[test]
fn a_rcpt_with_dsn_parameters_is_typed() {
    let line = b"RCPT TO:<a@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c.example";
    let Ok(Command::Rcpt(rcpt)) = command(line, &Fixes::none()) else { panic!() };
    assert_eq!(rcpt.params().orcpt().unwrap().address().as_ref(), b"a+b@c.example");
    assert!(rcpt.params().notify().unwrap().success());
}
