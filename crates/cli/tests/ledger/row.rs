//! A row of `docs/requirements.csv`.

/// How we stand to a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Met, and tests show it.
    Met,
    /// Not met, on purpose.
    Deviates,
    /// It asks nothing of us.
    NotApplicable,
    /// Not met yet.
    Open,
}

impl Status {
    pub(crate) const ALL: [Self; 4] = [Self::Met, Self::Deviates, Self::NotApplicable, Self::Open];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Deviates => "deviates",
            Self::NotApplicable => "not-applicable",
            Self::Open => "open",
        }
    }
}

/// One requirement.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) rfc: u32,
    pub(crate) section: String,
    pub(crate) level: String,
    pub(crate) statement: String,
    pub(crate) status: Status,
    pub(crate) reason: String,
}

pub(crate) const LEVELS: [&str; 5] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"];

/// The fields of one line of CSV; no field holds a line break.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let field = fields.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    assert!(!quoted, "a quote is left open: {line}");
    fields
}

/// Reads the whole ledger.
pub(crate) fn read(text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("id,rfc,section,level,area,statement,status,reason"));
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let fields = fields(line);
    let Ok([id, rfc, section, level, _area, statement, status, reason]) =
        <[String; 8]>::try_from(fields)
    else {
        panic!("not eight fields: {line}")
    };
    let status = Status::ALL.into_iter().find(|s| s.name() == status);
    assert!(LEVELS.contains(&level.as_str()), "{id}: level {level:?}");
    Row {
        rfc: rfc.parse().unwrap(),
        status: status.unwrap_or_else(|| panic!("what status is that? {line}")),
        id,
        section,
        level,
        statement,
        reason,
    }
}
