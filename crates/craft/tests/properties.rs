//! What holds for any packet and any text.

mod common;

use std::time::Duration;

use common::{rng, start, template, whole};
use handclasp_craft::conversation::{Conversation, Ending, Manner, Step};
use handclasp_craft::decode::{decode, read_bytes, read_together};
use handclasp_craft::dissect::{Start, dissect};
use handclasp_craft::field::{Field, Layer};
use handclasp_craft::format::{Form, Hex, dump};
use handclasp_craft::template::{Setting, Template};
use handclasp_craft::text::Pair;
use handclasp_wire::notation::{Base, Segment};
use handclasp_wire::time::Instant;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Bytes that are mostly a packet.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    template().prop_map(|template| template.build(&mut rng()))
}

/// Names that something has.
fn names() -> impl Strategy<Value = String> {
    let others = ["tos", "options", "ip-options", "data", "data-hex", "len", "trailer", "layers"];
    let fields = Field::all().flat_map(|field| field.names().iter().copied());
    let all: Vec<_> = fields.chain(others).map(str::to_owned).collect();
    prop::sample::select(all)
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
    fn a_whole_packet_is_read_without_error_and_built_again(template in whole()) {
        let (bytes, start) = (template.build(&mut rng()), template.start());
        let (layout, errors) = dissect(&bytes, start);
        prop_assert_eq!(errors, vec![]);
        for (field, setting) in &template.fields {
            let place = field.place(layout.family).unwrap();
            let given = setting.value().map(|value| value & place.maximum());
            prop_assert_eq!(layout.get(&bytes, *field), given, "{:?}", field);
        }
        let again = Template::of(&bytes, start);
        prop_assert_eq!(&again.layers, &template.layers);
        prop_assert_eq!(&again.payload, &template.payload);
        prop_assert_eq!(again.build(&mut rng()), bytes);
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
    fn a_line_with_any_letter_changed_does_no_harm(
        template in template(),
        at in any::<prop::sample::Index>(),
        instead in option::of(any::<char>()),
        cuts: bool,
    ) {
        let mut letters: Vec<char> = template.to_string().chars().collect();
        let at = at.index(letters.len().max(1));
        if cuts && at < letters.len() {
            letters.remove(at);
        }
        letters.splice(at..at, instead);
        let text: String = letters.into_iter().collect();
        match text.parse::<Template>() {
            // What is understood is printed as it is understood.
            Ok(read) => prop_assert_eq!(read.to_string().parse(), Ok(read)),
            Err(error) => prop_assert!(error.under(&text).contains('^')),
        }
        // The notation of a segment has a part of it.
        let _ = Segment::read(&text, Base::ABSOLUTE);
        for word in ["send", "expect", "silence"] {
            let _ = format!("{word} {text}").parse::<Step>();
        }
    }

    #[test]
    fn whatever_is_said_of_a_field_does_no_harm(
        name in prop_oneof![names(), "[a-z-]{0,9}", any::<String>()],
        value in prop_oneof![
            any::<String>(),
            "[0-9a-fx:.,?/+ -]{0,20}",
            "(auto|random)?[+-]?[0-9]{0,22}",
        ],
    ) {
        let text = format!("{name} {value}");
        match Pair::read(&name, &value) {
            Ok(pair) => {
                let mut template = Template::default();
                if pair.apply(&mut template).is_ok() {
                    prop_assert_eq!(template.to_string().parse(), Ok(template.clone()));
                    prop_assert!(template.build(&mut rng()).len() < 1 << 17);
                }
            }
            Err(error) => prop_assert!(error.under(&text).contains('^')),
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
