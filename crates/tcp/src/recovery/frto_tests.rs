//! F-RTO's decisions, ACK by ACK.

use handclasp_wire::seq::SeqNumber;

use super::*;

const NEW: SeqNumber = SeqNumber(9000);

fn facts(advances: bool, duplicate: bool, sack: bool) -> Facts {
    Facts { advances, covers_all: false, duplicate, original: false, sack, new_data: Some(NEW) }
}

#[test]
fn an_ack_without_news_decides_nothing() {
    let mut frto = Frto::Resent;
    assert_eq!(frto.acked(&facts(false, false, true)), Finding::Open);
    assert_eq!(frto, Frto::Resent);
}

#[test]
fn an_advance_leads_to_new_data() {
    for sack in [false, true] {
        let mut frto = Frto::Resent;
        assert_eq!(frto.acked(&facts(true, false, sack)), Finding::Open);
        assert_eq!(frto, Frto::Probing { until: NEW });
    }
}

#[test]
fn with_sack_it_must_be_an_original_that_arrived() {
    let mut frto = Frto::Probing { until: NEW };
    assert_eq!(frto.acked(&facts(true, false, true)), Finding::Open);
    let original = Facts { original: true, ..facts(true, false, true) };
    assert_eq!(frto.acked(&original), Finding::Spurious);
    assert_eq!(frto, Frto::Off);
}

#[test]
fn once_decided_it_is_off() {
    let mut frto = Frto::Resent;
    assert_eq!(frto.acked(&facts(false, true, false)), Finding::Real);
    assert_eq!(frto.acked(&facts(true, false, false)), Finding::Open);
    assert_eq!(frto, Frto::Off);
}
