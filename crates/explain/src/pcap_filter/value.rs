//! Values: packet bytes, constants, and what is calculated from them, as in C.

use handclasp_wire::bpf;

use super::lex::Token;
use super::parse::{Parser, is_zero};
use super::{Cause, Result, Value, names};

/// Operators and their operations; those of one line bind alike, later ones bind tighter.
const OPERATORS: [&[(&str, u16)]; 6] = [
    &[("|", bpf::OR)],
    &[("^", bpf::XOR)],
    &[("&", bpf::AND)],
    &[("<<", bpf::LSH), (">>", bpf::RSH)],
    &[("+", bpf::ADD), ("-", bpf::SUB)],
    &[("*", bpf::MUL), ("/", bpf::DIV), ("%", bpf::MOD)],
];

pub(super) fn value(parser: &mut Parser) -> Result<Value> {
    parser.deeper(|parser| binary(parser, 0))
}

fn binary(parser: &mut Parser, level: usize) -> Result<Value> {
    let Some(operators) = OPERATORS.get(level) else { return operand(parser) };
    let mut left = binary(parser, level + 1)?;
    loop {
        let found = match parser.token() {
            Token::Sign(sign) => operators.iter().find(|(name, _)| name == sign),
            _ => None,
        };
        let Some((_, operation)) = found else { return Ok(left) };
        parser.step();
        let right = binary(parser, level + 1)?;
        if is_zero(*operation, &right) {
            return Err(parser.wrong(Cause::Zero));
        }
        left = fold(left, *operation, right);
    }
}

/// What is known already is worked out at once.
fn fold(left: Value, operation: u16, right: Value) -> Value {
    if let (Value::Constant(a), Value::Constant(b)) = (&left, &right) {
        let program = [
            bpf::Instruction::new(bpf::LD | bpf::IMM, *a),
            bpf::Instruction::new(bpf::ALU | operation, *b),
            bpf::Instruction::new(bpf::RET | bpf::A, 0),
        ];
        return Value::Constant(bpf::run(&program, &bpf::Seen::default()));
    }
    Value::Both(Box::new(left), operation, Box::new(right))
}

fn operand(parser: &mut Parser) -> Result<Value> {
    if parser.takes("(") {
        let inner = value(parser)?;
        return match parser.takes(")") {
            true => Ok(inner),
            false => Err(parser.expected("\")\"")),
        };
    }
    if parser.takes("-") {
        let inner = operand(parser)?;
        return Ok(fold(Value::Constant(0), bpf::SUB, inner));
    }
    if let Some(protocol) = parser.takes_header() {
        return parser.deeper(|parser| parser.bytes(protocol));
    }
    if parser.takes("len") {
        return Ok(Value::Length);
    }
    let constant = parser.word().and_then(|word| names::number(word).or(names::constant(word)));
    let Some(constant) = constant else { return Err(parser.expected("a value like tcp[13]")) };
    parser.step();
    Ok(Value::Constant(constant))
}
