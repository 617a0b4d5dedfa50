//! What is said of experiments.

use std::fmt::{self, Write};
use std::time::Duration;

use super::super::experiment::{Column, Experiment, Happened};
use super::super::{Count, Time};

pub(super) const fn tried(experiment: Experiment) -> &'static str {
    use Experiment as E;
    match experiment {
        E::Handshake => "手工构造 SYN、SYN-ACK、ACK 三个报文，然后在上面发一个请求",
        E::DataInThird => "请求就放在第三次握手的报文里",
        E::SkipThird => "不发单独的第三次握手：过一会儿直接发请求",
        E::LateThird => "先发数据，单独的第三次握手报文随后才到",
        E::LostThird => "第三次握手的报文丢失，而客户端没有数据要发",
        E::LostThirdTalking => "第三次握手的报文丢失，客户端接着发数据",
        E::ClosedPort => "向没有监听者的端口发 SYN",
        E::DataInFirst => "请求放在 SYN 里，不用 Fast Open",
        E::FastOpen => "请求放在 SYN 里，并带上 Fast Open cookie",
        E::DataInSecond => "我方当服务器，把数据放进 SYN-ACK",
        E::FakeSynAck => "从一个关闭的端口发出 SYN-ACK",
        E::OldDuplicate => "旧的重复 SYN（seq 90）先于新的 SYN（seq 100）到达",
        E::OldDuplicateSynFirst => "旧的重复 SYN 之后，新的 SYN 抢在撤销它的 RST 之前到达",
        E::LostLastAck => "我方先关闭，并且始终不确认对端的 FIN",
        E::HalfOpen => "发一个 SYN 之后保持沉默：SYN-ACK 永远得不到应答",
        E::SynFlood => "没有下文的 SYN 占满队列，然后来了一个正常的客户端",
        E::SimultaneousOpen => "双方都发 SYN，两个 SYN 在途中交错",
        E::HalfClose => "关闭一个方向，另一个方向继续",
        E::OutOfWindow => "发送窗口之外的数据，以及早已过去的数据",
        E::BlindReset => "伪造的 RST：窗口之外、窗口之内、恰好等于下一个序号",
        E::KeepAliveDeadPeer => "一个开启了保活的空闲连接，其客户端已经消失",
    }
}

pub(super) const fn theory(experiment: Experiment) -> &'static str {
    use Experiment as E;
    match experiment {
        E::Handshake => {
            "每一方都确认对方的 ISN + 1；三个报文之后双方都是 ESTABLISHED，请求得到应答"
        }
        E::DataInThird | E::SkipThird => {
            "任何可接受的、确认了 SYN-ACK 的报文段都会完成握手，其中的数据照样交付"
        }
        E::LateThird => "数据完成握手；迟到的 ACK 带的是旧序号，什么也不改变",
        E::LostThird => "服务器无从知道：它的定时器会重发 SYN-ACK，对它的应答完成握手",
        E::LostThirdTalking => "第一个数据报文同样确认了 SYN-ACK，与丢失的报文作用相同",
        E::ClosedPort => "回一个 RST，序号为 0，并确认这个 SYN",
        E::DataInFirst => {
            "SYN 可以带数据，但连接建立之前不得交付；接收方也可以不收，之后由发送方重发"
        }
        E::FastOpen => {
            "支持 Fast Open 的对端先发放 cookie；下一个带着它的 SYN 里的数据会被收下，\
             并在第三次握手之前就得到应答"
        }
        E::DataInSecond => "SYN-ACK 可以带数据；接收方若没有确认它，就会再次收到",
        E::FakeSynAck
        | E::OldDuplicate
        | E::OldDuplicateSynFirst
        | E::LostLastAck
        | E::HalfOpen
        | E::SynFlood
        | E::SimultaneousOpen
        | E::HalfClose
        | E::OutOfWindow
        | E::BlindReset
        | E::KeepAliveDeadPeer => theory_behind_the_handshake(experiment),
    }
}

const fn theory_behind_the_handshake(experiment: Experiment) -> &'static str {
    use Experiment as E;
    match experiment {
        E::FakeSynAck => {
            "没有请求过的一方回 RST，其序号就是被确认的那个数；\
             只有处于 SYN-SENT 且序号恰好对上的对端才会受骗"
        }
        E::OldDuplicate => {
            "对旧 SYN 的 SYN-ACK 确认 91，而客户端从未发过：它回 RST（seq 91），\
             服务器忘掉这个连接，随后新的 SYN 建立连接"
        }
        E::OldDuplicateSynFirst => {
            "交换的报文更多，两个方向都可能有 RST，但不会错误地留下任何连接；\
             新的 SYN 重发之后建立连接"
        }
        E::LostLastAck => "FIN 按加倍的间隔重发若干次，然后对端放弃并忘掉这个连接",
        E::HalfOpen => {
            "SYN-ACK 从 1 s 起按加倍的间隔重发（Linux：1、2、4、8、16，最后再等 32 s，\
             共 63 s），然后半开连接被忘掉"
        }
        E::SynFlood => {
            "用 SYN cookie 时，服务器需要知道的一切都编码在 SYN-ACK 的序号里，在 ACK 把它带回来之前\
             什么都不保存；不用它，客户端就被挡在门外"
        }
        E::SimultaneousOpen => {
            "双方都从 SYN-SENT 到 SYN-RECEIVED 再到 ESTABLISHED：是一个连接，不是两个"
        }
        E::HalfClose => "发出 FIN 的一方仍然接收，另一方仍然可以发送；两个方向各自关闭",
        E::OutOfWindow => "不可接受的报文段被丢弃，并以 ACK 告知所期待的序号；连接不受影响",
        E::BlindReset => "窗口之外：丢弃；窗口之内：回一个挑战 ACK，连接保持；序号恰好：连接终止",
        E::KeepAliveDeadPeer => {
            "空闲一段时间之后，用早已确认过的序号发探测；全都没有应答，连接就结束"
        }
        _ => "",
    }
}

