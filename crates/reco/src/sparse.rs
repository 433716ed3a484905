//! A square item × item matrix by rows, as sparse as its values.

use crate::codec::{TensorReader, TensorWriter};
use crate::error::{RecoError, Result};

/// Compressed rows of an `items × items` matrix, f32 values, columns ascending within a row.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SparseMatrix {
    offsets: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl SparseMatrix {
    /// From rows of `(column, value)`, columns ascending.
    pub fn from_rows(rows: &[Vec<(u32, f32)>]) -> Self {
        Self::from_slices(rows.iter().map(Vec::as_slice))
    }

    /// The same from rows wherever they lie.
    pub fn from_slices<'a>(rows: impl Iterator<Item = &'a [(u32, f32)]> + Clone) -> Self {
        let total = rows.clone().map(<[_]>::len).sum();
        let mut matrix = Self {
            offsets: Vec::new(),
            columns: Vec::with_capacity(total),
            values: Vec::with_capacity(total),
        };
        matrix.offsets.push(0);
        for row in rows {
            matrix.columns.extend(row.iter().map(|c| c.0));
            matrix.values.extend(row.iter().map(|c| c.1));
            matrix.offsets.push(matrix.columns.len() as u32);
        }
        matrix
    }

    /// From a full square over some of the titles (ascending), row-major; the other titles have neither rows nor columns.
    pub fn square(items: usize, titles: &[u32], values: Vec<f32>) -> Self {
        let mut offsets = vec![0u32; items + 1];
        for &title in titles {
            offsets[title as usize + 1] = titles.len() as u32;
        }
        for index in 0..items {
            offsets[index + 1] += offsets[index];
        }
        Self {
            offsets,
            columns: titles.repeat(titles.len()),
            values,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Number of stored values.
    pub fn stored(&self) -> usize {
        self.values.len()
    }

    /// Columns and values of a row; empty outside the index.
    #[inline]
    pub fn row(&self, row: u32) -> (&[u32], &[f32]) {
        let row = row as usize;
        if row >= self.rows() {
            return (&[], &[]);
        }
        let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        (&self.columns[range.clone()], &self.values[range])
    }

    /// `out += weight × row`.
    #[inline]
    pub fn add_row(&self, row: u32, weight: f32, out: &mut [f32]) {
        let (columns, values) = self.row(row);
        if columns.len() == out.len() {
            // A full row has its columns in order: no gather, and the compiler vectorises.
            for (sum, &value) in out.iter_mut().zip(values) {
                *sum += weight * value;
            }
            return;
        }
        for (&column, &value) in columns.iter().zip(values) {
            out[column as usize] += weight * value;
        }
    }

    /// One value, zero where nothing is stored.
    pub fn get(&self, row: u32, column: u32) -> f32 {
        let (columns, values) = self.row(row);
        columns.binary_search(&column).map_or(0.0, |at| values[at])
    }

    /// Rows become columns.
    pub fn transposed(&self) -> Self {
        let rows = self.rows();
        let mut offsets = vec![0u32; rows + 1];
        for &column in &self.columns {
            offsets[column as usize + 1] += 1;
        }
        for index in 0..rows {
            offsets[index + 1] += offsets[index];
        }
        let mut next = offsets.clone();
        let mut columns = vec![0u32; self.columns.len()];
        let mut values = vec![0f32; self.values.len()];
        for row in 0..rows as u32 {
            let (from, weights) = self.row(row);
            for (&column, &value) in from.iter().zip(weights) {
                let slot = &mut next[column as usize];
                columns[*slot as usize] = row;
                values[*slot as usize] = value;
                *slot += 1;
            }
        }
        Self {
            offsets,
            columns,
            values,
        }
    }

    /// Writes the three arrays under `prefix`.
    pub fn write(&self, prefix: &str, writer: &mut TensorWriter) {
        writer.u32(&format!("{prefix}.offsets"), &self.offsets);
        writer.u32(&format!("{prefix}.columns"), &self.columns);
        writer.f32(&format!("{prefix}.values"), &self.values);
    }

    /// Reads and checks what [`Self::write`] wrote; every column must be below `items`, every value finite.
    pub fn read(prefix: &str, reader: &TensorReader<'_>, items: usize) -> Result<Self> {
        let matrix = Self {
            offsets: reader.u32(&format!("{prefix}.offsets"), items + 1)?,
            columns: reader.u32_any(&format!("{prefix}.columns"))?,
            values: reader.f32_any(&format!("{prefix}.values"))?,
        };
        matrix.check(prefix, items)?;
        Ok(matrix)
    }

    fn check(&self, prefix: &str, items: usize) -> Result<()> {
        let stored = self.columns.len();
        if self.values.len() != stored {
            let reason = format!("{} values for {stored} columns", self.values.len());
            return Err(RecoError::artefact(prefix, reason));
        }
        let ascending = self.offsets.windows(2).all(|w| w[0] <= w[1]);
        if self.offsets[0] != 0 || !ascending || self.offsets[items] as usize != stored {
            return Err(RecoError::artefact(prefix, "row offsets do not fit the values"));
        }
        if let Some(bad) = self.columns.iter().find(|&&c| c as usize >= items) {
            let reason = format!("title index {bad} in a catalogue of {items}");
            return Err(RecoError::artefact(prefix, reason));
        }
        let sorted = (0..items as u32).all(|r| self.row(r).0.windows(2).all(|w| w[0] < w[1]));
        if !sorted {
            return Err(RecoError::artefact(prefix, "columns of a row are not ascending"));
        }
        Ok(())
    }
}
