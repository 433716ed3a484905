//! Models as bytes: safetensors with one JSON metadata entry, checked on the way in.

use crate::error::{RecoError, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;

/// The single metadata key; one key keeps the bytes independent of hash order.
const METADATA_KEY: &str = "reco";
/// Version of the layout of all artefacts of this crate.
pub const FORMAT: u32 = 3;

/// Collects tensors and writes them.
#[derive(Default)]
pub struct TensorWriter {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

#[derive(Serialize, serde::Deserialize)]
struct Envelope<T> {
    format: u32,
    model: String,
    settings: T,
}

impl TensorWriter {
    /// Adds a vector of f32.
    pub fn f32(&mut self, name: &str, values: &[f32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.push(name, Dtype::F32, values.len(), bytes);
    }

    /// Adds a vector of u32.
    pub fn u32(&mut self, name: &str, values: &[u32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.push(name, Dtype::U32, values.len(), bytes);
    }

    /// Adds a vector of i64.
    pub fn i64(&mut self, name: &str, values: &[i64]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.push(name, Dtype::I64, values.len(), bytes);
    }

    /// Adds raw bytes.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.push(name, Dtype::U8, bytes.len(), bytes.to_vec());
    }

    fn push(&mut self, name: &str, dtype: Dtype, len: usize, bytes: Vec<u8>) {
        self.tensors.push((name.to_owned(), dtype, vec![len], bytes));
    }

    /// The file: all tensors and the model's name and settings. Same input, same bytes.
    pub fn finish<T: Serialize>(self, model: &str, settings: &T) -> Result<Vec<u8>> {
        let failed = |reason: String| RecoError::artefact(model, reason);
        let envelope = Envelope {
            format: FORMAT,
            model: model.to_owned(),
            settings,
        };
        let json = serde_json::to_string(&envelope).map_err(|e| failed(e.to_string()))?;
        let mut views = Vec::with_capacity(self.tensors.len());
        for (name, dtype, shape, bytes) in &self.tensors {
            let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| failed(format!("{name}: {e}")))?;
            views.push((name.as_str(), view));
        }
        let metadata = HashMap::from([(METADATA_KEY.to_owned(), json)]);
        serialize(views, Some(metadata)).map_err(|e| failed(e.to_string()))
    }
}

/// Reads tensors and refuses what does not fit.
pub struct TensorReader<'a> {
    part: String,
    tensors: SafeTensors<'a>,
    metadata: String,
}

impl<'a> TensorReader<'a> {
    /// Parses the file; `part` names it in errors. Cut-short bytes are refused here.
    pub fn new(part: &str, bytes: &'a [u8]) -> Result<Self> {
        let unreadable = |e: safetensors::SafeTensorError| RecoError::artefact(part, format!("unreadable: {e}"));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let metadata = header
            .metadata()
            .as_ref()
            .and_then(|m| m.get(METADATA_KEY))
            .cloned()
            .ok_or_else(|| RecoError::artefact(part, "not written by this program"))?;
        Ok(Self {
            part: part.to_owned(),
            tensors: SafeTensors::deserialize(bytes).map_err(unreadable)?,
            metadata,
        })
    }

    /// The model's name.
    pub fn model(&self) -> Result<String> {
        Ok(self.envelope::<serde_json::Value>()?.model)
    }

    /// The settings of `model`; refuses another model's file and another format.
    pub fn settings<T: DeserializeOwned>(&self, model: &str) -> Result<T> {
        let envelope = self.envelope::<T>()?;
        if envelope.format != FORMAT {
            return Err(self.error(format!("format {} instead of {FORMAT}", envelope.format)));
        }
        if envelope.model != model {
            return Err(self.error(format!("holds {:?} instead of {model:?}", envelope.model)));
        }
        Ok(envelope.settings)
    }

    fn envelope<T: DeserializeOwned>(&self) -> Result<Envelope<T>> {
        serde_json::from_str(&self.metadata).map_err(|e| self.error(format!("settings: {e}")))
    }

    /// An error about this file.
    pub fn error(&self, reason: impl Into<String>) -> RecoError {
        RecoError::artefact(&self.part, reason)
    }

    /// f32 values, exactly `len`, all finite.
    pub fn f32(&self, name: &str, len: usize) -> Result<Vec<f32>> {
        self.checked_len(name, len, self.f32_any(name)?)
    }

    /// f32 values of any length, all finite.
    pub fn f32_any(&self, name: &str) -> Result<Vec<f32>> {
        let values: Vec<f32> = self
            .raw(name, Dtype::F32)?
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(self.error(format!("{name}[{at}] is {}", values[at]))),
            None => Ok(values),
        }
    }

    /// u32 values, exactly `len`.
    pub fn u32(&self, name: &str, len: usize) -> Result<Vec<u32>> {
        self.checked_len(name, len, self.u32_any(name)?)
    }

    /// u32 values of any length.
    pub fn u32_any(&self, name: &str) -> Result<Vec<u32>> {
        Ok(self
            .raw(name, Dtype::U32)?
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect())
    }

    /// i64 values of any length.
    pub fn i64_any(&self, name: &str) -> Result<Vec<i64>> {
        Ok(self
            .raw(name, Dtype::I64)?
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
            .collect())
    }

    /// Raw bytes.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        Ok(self.raw(name, Dtype::U8)?.to_vec())
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    fn checked_len<T>(&self, name: &str, len: usize, values: Vec<T>) -> Result<Vec<T>> {
        if values.len() == len {
            return Ok(values);
        }
        Err(self.error(format!("{name} has {} values, not {len}", values.len())))
    }

    fn raw(&self, name: &str, dtype: Dtype) -> Result<&[u8]> {
        let view = self
            .tensors
            .tensor(name)
            .map_err(|_| self.error(format!("tensor {name} is missing")))?;
        if view.dtype() != dtype {
            return Err(self.error(format!("{name} is {:?}, not {dtype:?}", view.dtype())));
        }
        Ok(view.data())
    }
}
