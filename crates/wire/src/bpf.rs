//! Classic BPF: the instructions in which a kernel is told what packets to hand out, and a
//! machine that runs them.
//!
//! The machine is for tests, and for systems whose kernels take no programs. It does what
//! Linux's does, also where a program is wrong: what cannot be loaded ends the run with no
//! match.

/// Loads into the accumulator.
pub const LD: u16 = 0x00;
/// Loads into the index register.
pub const LDX: u16 = 0x01;
/// Stores the accumulator.
pub const ST: u16 = 0x02;
/// Stores the index register.
pub const STX: u16 = 0x03;
/// Calculates.
pub const ALU: u16 = 0x04;
/// Jumps, always forward.
pub const JMP: u16 = 0x05;
/// Ends the run.
pub const RET: u16 = 0x06;
/// Moves between the registers.
pub const MISC: u16 = 0x07;

/// Of a load: four bytes.
pub const W: u16 = 0x00;
/// Of a load: two bytes.
pub const H: u16 = 0x08;
/// Of a load: one byte.
pub const B: u16 = 0x10;

/// The constant itself.
pub const IMM: u16 = 0x00;
/// The packet's bytes at the constant.
pub const ABS: u16 = 0x20;
/// The packet's bytes at index register plus constant.
pub const IND: u16 = 0x40;
/// A word of scratch memory.
pub const MEM: u16 = 0x60;
/// The packet's length.
pub const LEN: u16 = 0x80;
/// Four times the lower half of a byte: the length of IPv4's header.
pub const MSH: u16 = 0xa0;

/// Addition.
pub const ADD: u16 = 0x00;
/// Subtraction.
pub const SUB: u16 = 0x10;
/// Multiplication.
pub const MUL: u16 = 0x20;
/// Division.
pub const DIV: u16 = 0x30;
/// Or, bit by bit.
pub const OR: u16 = 0x40;
/// And, bit by bit.
pub const AND: u16 = 0x50;
/// Shift to the left.
pub const LSH: u16 = 0x60;
/// Shift to the right.
pub const RSH: u16 = 0x70;
/// The remainder.
pub const MOD: u16 = 0x90;
/// Either or, bit by bit.
pub const XOR: u16 = 0xa0;

/// Jumps in any case.
pub const JA: u16 = 0x00;
/// If equal.
pub const JEQ: u16 = 0x10;
/// If greater.
pub const JGT: u16 = 0x20;
/// If greater or equal.
pub const JGE: u16 = 0x30;
/// If some of these bits are set.
pub const JSET: u16 = 0x40;

/// The second operand is the index register, not the constant.
pub const X: u16 = 0x08;
/// Of a return: the accumulator.
pub const A: u16 = 0x10;
/// Index register from accumulator.
pub const TAX: u16 = 0x00;
/// Accumulator from index register.
pub const TXA: u16 = 0x80;

/// Words of scratch memory.
pub const MEMORY: usize = 16;
/// From here on, offsets are Linux's names of what it knows of a packet beside its bytes.
pub const ANCILLARY: u32 = -0x1000_i32 as u32;
/// Whether the packet is to us (0), from us (4) and so on.
pub const PACKET_TYPE: u32 = ANCILLARY + 4;
/// The VLAN tag that was taken out of the frame.
pub const VLAN_TAG: u32 = ANCILLARY + 44;
/// Whether one was.
pub const VLAN_TAG_PRESENT: u32 = ANCILLARY + 48;
/// Linux takes no longer programs.
pub const MAX_INSTRUCTIONS: usize = 4096;

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// Instructions to pass over if a test holds.
    pub jt: u8,
    /// The same if it does not.
    pub jf: u8,
    /// The constant.
    pub k: u32,
}

impl Instruction {
    /// An instruction that is no jump.
    #[must_use]
    pub const fn new(code: u16, k: u32) -> Self {
        Self { code, jt: 0, jf: 0, k }
    }
}

