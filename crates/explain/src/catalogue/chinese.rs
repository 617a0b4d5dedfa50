//! The sentences in Simplified Chinese.

mod experiment;
mod findings;

use std::fmt::{self, Write};
use std::time::Duration;

use handclasp_tcp::State;
use handclasp_tcp::event::LossSign;

use super::{ByHand, Cast, Count, Hint, Language, Message, Rate, Size, Time};
use crate::track::Side;
use crate::track::note::{Note, Resent};
use crate::track::summary::Ending;

/// Simplified Chinese.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chinese;

impl Language for Chinese {
    fn write(&self, out: &mut dyn Write, cast: &Cast, message: &Message<'_>) -> fmt::Result {
        match *message {
            Message::Note { from, note } => write_note(out, cast, from, note),
            Message::Ending(ending) => write_ending(out, cast, ending),
            Message::Hint(hint) => out.write_str(hint_text(hint)),
            Message::Tried(which) => out.write_str(experiment::tried(which)),
            Message::Theory(which) => out.write_str(experiment::theory(which)),
            Message::Happened(happened) => experiment::happened(out, happened),
            Message::Column(column) => out.write_str(experiment::column(column)),
            ref other => write_rest(out, other),
        }
    }
}

/// The end, as a sentence names it.
const fn name(cast: &Cast, side: Side) -> &'static str {
    match (cast.ours, side) {
        (Some(Side::Client), Side::Client) | (Some(Side::Server), Side::Server) => "我方",
        (_, Side::Client) => "客户端",
        (_, Side::Server) => "服务器",
    }
}

fn write_note(out: &mut dyn Write, cast: &Cast, from: Side, note: &Note) -> fmt::Result {
    let (me, peer) = (name(cast, from), name(cast, from.other()));
    match *note {
        Note::First { isn } => write!(out, "第一次握手：{me} ISN 为 {isn}；SYN 占用一个序号"),
        Note::Second => {
            write!(out, "第二次握手：ack = {peer} ISN + 1；{peer}已建立连接，{me}还没有")
        }
        Note::CrossingSyn => write!(out, "两个 SYN 交错：双方同时打开"),
        Note::Third { data: false } => {
            write!(out, "第三次握手：双方的 ISN 都已确认，无需等待回复")
        }
        Note::Third { data: true } => {
            write!(out, "第三次握手，并携带数据：握手一完成就交付")
        }
        Note::InPlaceOfThird => write!(out, "代替第三次握手：它的 ack 同样完成握手"),
        Note::Again { what, after } => write_again(out, what, after),
        Note::BeyondGap { missing } => {
            write!(out, "提前到达：从 {} 起的数据尚缺", missing.relative)
        }
        Note::FillsGap => write!(out, "迟到：填补了缺口"),
        Note::DuplicateAck { count, missing } => {
            write!(out, "第 {count} 个重复 ACK：{me}仍缺 {}", missing.relative)
        }
        Note::WindowClosed => write!(out, "{me}的缓冲区已满：{peer}必须等待"),
        Note::WindowOpened { bytes } => {
            write!(out, "{me}又有了空间：{}", Size(bytes.into()))
        }
        Note::WindowProbe => write!(out, "探测窗口是否已打开"),
        Note::KeepAlive => write!(out, "保活探测：询问{peer}是否还在"),
        Note::FirstFin => write!(out, "{me}没有数据要发了；{peer}可以继续发"),
        Note::SecondFin => write!(out, "{me}也关闭：两个方向都没有数据要发了"),
        Note::FinAcknowledged { state } => write_fin_acknowledged(out, me, peer, state),
        Note::Refused { port } => write!(out, "被拒绝：端口 {port} 上没有监听者"),
        Note::Reset => write!(out, "{me}立即终止连接：未交付的数据丢失"),
        Note::NoConnection => write!(out, "{me}不知道有这个连接"),
        Note::StrayReset => write!(out, "对不上号的 RST：{peer}可以不理会"),
        Note::Lost => write!(out, "✗ 途中丢失"),
        Note::ThirdLost => {
            write!(out, "✗ 途中丢失：{me}已建立连接，{peer}还无从知道")
        }
        Note::Damaged => write!(out, "✗ 途中损坏：校验和不符"),
        Note::Copied => write!(out, "链路复制出来的副本"),
        ref by_hand @ (Note::OldDuplicate
        | Note::NeverSent
        | Note::Undoes
        | Note::Rejects
        | Note::Fits
        | Note::Forged
        | Note::SlippedIn
        | Note::UnaskedSynAck
        | Note::CrossingSynAck
        | Note::AnotherSyn) => write_by_hand(out, me, peer, by_hand),
    }
}

