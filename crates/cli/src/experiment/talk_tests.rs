use super::plainly;

#[test]
fn what_is_expected_is_told_without_what_follows_by_itself() {
    assert_eq!(plainly("[P.?F] seq auto ack auto"), "[P.]");
    assert_eq!(plainly("[R.] seq 0 ack auto"), "[R.] seq 0");
    assert_eq!(plainly("[.] seq auto-1 ack auto+2"), "[.]");
    assert_eq!(plainly("[S.] ack 101"), "[S.] ack 101");
}
