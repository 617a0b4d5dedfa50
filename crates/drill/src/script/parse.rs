//! Options, commands and events: the script as a whole.

use std::collections::HashMap;

use super::cursor::{Cursor, Result};
use super::lex::{self, Kind};
use super::{Action, Command, Direction, Event, Script, ScriptError, Setting, When};

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// If it is not in the language.
    pub fn parse(source: &str) -> std::result::Result<Self, ScriptError> {
        Self::parse_with(source, &[])
    }

    /// Reads a script in which each of `symbols` stands for its value: a number, a word, a
    /// `"string"` or a `` `command` ``.
    ///
    /// # Errors
    /// If it is not in the language.
    pub fn parse_with(
        source: &str,
        symbols: &[(String, String)],
    ) -> std::result::Result<Self, ScriptError> {
        let mut cursor = Cursor { source, tokens: lex::tokens(source)?, at: 0 };
        let settings = cursor.settings()?;
        let inside = settings.iter().filter(|setting| setting.name == "define");
        let pairs = inside.filter_map(|setting| setting.value.as_deref()?.split_once('='));
        let mut defined: HashMap<String, String> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        defined.extend(symbols.iter().cloned());
        let at = cursor.at;
        lex::substitute(&mut cursor.tokens[at..], &defined);
        let init = cursor.command();
        let (mut events, mut cleanup) = (Vec::new(), None);
        while *cursor.kind() != Kind::End {
            match cursor.command() {
                Some(command) if *cursor.kind() == Kind::End => cleanup = Some(command),
                Some(_) => return cursor.expected("the end: only a last command has no time"),
                None => events.push(cursor.event(events.is_empty())?),
            }
        }
        if events.is_empty() {
            return cursor.expected("an event");
        }
        Ok(Self { settings, init, events, cleanup })
    }
}

impl Cursor<'_> {
    fn settings(&mut self) -> Result<Vec<Setting>> {
        let mut settings = Vec::new();
        while let Kind::Option(name) = self.kind() {
            let (name, line) = (name.clone(), self.line());
            self.advance();
            let value = if self.eat_sign('=') { Some(self.setting_value()?) } else { None };
            settings.push(Setting { line, name, value });
        }
        Ok(settings)
    }

    fn setting_value(&mut self) -> Result<String> {
        let mut value = match self.kind() {
            Kind::Text(text) => text.clone(),
            Kind::Word(_) | Kind::Int(_) | Kind::Hex(_) | Kind::Float(_) | Kind::Address(_) => {
                self.text().to_owned()
            }
            _ => return self.expected("a value"),
        };
        self.advance();
        // Words with dashes and slashes between them are one value, as is `NAME="text"`.
        while self.tokens[self.at - 1].span.end == self.token().span.start
            && *self.kind() != Kind::End
        {
            value += self.text();
            self.advance();
        }
        Ok(value)
    }

    fn command(&mut self) -> Option<Command> {
        let Kind::Command(text) = self.kind() else { return None };
        let command = Command { line: self.line(), text: text.clone() };
        self.advance();
        Some(command)
    }

    fn event(&mut self, first: bool) -> Result<Event> {
        let (line, start) = (self.line(), self.token().span.start);
        let when = self.when()?;
        let action = self.action()?;
        let free = matches!(when, When::Any | When::Between(..) | When::AfterBetween(..));
        let out = matches!(&action, Action::Packet(p) if p.direction == Direction::Out);
        if free && !out {
            return self.fail_at(start, "only a packet that is sent may have a free time");
        }
        let zero = matches!(when, When::At(t) | When::After(t) if t.is_zero());
        if first && !zero {
            return self.fail_at(start, "the first event must be at time 0");
        }
        Ok(Event { line, when, action })
    }

    fn when(&mut self) -> Result<When> {
        if self.eat_sign('*') {
            return Ok(When::Any);
        }
        let start = self.token().span.start;
        let relative = self.eat_sign('+');
        let from = self.time()?;
        if !self.eat_sign('~') {
            return Ok(if relative { When::After(from) } else { When::At(from) });
        }
        if relative {
            self.sign('+')?;
        }
        let to = self.time()?;
        if to < from {
            return self.fail_at(start, "this range of times goes backwards");
        }
        Ok(if relative { When::AfterBetween(from, to) } else { When::Between(from, to) })
    }

    fn action(&mut self) -> Result<Action> {
        match self.kind().clone() {
            Kind::Command(text) => {
                self.advance();
                Ok(Action::Command(text))
            }
            Kind::Code(text) => {
                self.advance();
                Ok(Action::Code(text))
            }
            Kind::Sign('<' | '>') => self.packet().map(Action::Packet),
            Kind::Ellipsis | Kind::Word(_) => self.call().map(Action::Call),
            _ => self.expected("a packet (`<` or `>`), a system call, a command or a snippet"),
        }
    }
}