/// What somebody who makes packets by hand says of them.
fn write_by_hand(out: &mut dyn Write, me: &str, peer: &str, note: &Note) -> fmt::Result {
    match note {
        Note::OldDuplicate => write!(out, "旧的重复报文，在网络里滞留到现在"),
        Note::NeverSent => write!(out, "确认了{peer}从未发过的序号：应回 RST"),
        Note::Undoes => write!(out, "撤销旧重复报文引出的连接"),
        Note::Rejects => write!(out, "ack 对不上；{me}继续等待"),
        Note::Fits => write!(out, "同样是伪造的，但 ack 对得上"),
        Note::Forged => write!(out, "伪造的：有人冒用{me}的名义发送"),
        Note::SlippedIn => write!(out, "不是手工发送的：本机内核不知道这个连接"),
        Note::UnaskedSynAck => write!(out, "{peer}没有发过与之对应的 SYN"),
        Note::CrossingSynAck => write!(out, "同一个 SYN，这次带上 ack：{me}已收到对方的 SYN"),
        Note::AnotherSyn => write!(out, "与已应答的不是同一个 SYN"),
        _ => Ok(()),
    }
}

fn write_again(out: &mut dyn Write, what: Resent, after: Option<Duration>) -> fmt::Result {
    let what = match what {
        Resent::Syn => "重发第一次握手：没有收到应答",
        Resent::SynAck => "重发第二次握手：第三次握手没有到",
        Resent::SynAckForSyn => return write!(out, "重发第二次握手：第一次握手又来了"),
        Resent::Wanted { duplicates } => {
            return write!(out, "重传：{duplicates} 个重复 ACK 要求它");
        }
        Resent::Data | Resent::Told { why: LossSign::Timeout } => "重传：未被确认",
        Resent::Told { why } => return out.write_str(told(why)),
        Resent::Fin => "重发 FIN：未被确认",
    };
    match after {
        Some(after) => write!(out, "{what}（已过 {}）", Time(after)),
        None => out.write_str(what),
    }
}

/// Why a sender that tells it sends data again.
fn told(why: LossSign) -> &'static str {
    match why {
        LossSign::DuplicateAcks => "重传：三个重复 ACK 要求它",
        LossSign::Sack => "重传：它之后的三个报文段已到",
        LossSign::Rack => "重传：比它晚发的已到",
        LossSign::PartialAck => "重传：上一个 ACK 停在它之前",
        LossSign::TailProbe => "重传，作为探测：它之后没有数据能显出丢失",
        LossSign::Rescue => "重传：不能发新数据，以此引来 ACK",
        LossSign::Reneging => "重传：对方曾报告收到，又丢弃了",
        LossSign::PathMtu => "重传：对路径来说太大",
        LossSign::SynAck => "重传：服务器没有收下随 SYN 发送的数据",
        _ => "重传：可能已丢失",
    }
}

/// `closer` is the end whose FIN is acknowledged, by `other`.
fn write_fin_acknowledged(
    out: &mut dyn Write,
    other: &str,
    closer: &str,
    state: State,
) -> fmt::Result {
    write!(out, "{closer}的 FIN 已被确认")?;
    match state {
        State::FinWait2 => write!(out, "；另一个方向仍然打开"),
        State::TimeWait => write!(out, "；它要等满 2 MSL"),
        State::Closed => write!(out, "：全部结束；{other}等 2 MSL，以防迟到的报文"),
        _ => Ok(()),
    }
}

fn write_ending(out: &mut dyn Write, cast: &Cast, ending: Ending) -> fmt::Result {
    match ending {
        Ending::Open => write!(out, "仍然打开"),
        Ending::Unanswered => write!(out, "无应答"),
        Ending::Refused => write!(out, "被拒绝"),
        Ending::Closed(side) => write!(out, "由{}先关闭", name(cast, side)),
        Ending::HalfClosed(side) => write!(out, "半关闭，由{}发起", name(cast, side)),
        Ending::Reset(side) => write!(out, "被{}重置", name(cast, side)),
    }
}

/// What is said beside packets made by hand.
fn write_beside(out: &mut dyn Write, what: &ByHand<'_>) -> fmt::Result {
    match *what {
        ByHand::Answered(time) => write!(out, "{} 后收到应答", Time(time)),
        ByHand::NoAnswer(time) => write!(out, "{} 内没有应答", Time(time)),
        ByHand::Meanwhile(packet) => write!(out, "其间收到：{packet}"),
        ByHand::ResetInTheEnd(packet) => write!(out, "最后重置：{packet}"),
        ByHand::SlippedIn(packet) => write!(out, "! 不是我们发的，本机内核插进来：{packet}"),
        ByHand::TagsUnseen => write!(
            out,
            "这里收不到带 VLAN 标签的应答：请不带标签，在该 VLAN 自己的接口上发送\
             （packet:eth0.5）"
        ),
        ByHand::Guarded => {
            write!(out, "使用本机自己的地址；其间会拦下本机内核对这些连接发出的 RST")
        }
        ByHand::Unguarded(why) => write!(
            out,
            "使用本机自己的地址；无法拦住本机内核（{why}），它会重置这些连接。\
             换用网络中的空闲地址（--address）就没有这个问题"
        ),
        ByHand::HeldBack(count) => {
            write!(out, "拦下了本机内核的 {} 个 RST", Count(count))
        }
    }
}

