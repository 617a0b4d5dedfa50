use super::*;

#[test]
fn the_table_stands_in_the_order_of_the_variants() {
    for (at, field) in Field::all().enumerate() {
        assert_eq!((field as usize, TABLE[at].field), (at, field));
    }
    assert_eq!(Field::Urgent as usize + 1, TABLE.len());
}

#[test]
fn every_bit_of_every_header_belongs_to_one_field() {
    for family in [Family::V4, Family::V6] {
        for layer in Layer::ALL {
            let places = Field::all().filter_map(|field| field.place(family));
            let mut places: Vec<_> = places.filter(|place| place.layer == layer).collect();
            places.sort_by_key(|place| place.at);
            let mut end = 0;
            for place in places {
                assert_eq!(place.at, end, "{}", place.key);
                end += place.bits;
            }
            assert_eq!(usize::from(end), 8 * layer.fixed_len(family), "{layer:?} {family:?}");
        }
    }
}

#[test]
fn no_two_fields_have_a_name_in_common() {
    for field in Field::all() {
        for name in field.names() {
            assert_eq!(Field::named(name), Some(field));
        }
    }
}

#[test]
fn a_value_comes_back_and_touches_no_other_bit() {
    for field in Field::all() {
        for place in [Family::V4, Family::V6].into_iter().filter_map(|f| field.place(f)) {
            for fill in [0x00, 0xff] {
                let mut header = [fill; 40];
                place.set(&mut header, !0);
                assert_eq!(place.get(&header), Some(place.maximum()));
                place.set(&mut header, 0);
                assert_eq!(place.get(&header), Some(0));
                place.set(&mut header, if fill == 0 { 0 } else { !0 });
                assert_eq!(header, [fill; 40], "{field:?}");
            }
        }
    }
}

#[test]
fn a_field_that_the_header_does_not_reach_has_no_value() {
    let urgent = Field::Urgent.place(Family::V4).unwrap();
    assert_eq!(urgent.get(&[0; 19]), None);
    urgent.set(&mut [0; 19], 1);
}
