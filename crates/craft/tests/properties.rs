//! What holds for any packet and any text.

use std::time::Duration;

use handclasp_craft::conversation::{Conversation, Ending, Manner, Step};
use handclasp_craft::decode::{decode, read_bytes, read_together};
use handclasp_craft::dissect::{Start, dissect};
use handclasp_craft::field::{Field, Layer};
use handclasp_craft::format::{Form, Hex, dump};
use handclasp_craft::template::{Payload, Setting, Template};
use handclasp_wire::time::Instant;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use rand_pcg::Pcg32;

fn rng() -> Pcg32 {
    Pcg32::new(1, 1)
}

fn start() -> impl Strategy<Value = Start> {
    prop_oneof![Just(Start::Ethernet), Just(Start::Ip), Just(Start::Tcp)]
}

/// Bytes that are mostly a packet.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    template().prop_map(|template| template.build(&mut rng()))
}

fn field() -> impl Strategy<Value = Field> {
    let all: Vec<_> = Field::all().collect();
    (0..all.len()).prop_map(move |at| all[at])
}

fn setting() -> impl Strategy<Value = Setting> {
    prop_oneof![
        8 => any::<u128>().prop_map(Setting::Given),
        8 => (0..8u128).prop_map(Setting::Given),
        1 => any::<[u128; 2]>().prop_map(|[value, care]| Setting::Bits { value, care }),
        1 => Just(Setting::Random),
        1 => (-9..9i64).prop_map(Setting::Auto),
    ]
}