fn write_rest(out: &mut dyn Write, message: &Message<'_>) -> fmt::Result {
    match *message {
        Message::TimeHeading => write!(out, "时间 µs"),
        Message::SegmentHeading { absolute: false } => {
            write!(out, "报文段（相对序号；-S 为绝对序号）")
        }
        Message::SegmentHeading { absolute: true } => write!(out, "报文段（绝对序号）"),
        Message::KernelHeading => write!(out, "内核"),
        Message::PeerHeading => write!(out, "对端"),
        Message::Legend => write!(out, "• 读取，~ 推断"),
        Message::Folded { packets, bytes: [client, server] } => {
            write!(out, "另有 {} 个数据和 ACK 报文：", Count(packets))?;
            write!(out, "客户端发出 {}，服务器发出 {}", Size(client), Size(server))
        }
        Message::Network { root: true } => write!(out, "私有网络"),
        Message::Network { root: false } => write!(out, "私有网络，无需 root"),
        Message::PacketSocket => write!(out, "packet 套接字"),
        Message::Tun => write!(out, "TUN"),
        Message::Virtual => write!(out, "虚拟时间"),
        Message::Seed(seed) => write!(out, "种子 {seed}"),
        Message::HandshakeTime(time) => write!(out, "SYN→SYN-ACK {}", Time(time)),
        Message::Bytes { out: sent, r#in } => {
            write!(out, "发出 {}，收到 {}", Size(sent), Size(r#in))
        }
        Message::BytesEqual => write!(out, "每个字节都与发送时一致"),
        Message::BytesDiffer => write!(out, "字节不一致"),
        Message::MovedOut { bytes, time } => {
            write!(out, "发送用时 {}：{}", Time(time), Rate { bytes, time })
        }
        Message::MovedIn { bytes, time } => {
            write!(out, "接收用时 {}：{}", Time(time), Rate { bytes, time })
        }
        Message::Repairs { resent, spurious, timeouts } => {
            let (again, vain) = (100.0 * resent, 100.0 * spurious);
            write!(out, "重传 {again:.2} %，其中不必要的 {vain:.2} %，超时 {} 次", Count(timeouts))
        }
        Message::Retransmitted(count) => write!(out, "重传 {} 个", Count(count)),
        Message::LostOnTheWay(count) => write!(out, "途中丢失 {} 个", Count(count)),
        Message::Packets(count) => write!(out, "共 {} 个报文", Count(count)),
        Message::Connections(count) => write!(out, "{} 个连接", Count(count)),
        Message::ConnectionBegins { client, server } => write!(out, "{client} → {server}"),
        Message::Interrupted => write!(out, "已中断"),
        Message::ByHand(ref what) => write_beside(out, what),
        Message::Next => write!(out, "接着试"),
        Message::HandHeading => write!(out, "手工"),
        Message::TriedHeading => write!(out, "尝试"),
        Message::TheoryHeading => write!(out, "理论"),
        Message::Verdict { clause, as_said, happened } => {
            write!(out, "{} {clause}：", if as_said { "符合" } else { "不符合" })?;
            experiment::happened(out, happened)
        }
        Message::Awaited { what, since, within } => {
            write!(out, "等待 {what}：{} s，至多 {} s", since.as_secs(), within.as_secs())
        }
        Message::CallUs(socket) => write!(out, "等待对端：请让它连接 {socket}"),
        Message::Tally { as_said, otherwise } => {
            write!(out, "{} 项符合 RFC，{} 项不符合", Count(as_said), Count(otherwise))
        }
        Message::Note { .. }
        | Message::Ending(_)
        | Message::Hint(_)
        | Message::Tried(_)
        | Message::Theory(_)
        | Message::Happened(_)
        | Message::Column(_) => Ok(()),
    }
}

const fn hint_text(hint: Hint) -> &'static str {
    match hint {
        Hint::LoseThird => "丢掉第三次握手的报文",
        Hint::LoseSecond => "丢掉 SYN-ACK",
        Hint::LoseSome => "每五个报文丢一个",
        Hint::TurnRound => "让内核当客户端",
        Hint::Bulk => "在劣质链路上双向各传 100 MB 并比对",
        Hint::ClosedPort => "连接没有监听者的端口",
        Hint::Capture => "把报文存下来给 Wireshark 看",
        Hint::Absolute => "按首部原样显示序号",
        Hint::Curl => "让 curl 与我们的协议栈对话",
    }
}

#[cfg(test)]
#[path = "chinese_tests.rs"]
mod tests;
