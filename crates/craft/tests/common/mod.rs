//! Templates at random.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeSet;

use handclasp_craft::dissect::Start;
use handclasp_craft::field::{Family, Field, Layer};
use handclasp_craft::template::{Payload, Setting, Template};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use rand_pcg::Pcg32;

pub fn rng() -> Pcg32 {
    Pcg32::new(1, 1)
}

pub fn field() -> impl Strategy<Value = Field> {
    let all: Vec<_> = Field::all().collect();
    (0..all.len()).prop_map(move |at| all[at])
}

pub fn setting() -> impl Strategy<Value = Setting> {
    prop_oneof![
        8 => any::<u128>().prop_map(Setting::Given),
        8 => (0..8u128).prop_map(Setting::Given),
        1 => any::<[u128; 2]>().prop_map(|[value, care]| Setting::Bits { value, care }),
        1 => Just(Setting::Random),
        1 => (-9..9i64).prop_map(Setting::Auto),
    ]
}

/// Any template, most of which make packets that are malformed somewhere.
pub fn template() -> impl Strategy<Value = Template> {
    let payload = prop_oneof![
        vec(any::<u8>(), 0..60).prop_map(Payload::Bytes),
        (0..60usize).prop_map(Payload::Len),
    ];
    let layers = (0..Layer::ALL.len()).prop_map(|at| Layer::ALL[at]);
    (
        any::<bool>(),
        btree_map(field(), setting(), 0..12),
        option::of(vec(any::<u8>(), 0..40)),
        option::of(vec(any::<u8>(), 0..40)),
        option::of(payload),
        option::of(vec(any::<u8>(), 0..8)),
        option::of(btree_set(layers, 0..4)),
    )
        .prop_map(|(v6, fields, ip_options, options, payload, trailer, layers)| {
            let sockets =
                if v6 { ["[fd00::1]:5", "[fd00::2]:6"] } else { ["1.2.3.4:5", "5.6.7.8:6"] };
            let [src, dst] = sockets.map(|socket| socket.parse().unwrap());
            let mut template = Template::between(src, dst);
            for (field, setting) in fields {
                if field.place(template.family.unwrap()).is_some() {
                    template.set(field, setting);
                }
            }
            let layers = layers.unwrap_or(template.layers);
            Template { ip_options, options, payload, trailer, layers, ..template }
        })
}

/// The headers of a packet that is whole.
fn stack() -> impl Strategy<Value = BTreeSet<Layer>> {
    (0..4usize).prop_map(|link| {
        let link = [Layer::Ethernet, Layer::Vlan, Layer::InnerVlan].into_iter().take(link);
        link.chain([Layer::Ip, Layer::Tcp]).collect()
    })
}

/// Whether a field decides how the rest is read.
fn is_structure(field: Field) -> bool {
    matches!(
        field,
        Field::EthType
            | Field::VlanType
            | Field::InnerVlanType
            | Field::Version
            | Field::HeaderLen
            | Field::DataOffset
            | Field::TotalLen
            | Field::PayloadLen
            | Field::Protocol
            | Field::MoreFragments
            | Field::FragmentOffset
    )
}

/// A template of a whole packet, from Ethernet with up to two tags or from IP on, of either
/// family, whose lengths are right and whose other fields may be anything.
pub fn whole() -> impl Strategy<Value = Template> {
    let words = |most: usize| vec(any::<[u8; 4]>(), 0..most);
    let extension = Just([vec![6, 0], vec![0; 6]].concat());
    (
        any::<bool>(),
        stack(),
        btree_map(field(), any::<u128>(), 0..16),
        (words(10), words(10), option::of(extension)),
        vec(any::<u8>(), 0..80),
        vec(any::<u8>(), 0..8),
    )
        .prop_map(|(v6, layers, fields, (ip, tcp, extension), payload, trailer)| {
            let family = if v6 { Family::V6 } else { Family::V4 };
            let mut template = Template { layers, family: Some(family), ..Template::default() };
            let stack = template.layers.clone();
            for (field, value) in fields {
                let known = field.place(family).is_some() && stack.contains(&field.layer());
                if known && !is_structure(field) {
                    template.set(field, Setting::Given(value));
                }
            }
            template.ip_options = match (family, extension) {
                (Family::V4, _) => Some(ip.concat()),
                (Family::V6, Some(extension)) => {
                    // Hop-by-hop options, with TCP behind them.
                    template.set(Field::Protocol, Setting::Given(0));
                    Some(extension)
                }
                (Family::V6, None) => None,
            };
            template.options = Some(tcp.concat());
            template.payload = Some(Payload::Bytes(payload));
            template.trailer = stack.contains(&Layer::Ethernet).then_some(trailer);
            template
        })
}

pub fn start() -> impl Strategy<Value = Start> {
    prop_oneof![Just(Start::Ethernet), Just(Start::Ip), Just(Start::Tcp)]
}
