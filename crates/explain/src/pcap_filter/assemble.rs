//! From conditions to a program.

use handclasp_wire::bpf::{self, Instruction, MAX_INSTRUCTIONS};

use super::condition::Condition;
use super::{Cause, PcapFilterError, Result};

/// A place in the program, to which jumps go.
type Label = usize;

enum Item {
    Do(Instruction),
    /// A jump of this code and constant, to the one place or the other.
    Jump(u16, u32, Label, Label),
    Here(Label),
}

#[derive(Default)]
struct Code {
    items: Vec<Item>,
    labels: usize,
}

/// The program that returns `snap_len` where the condition holds, and zero elsewhere.
pub(super) fn program(condition: &Condition, snap_len: u32) -> Result<Vec<Instruction>> {
    let mut code = Code::default();
    let (yes, no) = (code.label(), code.label());
    code.condition(condition, yes, no, yes);
    code.items.push(Item::Here(yes));
    code.items.push(Item::Do(Instruction::new(bpf::RET, snap_len)));
    code.items.push(Item::Here(no));
    code.items.push(Item::Do(Instruction::new(bpf::RET, 0)));
    let program = code.assemble();
    if program.len() > MAX_INSTRUCTIONS {
        return Err(PcapFilterError { span: 0..0, cause: Cause::TooLong });
    }
    Ok(program)
}

impl Code {
    fn label(&mut self) -> Label {
        self.labels += 1;
        self.labels - 1
    }

    /// Code that goes on at `yes` or at `no`; `next` is the one that will stand behind it.
    fn condition(&mut self, condition: &Condition, yes: Label, no: Label, next: Label) {
        match condition {
            Condition::Always => self.go(yes, next),
            Condition::Never => self.go(no, next),
            Condition::Not(inner) => self.condition(inner, no, yes, next),
            Condition::Jump(steps, code, k) => {
                self.items.extend(steps.iter().copied().map(Item::Do));
                self.items.push(Item::Jump(*code, *k, yes, no));
            }
            Condition::All(parts) => self.each(parts, yes, no, next, true),
            Condition::Any(parts) => self.each(parts, yes, no, next, false),
        }
    }

    /// All parts must hold, or any one.
    fn each(&mut self, parts: &[Condition], yes: Label, no: Label, next: Label, all: bool) {
        let Some((last, others)) = parts.split_last() else {
            return self.go(if all { yes } else { no }, next);
        };
        for part in others {
            let here = self.label();
            let (yes, no) = if all { (here, no) } else { (yes, here) };
            self.condition(part, yes, no, here);
            self.items.push(Item::Here(here));
        }
        self.condition(last, yes, no, next);
    }

    fn go(&mut self, to: Label, next: Label) {
        if to != next {
            self.items.push(Item::Jump(bpf::JA, 0, to, to));
        }
    }

    /// Builds the program from its end: all jumps go forward, so that how far is known.
    fn assemble(&self) -> Vec<Instruction> {
        let mut places = vec![0; self.labels];
        let mut reversed: Vec<Instruction> = Vec::new();
        for item in self.items.iter().rev() {
            match *item {
                Item::Here(label) => places[label] = reversed.len(),
                Item::Do(instruction) => reversed.push(instruction),
                Item::Jump(bpf::JA, _, to, _) => {
                    let far = (reversed.len() - places[to]) as u32;
                    reversed.push(Instruction::new(bpf::JMP | bpf::JA, far));
                }
                Item::Jump(code, k, yes, no) => {
                    // A long jump needs one more instruction, which the test jumps to.
                    let jf = step(&mut reversed, places[no], 1);
                    let behind = reversed.len();
                    let jt = step(&mut reversed, places[yes], 0);
                    let jf = jf + (reversed.len() - behind) as u8;
                    reversed.push(Instruction { code: bpf::JMP | code, jt, jf, k });
                }
            }
        }
        reversed.reverse();
        reversed
    }
}

/// How far a test jumps to get to `place`, with `more` instructions yet to come between.
fn step(reversed: &mut Vec<Instruction>, place: usize, more: usize) -> u8 {
    let far = reversed.len() - place;
    if far + more <= usize::from(u8::MAX) {
        return far as u8;
    }
    reversed.push(Instruction::new(bpf::JMP | bpf::JA, far as u32));
    0
}