fn template() -> impl Strategy<Value = Template> {
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn taken_apart_and_built_again_a_packet_has_the_same_bytes(
        packet in packet(),
        start in start(),
    ) {
        prop_assert_eq!(Template::of(&packet, start).build(&mut rng()), packet);
    }

    #[test]
    fn so_have_bytes_that_are_no_packet(
        bytes in vec(any::<u8>(), 0..120),
        first in prop_oneof![Just(0x45), Just(0x60), any::<u8>()],
        start in start(),
    ) {
        let bytes = [&[first][..], &bytes].concat();
        prop_assert_eq!(Template::of(&bytes, start).build(&mut rng()), bytes);
    }

    #[test]
    fn every_header_lies_behind_the_one_before(bytes in packet(), start in start()) {
        let (layout, _) = dissect(&bytes, start);
        let mut end = 0;
        for (_, header) in layout.headers.iter().chain([&(Layer::Tcp, layout.payload)]) {
            prop_assert!(end == header.start && header.end <= bytes.len());
            end = header.end;
        }
    }

    #[test]
    fn a_packet_matches_its_own_template(packet in packet(), start in start()) {
        prop_assert_eq!(Template::of(&packet, start).matches(&packet, start), Ok(()));
    }

    #[test]
    fn what_is_worked_out_is_right(
        payload in vec(any::<u8>(), 0..60),
        options in vec(any::<u8>(), 0..40),
        v6: bool,
    ) {
        let words = if v6 { "IP6" } else { "IP" };
        let mut sent: Template = words.parse().unwrap();
        sent.options = Some(options);
        let sent = sent.with_payload(payload);
        let auto = Field::all().filter(|field| field.place(sent.family.unwrap()).is_some());
        let auto = auto.filter(|field| [Layer::Ip, Layer::Tcp].contains(&field.layer()));
        let wanted = auto.fold(sent.clone(), |t, field| t.with(field, Setting::Auto(0)));
        prop_assert_eq!(wanted.matches(&sent.build(&mut rng()), Start::Ip), Ok(()));
    }

    #[test]
    fn a_template_is_read_as_it_is_printed(template in template()) {
        let text = template.to_string();
        prop_assert_eq!(text.parse(), Ok(template), "{}", text);
    }

    #[test]
    fn taken_apart_no_byte_is_left_out(
        bytes in prop_oneof![packet(), vec(any::<u8>(), 0..80)],
        start in start(),
    ) {
        let mut end = 0;
        for item in decode(&bytes, start).items {
            // Fields of less than a byte share one.
            prop_assert!(item.bytes.start <= end && item.bytes.end >= end, "{:?}", item);
            end = item.bytes.end;
        }
        prop_assert_eq!(end, bytes.len());
    }

    #[test]
    fn any_bytes_can_be_shown_in_every_form(
        bytes in prop_oneof![packet(), vec(any::<u8>(), 0..80)],
        start in start(),
    ) {
        prop_assert!(bytes.is_empty() || !decode(&bytes, start).to_string().is_empty());
        let packets = [(Duration::ZERO, bytes.clone())];
        for form in Form::ALL {
            let shown = form.show(&packets, start);
            prop_assert!(shown.is_some() || start == Start::Tcp, "{:?}", form);
        }
        let line = Form::Line.show(&packets, start).unwrap_or_default();
        let template: Template = str::from_utf8(&line)?.trim_end().parse()?;
        prop_assert_eq!(template.build(&mut rng()), bytes);
    }

    #[test]
    fn what_is_pasted_never_upsets_the_reader(
        text in prop_oneof![any::<String>(), "[0-9a-fx:#= |\n]{0,60}", "[a-zA-Z0-9+/=\n]{0,60}"],
    ) {
        if let Ok(packets) = read_bytes(text.as_bytes()) {
            let decoded: Vec<_> =
                packets.iter().map(|packet| decode(packet, Start::Tcp)).collect();
            prop_assert!(read_together(&decoded).len() <= decoded.len());
        }
    }

    #[test]
    fn bytes_in_hex_come_back(packet in packet()) {
        prop_assume!(!packet.is_empty());
        prop_assert_eq!(read_bytes(Hex(&packet).to_string().as_bytes()), Ok(vec![packet.clone()]));
        prop_assert_eq!(read_bytes(dump(&packet).as_bytes()), Ok(vec![packet]));
    }

    #[test]
    fn whatever_the_peer_sends_a_conversation_ends(
        arrivals in vec((template(), 0..400u64), 0..40),
        closes: bool,
    ) {
        let steps = ["send [S]", "expect [S.]", "send data \"x\"", "silence 50ms", "send [.]"];
        let steps = steps.into_iter().map(|step| step.parse::<Step>().unwrap()).collect();
        let manner = match closes {
            true => Manner::Close { within: Duration::from_secs(1) },
            false => Manner::Reset,
        };
        let ending = Ending { manner, ..Ending::default() };
        let base: Template = "5.6.7.8:6 > 1.2.3.4:5".parse().unwrap();
        let mut talk = Conversation::new(base, steps).with_ending(ending);
        let mut now = Instant::ZERO;
        let mut rng = rng();
        for (theirs, wait) in arrivals {
            while talk.next_send(now, &mut rng).is_some() {}
            now += Duration::from_millis(wait);
            talk.arrived(&theirs.build(&mut rng), now);
        }
        // From here on the peer is silent: each wait may pass once.
        for _ in 0..10 {
            while talk.next_send(now, &mut rng).is_some() {}
            now = talk.deadline().unwrap_or(now);
        }
        prop_assert!(talk.is_over() && talk.end().is_some());
    }

    #[test]
    fn no_text_upsets_the_reader(text: String) {
        if let Err(error) = text.parse::<Template>() {
            prop_assert!(error.under(&text).contains('^'));
        }
    }

    #[test]
    fn nor_does_one_that_is_almost_right(
        text in "(IP6? )?([0-9a-f.:\\[\\]]{1,12} > [0-9a-f.:]{1,12}:? )?\
                 (Flags |\\[[SFRP.?]{0,3}\\]|[<(\\[][a-z0-9 ,:]{0,9}[\\])>]?|\
                 seq [0-9:]{1,4}|len(gth)? [0-9:]{1,3}|cksum 0x1 \\(|\
                 data \"[\\\\a\"]{0,4}| |,){0,6}"
    ) {
        if let Err(error) = text.parse::<Template>() {
            prop_assert!(error.under(&text).contains('^'));
        }
    }
}
