use handclasp_tcp::state::Cause;

use super::*;

fn changes(list: &[(State, State, Cause)]) -> usize {
    let states = States::default();
    let tuple = Tuple::new("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap());
    for (from, to, cause) in list.iter().copied() {
        states.record(Instant::ZERO, &tuple, &Event::State { from, to, cause });
    }
    states.violations().len()
}

#[test]
fn a_life_by_the_rules_is_none_of_our_business() {
    let life = [
        (State::Closed, State::SynSent, Cause::ActiveOpen),
        (State::SynSent, State::Established, Cause::SynAckArrived),
        (State::Established, State::Closed, Cause::ResetArrived),
        (State::Listen, State::SynReceived, Cause::SynArrived),
        (State::SynReceived, State::Established, Cause::SynAcknowledged),
    ];
    assert_eq!(changes(&life), 0);
}

#[test]
fn an_arrow_that_is_not_in_the_figure_is_noticed() {
    assert_eq!(changes(&[(State::Closed, State::Established, Cause::SynArrived)]), 1);
}

#[test]
fn a_step_from_where_it_was_not_is_noticed() {
    let life = [
        (State::Closed, State::SynSent, Cause::ActiveOpen),
        (State::Established, State::CloseWait, Cause::FinArrived),
    ];
    assert_eq!(changes(&life), 1);
}
