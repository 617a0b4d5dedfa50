//! A flag for each field of the headers, made from the table of fields.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use handclasp_craft::field::{Field, Kind, Layer};

/// What was said of fields: the flag's name and its value, as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldArgs(pub(crate) Vec<(&'static str, String)>);

/// A flag that is no field's: its name, its value's, its help, and whether it is in the short
/// help.
type Other = (&'static str, &'static str, &'static str, bool);

/// In the order in which they are applied: `data` tells more than `len`.
const OTHERS: [Other; 8] = [
    ("layers", "HEADERS", "Exactly these headers: eth+vlan+vlan2+ip+tcp, or some of them", false),
    ("tos", "N", "DSCP and ECN in one octet (IPv6: traffic class)", false),
    ("ip-options", "HEX", "IPv4's options, or IPv6's extension headers", false),
    ("options", "LIST", "By name: 'mss 1460, nop, wscale 8, sackOK, TS val 1 ecr 0'", true),
    ("data", "TEXT", "Payload: text with escapes (\\r\\n, \\x00), or @FILE, or @- for input", true),
    ("data-hex", "HEX", "Payload in hex", true),
    ("len", "BYTES", "Payload of so many zeros", false),
    ("trailer", "HEX", "What stands behind the IP packet, as Ethernet's padding does", false),
];

/// The name of a field's flag. `--version` is the command's own.
fn flag(field: Field) -> &'static str {
    match field {
        Field::Version => "ip-version",
        _ => field.name(),
    }
}

impl Args for FieldArgs {
    fn augment_args(mut command: Command) -> Command {
        for field in Field::all() {
            command = command.arg(argument(field));
        }
        for (name, value, help, common) in OTHERS {
            let heading = match name {
                "layers" | "trailer" => "Link",
                "tos" | "ip-options" => "IP",
                _ => "TCP",
            };
            let arg = Arg::new(name).long(name).value_name(value).help(help);
            let arg = arg.help_heading(heading).hide_short_help(!common);
            command = command.arg(match name {
                "data-hex" => arg.conflicts_with("data"),
                "layers" => arg.value_name("HEADER+…"),
                _ => arg,
            });
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(field: Field) -> Arg {
    let (help, common) = help(field);
    let arg = Arg::new(flag(field)).long(flag(field)).help(help);
    let arg = arg.visible_aliases(
        field.names().iter().copied().filter(|name| !["version", flag(field)].contains(name)),
    );
    let arg = arg.help_heading(heading(field.layer())).hide_short_help(!common);
    // Less than nothing is read as less than what is right.
    let arg = arg.allow_negative_numbers(true);
    let place = field.place(Default::default()).or(field.place(handclasp_craft::field::Family::V6));
    if place.is_some_and(|place| place.bits == 1) {
        return arg
            .value_name("0|1")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("1");
    }
    arg.value_name(match (field, field.kind()) {
        (Field::Src | Field::Dst, _) => "IP[:PORT]",
        (_, Kind::Flags) => "LETTERS",
        (_, Kind::Hardware) => "MAC",
        (Field::SrcPort | Field::DstPort, _) => "PORT",
        _ => "N",
    })
}

const fn heading(layer: Layer) -> &'static str {
    match layer {
        Layer::Ethernet | Layer::Vlan | Layer::InnerVlan => "Link",
        Layer::Ip => "IP",
        Layer::Tcp => "TCP",
    }
}

/// What a field's flag does, and whether it is in the short help.
const fn help(field: Field) -> (&'static str, bool) {
    match field {
        Field::EthDst => ("Ethernet: destination", true),
        Field::EthSrc => ("Ethernet: source", true),
        Field::EthType => ("Ethernet: what follows", false),
        Field::VlanPriority => ("802.1Q tag: priority, 0 to 7", false),
        Field::VlanDropEligible => ("802.1Q tag: may be dropped first", false),
        Field::VlanId => ("802.1Q tag: the network's number", true),
        Field::VlanType => ("802.1Q tag: what follows", false),
        Field::InnerVlanPriority => ("Second tag: priority", false),
        Field::InnerVlanDropEligible => ("Second tag: may be dropped first", false),
        Field::InnerVlanId => ("Second tag: the network's number", false),
        Field::InnerVlanType => ("Second tag: what follows", false),
        Field::Version => ("Version of IP that the header claims", false),
        Field::HeaderLen => ("Words of four bytes in the IPv4 header", false),
        Field::Dscp => ("Differentiated services code point", false),
        Field::Ecn => ("Explicit congestion notification, 0 to 3", false),
        Field::FlowLabel => ("IPv6 flow label", false),
        Field::TotalLen => ("Bytes of the IPv4 packet", false),
        Field::PayloadLen => ("Bytes behind the IPv6 header", false),
        Field::Identification => ("Identification; random unless it is given", true),
        Field::ReservedFlag => ("The flag without a meaning", false),
        Field::DontFragment => ("Routers must not fragment", true),
        Field::MoreFragments => ("More fragments follow", false),
        Field::FragmentOffset => ("Where the fragment belongs, in units of eight bytes", false),
        Field::Ttl => ("Time to live, or hop limit; 64 unless it is given", true),
        Field::Protocol => ("What follows the IP header", false),
        Field::IpChecksum => ("IPv4 header checksum; auto+1 is one more than the right one", false),
        Field::Src => ("Source address, with its port or without", true),
        Field::Dst => ("Destination address, with its port or without", true),
        Field::SrcPort => ("Source port; random unless it is given", true),
        Field::DstPort => ("Destination port; 80 unless it is given", true),
        Field::Seq => ("Sequence number; random unless it is given", true),
        Field::Ack => ("Acknowledgment number", true),
        Field::DataOffset => ("Words of four bytes in the TCP header", false),
        Field::Reserved => ("The three bits without a meaning", false),
        Field::Flags => ("Control bits: S, S., A, PA, FSRPAUECN, syn,ack or 0x12", true),
        Field::Window => ("Window, not scaled; 64240 unless it is given", true),
        Field::Checksum => ("TCP checksum; auto+1 is one more than the right one", true),
        Field::Urgent => ("Urgent pointer", false),
    }
}

impl FromArgMatches for FieldArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut said = Self::default();
        said.update_from_arg_matches(matches)?;
        Ok(said)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        // `layers` says what headers there are before fields add theirs.
        let (first, last): (Vec<_>, Vec<_>) =
            OTHERS.iter().map(|other| other.0).partition(|name| *name == "layers");
        let fields = Field::all().map(flag);
        for name in first.into_iter().chain(fields).chain(last) {
            let value = matches.try_get_one::<String>(name);
            let value = value.map_err(|_| clap::Error::new(ErrorKind::InvalidValue))?;
            self.0.extend(value.map(|value| (name, value.clone())));
        }
        Ok(())
    }
}

/// The names of all flags here, for whoever types one that does not exist.
pub(crate) fn flags() -> impl Iterator<Item = &'static str> {
    let fields = Field::all().flat_map(|field| field.names().iter().copied());
    fields.filter(|name| *name != "version").chain(OTHERS.iter().map(|other| other.0))
}