/// A packet as a kernel sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// Its bytes, or as many as there are.
    pub bytes: &'a [u8],
    /// How many it had.
    pub len: u32,
    /// The VLAN tag that was taken out of it.
    pub tag: Option<u16>,
    /// Whether it is to us (0), from us (4) and so on.
    pub kind: u8,
}

/// Runs a program on a packet: how many bytes of it are wanted, zero if none.
#[must_use]
pub fn run(program: &[Instruction], packet: &Seen<'_>) -> u32 {
    Machine { packet, a: 0, x: 0, memory: [0; MEMORY] }.run(program).unwrap_or(0)
}

struct Machine<'a> {
    packet: &'a Seen<'a>,
    a: u32,
    x: u32,
    memory: [u32; MEMORY],
}

impl Machine<'_> {
    /// Jumps go forward only, so that every program ends.
    fn run(&mut self, program: &[Instruction]) -> Option<u32> {
        let mut at = 0;
        loop {
            let step = program.get(at)?;
            at += 1;
            match step.code & 7 {
                LD => self.a = self.load(step)?,
                LDX => self.x = self.load(step)?,
                ST => *self.memory.get_mut(step.k as usize)? = self.a,
                STX => *self.memory.get_mut(step.k as usize)? = self.x,
                ALU => self.a = self.calculate(step)?,
                JMP => at += self.jump(step)?,
                RET if step.code & 0x18 == A => return Some(self.a),
                RET => return Some(step.k),
                _ if step.code & TXA != 0 => self.a = self.x,
                _ => self.x = self.a,
            }
        }
    }

    fn load(&self, step: &Instruction) -> Option<u32> {
        match step.code & 0xe0 {
            IMM => Some(step.k),
            ABS => self.bytes(step.code & 0x18, step.k),
            IND => self.bytes(step.code & 0x18, self.x.checked_add(step.k)?),
            MEM => self.memory.get(step.k as usize).copied(),
            LEN => Some(self.packet.len),
            _ => self.bytes(B, step.k).map(|byte| (byte & 0xf) << 2),
        }
    }

    fn bytes(&self, size: u16, at: u32) -> Option<u32> {
        match at {
            PACKET_TYPE => return Some(self.packet.kind.into()),
            VLAN_TAG => return Some(self.packet.tag.unwrap_or(0).into()),
            VLAN_TAG_PRESENT => return Some(self.packet.tag.is_some().into()),
            _ => {}
        }
        let rest = self.packet.bytes.get(at as usize..)?;
        match size {
            W => rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)),
            H => rest.first_chunk().map(|bytes| u16::from_be_bytes(*bytes).into()),
            _ => rest.first().map(|byte| u32::from(*byte)),
        }
    }

    fn operand(&self, step: &Instruction) -> u32 {
        if step.code & X != 0 { self.x } else { step.k }
    }

    fn calculate(&self, step: &Instruction) -> Option<u32> {
        let (a, b) = (self.a, self.operand(step));
        Some(match step.code & 0xf0 {
            ADD => a.wrapping_add(b),
            SUB => a.wrapping_sub(b),
            MUL => a.wrapping_mul(b),
            DIV => a.checked_div(b)?,
            MOD => a.checked_rem(b)?,
            OR => a | b,
            AND => a & b,
            XOR => a ^ b,
            LSH => a.checked_shl(b).unwrap_or(0),
            RSH => a.checked_shr(b).unwrap_or(0),
            _ => a.wrapping_neg(),
        })
    }

    fn jump(&self, step: &Instruction) -> Option<usize> {
        let (a, b) = (self.a, self.operand(step));
        let holds = match step.code & 0xf0 {
            JA => return Some(step.k as usize),
            JEQ => a == b,
            JGT => a > b,
            JGE => a >= b,
            JSET => a & b != 0,
            _ => return None,
        };
        Some(if holds { step.jt } else { step.jf }.into())
    }
}
