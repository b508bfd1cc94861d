//! The table as Parquet: the columns of the CSV with a type each, its empty cells as nulls. Equal rows give equal bytes: a
//! file holds no time, and of who wrote it only the version of the crate, by which readers know a writer's faults. It must
//! never have a column or value that the CSV has not.
//!
//! Nothing is compressed: each value of a column is written once, which makes a fifth of the CSV out of 2,600 points; Snappy
//! would save another fifth of that, and cost a crate.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::results::Figure;
use crate::row::Row;
use crate::table::{Cell, Kind, cells, columns};
use crate::value::Value;

/// Rows that are written at a time: bounds the memory that this takes beside the file's.
const GROUP_ROWS: usize = 1 << 16;
/// The level of a cell without a value.
const NULL: i16 = 0;
/// The level of a cell with one.
const PRESENT: i16 = 1;

/// The file.
///
/// # Panics
/// When a row has other axes than these.
pub fn bytes(axes: &[String], rows: &[Row]) -> Vec<u8> {
    written(axes, rows).expect("columns have names, and memory takes what is written")
}

fn written(axes: &[String], rows: &[Row]) -> Result<Vec<u8>, ParquetError> {
    let columns = columns(axes, rows);
    let fields = columns.iter().map(|(name, kind)| field(name, *kind)).collect::<Result<_, _>>()?;
    let schema = Type::group_type_builder("points").with_fields(fields).build()?;
    let properties = WriterProperties::builder().build();
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    for rows in rows.chunks(GROUP_ROWS) {
        let rows: Vec<Vec<Cell<'_>>> = rows.iter().map(cells).collect();
        let mut group = file.next_row_group()?;
        for (place, (_, kind)) in columns.iter().enumerate() {
            write_column(&mut group, *kind, rows.iter().map(|row| &row[place]))?;
        }
        group.close()?;
    }
    file.into_inner()
}

fn field(name: &str, kind: Kind) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match kind {
        Kind::Flag => (Physical::BOOLEAN, None),
        Kind::Count => (Physical::INT64, Some(LogicalType::integer(64, false))),
        Kind::Whole => (Physical::INT64, Some(LogicalType::integer(64, true))),
        Kind::Measure => (Physical::DOUBLE, None),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let builder = Type::primitive_type_builder(name, physical).with_logical_type(logical);
    builder.with_repetition(Repetition::OPTIONAL).build().map(Arc::new)
}

fn write_column<'c>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    kind: Kind,
    cells: impl Iterator<Item = &'c Cell<'c>>,
) -> Result<(), ParquetError> {
    match kind {
        Kind::Flag => write_values::<BoolType>(group, cells, |cell| {
            if let Cell::Flag(flag) | Cell::Value(Value::Flag(flag)) = cell { Some(*flag) } else { None }
        }),
        Kind::Count => write_values::<Int64Type>(group, cells, |cell| {
            // Numbers without a sign have the place of those with one.
            if let Cell::Count(n) | Cell::Figure(Figure::Count(n)) = cell { Some(n.cast_signed()) } else { None }
        }),
        Kind::Whole => write_values::<Int64Type>(group, cells, |cell| {
            if let Cell::Value(Value::Whole(number)) = cell { Some(*number) } else { None }
        }),
        Kind::Measure => write_values::<DoubleType>(group, cells, |cell| {
            if let Cell::Figure(Figure::Measure(measure)) = cell {
                Some(*measure)
            } else if let Cell::Value(value) = cell {
                value.number()
            } else {
                None
            }
        }),
        Kind::Text => write_values::<ByteArrayType>(group, cells, |cell| Some(cell.to_string().into_bytes().into())),
    }
}

fn write_values<'c, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    cells: impl Iterator<Item = &'c Cell<'c>>,
    value: impl Fn(&Cell<'_>) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    for cell in cells {
        if *cell == Cell::Empty {
            levels.push(NULL);
        } else {
            levels.push(PRESENT);
            values.push(value(cell).unwrap_or_else(|| panic!("{cell:?} in a column of another type")));
        }
    }
    let mut column = group.next_column()?.expect("a column for each of the schema");
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}
