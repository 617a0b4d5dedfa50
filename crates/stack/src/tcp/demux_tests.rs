use super::*;
use crate::secret::Secret;

fn demux() -> Demux {
    Demux::new(Secret::new([1; 32]).table_hash())
}

fn tuple(port: u16) -> Tuple {
    Tuple::new(([10, 0, 0, 1], 80).into(), ([10, 0, 0, 2], port).into())
}

#[test]
fn a_tuple_has_one_owner_at_a_time() {
    let mut demux = demux();
    demux.insert(tuple(1), Owner::HalfOpen(1));
    demux.insert(tuple(1), Owner::TimeWait(2));
    assert_eq!(demux.get(&tuple(1)), Some(Owner::TimeWait(2)));
    assert_eq!(demux.len(), 1);
}

#[test]
fn a_tuple_and_its_reverse_are_two() {
    let mut demux = demux();
    demux.insert(tuple(1), Owner::HalfOpen(1));
    assert_eq!(demux.get(&tuple(1).reversed()), None);
}

#[test]
fn a_burst_leaves_no_memory_behind() {
    let mut demux = demux();
    for port in 0..5000 {
        demux.insert(tuple(port), Owner::HalfOpen(u32::from(port)));
    }
    assert_eq!(demux.iter().count(), 5000);
    for port in 0..5000 {
        assert_eq!(demux.get(&tuple(port)), Some(Owner::HalfOpen(u32::from(port))));
        demux.remove(&tuple(port));
    }
    assert_eq!((demux.len(), demux.table.capacity()), (0, 0));
}