pub(super) fn happened(out: &mut dyn Write, happened: &Happened) -> fmt::Result {
    use Happened as H;
    match happened {
        H::Missed { expected, instead: None } => write!(out, "期待 {expected}，但什么也没来"),
        H::Missed { expected, instead: Some(instead) } => {
            write!(out, "期待 {expected}；来的却不同：{instead}")
        }
        H::NotSilent { came } => write!(out, "不该有报文，却来了 {came}"),
        H::WrongState { expected, found } => {
            write!(out, "对端应处于 {expected}，实际处于 {found}")
        }
        H::NoBackoff { waits } => {
            write!(out, "间隔没有加倍：")?;
            list(out, waits)
        }
        H::SynAckCameAgain { after } => {
            write!(out, "SYN-ACK 在 {} 之后重发，对它的应答完成了握手", Time(*after))
        }
        H::DuplicateUndoneLater { resets } => {
            match resets {
                0 => write!(out, "对端没有发 RST")?,
                n => write!(out, "对端也发了 {} 个 RST", Count((*n).into()))?,
            }
            write!(out, "；新的 SYN 重发之后建立了连接")
        }
        H::FinGivenUp { times, took, reset } => {
            let times = Count((*times).into());
            write!(out, "FIN 在 {} 内重发了 {times} 次，然后", Time(*took))?;
            end(out, *reset)
        }
        H::SynAckGivenUp { waits } => {
            write!(out, "SYN-ACK 重发了 {} 次，间隔 ", Count(waits.len() as u64))?;
            list(out, waits)?;
            write!(out, "；然后半开连接被忘掉")
        }
        H::LetInByCookie { syns } => write!(
            out,
            "{} 个 SYN 之后客户端仍然连上了，在它的 ACK 到来之前服务器什么都没有保存",
            Count((*syns).into())
        ),
        H::DeadPeerNoticed { idle, probes, reset } => {
            let probes = Count((*probes).into());
            write!(out, "空闲 {} 之后，{probes} 个探测都没有应答，然后", Time(*idle))?;
            end(out, *reset)
        }
        plain => out.write_str(plainly(plain)),
    }
}

/// What needs no figures.
const fn plainly(happened: &Happened) -> &'static str {
    use Happened as H;
    match happened {
        H::Answered => "请求得到了应答：手工完成的握手就是真正的连接",
        H::ThirdTaken => "第三次握手里的数据被交付并得到应答",
        H::ThirdSkipped => "数据代替第三次握手建立了连接",
        H::LateThirdIgnored => "数据建立了连接，迟到的 ACK 什么也没有改变",
        H::Refused => "RST 表明没有监听者",
        H::FirstLeft => "只有 SYN 被确认；数据在连接建立之后重发时才被交付",
        H::FirstKept => "数据与 SYN 一起被确认，连接建立之后才被交付",
        H::NoFastOpen => "对端不提供 Fast Open，这是它的自由",
        H::FastOpened => "SYN 里的请求在第三次握手之前就得到了应答",
        H::FastOpenDeclined => "对端给了 cookie，却没有收下随它而来的数据，这是它的自由",
        H::SecondTaken => "SYN-ACK 里的数据立刻被收下",
        H::SecondLeft => "SYN 被确认，同行的数据没有；重发之后才被收下",
        H::FakeReset => "没人要的 SYN-ACK 得到的应答是 RST",
        H::FakeBelieved => {
            "没有请求过的一方回了 RST；处于 SYN-SENT 的对端在序号不对时也回 RST，\
             序号对上时就受骗了"
        }
        H::DuplicateUndone => "RST 撤销了旧连接，新的 SYN 建立了连接",
        H::OpenedAtOnce => "两个 SYN 合成了一个连接",
        H::HalfClosed => "任一方发出 FIN 之后，另一个方向仍然传送了数据",
        H::KeptOut => "两者都以带有期待序号的 ACK 应答，什么都没有被收下",
        H::ResetByExactOnly => "窗口之外的被丢弃，窗口之内的引出挑战 ACK，只有序号恰好的终止了连接",
        _ => "",
    }
}

fn end(out: &mut dyn Write, reset: bool) -> fmt::Result {
    out.write_str(match reset {
        true => "来了一个 RST：连接被放弃",
        false => "连接被悄悄放弃",
    })
}

fn list(out: &mut dyn Write, times: &[Duration]) -> fmt::Result {
    for (i, time) in times.iter().enumerate() {
        write!(out, "{}{}", if i == 0 { "" } else { "、" }, Time(*time))?;
    }
    Ok(())
}

pub(super) const fn column(column: Column) -> &'static str {
    match column {
        Column::Name => "实验",
        Column::Article => "文章",
        Column::Clause => "条款",
        Column::Tried => "尝试什么",
    }
}
