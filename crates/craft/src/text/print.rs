//! Printing a template as a line.

use std::fmt;
use std::net::SocketAddr;

use handclasp_wire::notation::{Base, OptionList};

use super::Hex;
use super::value::SettingText;
use crate::field::Family;
use crate::field::{Field, Layer};
use crate::template::{Payload, Setting, Template};

/// The fields that stand in front of the options, as the notation of a segment has them.
const FIRST: [Field; 4] = [Field::Seq, Field::Ack, Field::Window, Field::Urgent];

/// A line that reads back as the same template, close to what tcpdump prints: sockets, flags,
/// `seq`, `ack`, `win`, `urg`, options, payload, then the other fields that are set.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Words { f, template: self, first: true };
        let sockets = self.sockets();
        words.head(sockets)?;
        let flags = self.fields.get(&Field::Flags);
        if let Some(setting @ (Setting::Given(_) | Setting::Bits { .. })) = flags {
            let text = words.setting(Field::Flags, *setting);
            words.add(format_args!("[{text}]"))?;
        }
        for field in FIRST {
            words.field(field)?;
        }
        if let Some(options) = &self.options {
            words.add(format_args!("<{}>", OptionList::new(options, Base::ABSOLUTE)))?;
        }
        match &self.payload {
            Some(Payload::Bytes(bytes)) => {
                words.add(format_args!("data \"{}\"", bytes.escape_ascii()))?;
            }
            Some(Payload::Len(len)) => words.add(format_args!("len {len}"))?,
            None => {}
        }
        for field in self.fields.keys().filter(|field| !FIRST.contains(field)) {
            let shown = match field {
                Field::Flags => {
                    matches!(flags, Some(Setting::Given(_) | Setting::Bits { .. }))
                }
                Field::Src | Field::Dst | Field::SrcPort | Field::DstPort => sockets.is_some(),
                _ => false,
            };
            if !shown {
                words.field(*field)?;
            }
        }
        words.parts()
    }
}

impl Template {
    /// Both sockets, if all of them is given.
    fn sockets(&self) -> Option<[SocketAddr; 2]> {
        let family = self.family.unwrap_or_default();
        let socket = |address, port| {
            let Setting::Given(address) = *self.fields.get(&address)? else { return None };
            let Setting::Given(port) = *self.fields.get(&port)? else { return None };
            Some(SocketAddr::new(family.address(address), port as u16))
        };
        Some([socket(Field::Src, Field::SrcPort)?, socket(Field::Dst, Field::DstPort)?])
    }

    /// The headers that a reader adds by itself.
    fn implied(&self) -> impl Iterator<Item = Layer> {
        let fields = self.fields.keys().flat_map(|field| field.layer().with_outer());
        [Layer::Ip, Layer::Tcp].into_iter().chain(fields.copied())
    }
}

struct Words<'w, 'f> {
    f: &'w mut fmt::Formatter<'f>,
    template: &'w Template,
    first: bool,
}

impl Words<'_, '_> {
    fn add(&mut self, word: fmt::Arguments<'_>) -> fmt::Result {
        if !self.first {
            self.f.write_str(" ")?;
        }
        self.first = false;
        self.f.write_fmt(word)
    }

    fn setting(&self, field: Field, setting: Setting) -> SettingText {
        SettingText { field, family: self.template.family.unwrap_or_default(), setting }
    }

    fn field(&mut self, field: Field) -> fmt::Result {
        let Some(setting) = self.template.fields.get(&field) else { return Ok(()) };
        let text = self.setting(field, *setting);
        self.add(format_args!("{} {text}", field.name()))
    }

    fn head(&mut self, sockets: Option<[SocketAddr; 2]>) -> fmt::Result {
        match (sockets, self.template.family) {
            (Some([src, dst]), _) => self.add(format_args!("{src} > {dst}")),
            (None, Some(Family::V4)) => self.add(format_args!("IP")),
            (None, Some(Family::V6)) => self.add(format_args!("IP6")),
            (None, None) => Ok(()),
        }
    }

    /// What comes last: `layers` behind all that would add one.
    fn parts(&mut self) -> fmt::Result {
        let template = self.template;
        for (name, bytes) in [("ip-options", &template.ip_options), ("trailer", &template.trailer)]
        {
            if let Some(bytes) = bytes {
                self.add(format_args!("{name} 0x{}", Hex(bytes)))?;
            }
        }
        if template.layers != template.implied().collect() {
            let names: Vec<_> = template.layers.iter().map(|layer| layer.name()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join("+") };
            self.add(format_args!("layers {names}"))?;
        }
        Ok(())
    }
}
