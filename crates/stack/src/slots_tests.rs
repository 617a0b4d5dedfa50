use super::*;

#[test]
fn an_old_key_does_not_find_what_took_its_place() {
    let mut slots = Slots::new();
    let old = slots.insert("old");
    assert_eq!(slots.remove(old), Some("old"));
    let new = slots.insert("new");
    assert_eq!(new.index, old.index);
    assert_eq!(slots.get(old), None);
    assert_eq!(slots.get_mut(old), None);
    assert_eq!(slots.remove(old), None);
    assert_eq!(slots.get(new), Some(&"new"));
    assert_eq!(slots.key_at(0), Some(new));
}

#[test]
fn places_are_used_again() {
    let mut slots = Slots::new();
    for round in 0..1000 {
        let key = slots.insert(round);
        slots.remove(key);
    }
    assert!(slots.is_empty());
    assert_eq!(slots.slots.len(), 1);
}

#[test]
fn what_is_there_is_listed_by_place() {
    let mut slots = Slots::new();
    let keys = [slots.insert('a'), slots.insert('b'), slots.insert('c')];
    slots.remove(keys[1]);
    assert!(slots.iter().eq([(keys[0], &'a'), (keys[2], &'c')]));
    assert_eq!(slots.len(), 2);
}

#[test]
fn a_burst_leaves_no_memory_behind_and_its_keys_do_not_come_back() {
    let mut slots = Slots::new();
    let burst: Vec<Key> = (0..5000).map(|n| slots.insert(n)).collect();
    assert!(burst.iter().all(|key| slots.remove(*key).is_some()));
    assert!(slots.slots.capacity() <= SPARE && slots.free.capacity() <= SPARE);
    let later = slots.insert(7);
    assert!(!burst.contains(&later));
    assert_eq!((slots.get(burst[0]), slots.get(later)), (None, Some(&7)));
}
