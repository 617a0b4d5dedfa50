//! Tables as Parquet.

use std::io::{self, Write};
use std::mem;
use std::sync::Arc;

use handclasp_explain::table::{Cell, Column, Kind, Table};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::Sheet;

/// Rows that are held before they are written: a group of them has all of a column together.
const ROWS: usize = 100_000;

/// A Parquet file that is being written.
pub(super) struct Parquet<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<Values>,
    rows: usize,
}

/// A column's values of the rows that are held.
struct Values {
    column: Column,
    /// One where there is a value, zero where there is none.
    levels: Vec<i16>,
    numbers: Vec<i64>,
    flags: Vec<bool>,
    texts: Vec<ByteArray>,
}

fn broken(error: parquet::errors::ParquetError) -> io::Error {
    io::Error::other(error)
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn new(out: W, table: &Table) -> io::Result<Self> {
        let fields = table.columns.iter().map(field).collect::<Result<Vec<_>, _>>();
        let schema = Type::group_type_builder(table.name).with_fields(fields.map_err(broken)?);
        let schema = Arc::new(schema.build().map_err(broken)?);
        let created = concat!("handclasp ", env!("CARGO_PKG_VERSION")).to_owned();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(created)
            .build();
        let file = SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(broken)?;
        let columns = table.columns.iter().map(|column| Values::new(*column)).collect();
        Ok(Self { file, columns, rows: 0 })
    }

    fn write_group(&mut self) -> io::Result<()> {
        if mem::take(&mut self.rows) == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group().map_err(broken)?;
        for values in &mut self.columns {
            let writer = group.next_column().map_err(broken)?;
            let mut writer = writer.ok_or_else(|| io::Error::other("a column too many"))?;
            values.write(&mut writer).map_err(broken)?;
            writer.close().map_err(broken)?;
        }
        group.close().map_err(broken)?;
        Ok(())
    }
}

fn field(column: &Column) -> Result<Arc<Type>, parquet::errors::ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Number => (Physical::INT64, None),
        Kind::Flag => (Physical::BOOLEAN, None),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let repetition = if column.optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let field = Type::primitive_type_builder(column.name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition);
    field.build().map(Arc::new)
}

impl Values {
    fn new(column: Column) -> Self {
        let (levels, numbers) = (Vec::new(), Vec::new());
        let (flags, texts) = (Vec::new(), Vec::new());
        Self { column, levels, numbers, flags, texts }
    }

    fn push(&mut self, cell: &Cell<'_>) {
        self.levels.push(i16::from(*cell != Cell::Empty));
        match cell {
            Cell::Empty => {}
            // Nothing here is beyond 2⁶³.
            Cell::Number(number) => self.numbers.push(i64::try_from(*number).unwrap_or(i64::MAX)),
            Cell::Flag(flag) => self.flags.push(*flag),
            Cell::Text(text) => self.texts.push(ByteArray::from(text.as_ref())),
        }
    }

    fn write(
        &mut self,
        writer: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), parquet::errors::ParquetError> {
        let levels = self.column.optional.then_some(&self.levels[..]);
        match self.column.kind {
            Kind::Number => {
                writer.typed::<Int64Type>().write_batch(&self.numbers, levels, None)?;
            }
            Kind::Flag => {
                writer.typed::<BoolType>().write_batch(&self.flags, levels, None)?;
            }
            Kind::Text => {
                writer.typed::<ByteArrayType>().write_batch(&self.texts, levels, None)?;
            }
        }
        self.levels.clear();
        self.numbers.clear();
        self.flags.clear();
        self.texts.clear();
        Ok(())
    }
}

impl<W: Write + Send> Sheet for Parquet<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for (values, cell) in self.columns.iter_mut().zip(cells) {
            values.push(cell);
        }
        self.rows += 1;
        if self.rows == ROWS { self.write_group() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.write_group()?;
        self.file.close().map_err(broken)?;
        Ok(())
    }
}
