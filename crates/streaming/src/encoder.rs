//! What encodes pictures here: software, or the hardware that an operator asked for, once it has been seen to work.

use std::path::Path;

use platform::jobs::Failure;

use crate::{
    config::Encryption,
    encode::{
        hardware::{self, Encoder, TriedEncoder},
        plan::Plan,
        sandbox::Sandbox,
    },
    room::Room,
};

impl Room {
    /// For a film that is planned here; every part of it is encoded so.
    pub(crate) async fn choose_encoder(&self, plan: &mut Plan) -> Result<(), Failure> {
        match self.tried_encoder().await? {
            TriedEncoder::Software => {}
            TriedEncoder::Works(hardware) => plan.hardware = Some(*hardware),
            TriedEncoder::Fails(hardware, _) => plan.notes.push(format!(
                "Encoded by software: {}, which is set, does not work on this server. `kinora doctor` says why.",
                hardware.name()
            )),
        }
        Ok(())
    }

    /// Once, at a worker's start.
    pub(crate) async fn say_encoder(&self) {
        if self.config.encoder != Encoder::Software && self.config.encryption != Encryption::Off {
            tracing::warn!(
                "videos are stored encrypted, so films are encoded by software; the encoder that is set is not used"
            );
        }
        match self.tried_encoder().await {
            Ok(TriedEncoder::Software) => {}
            Ok(TriedEncoder::Works(hardware)) => {
                tracing::info!(encoder = hardware.name(), "films are encoded by hardware")
            }
            Ok(TriedEncoder::Fails(hardware, words)) => {
                tracing::warn!(
                    encoder = hardware.name(),
                    words,
                    "does not work here; films are encoded by software"
                );
            }
            Err(failure) => tracing::warn!(failure = failure.text, "encoders in hardware cannot be tried"),
        }
    }

    async fn tried_encoder(&self) -> Result<&TriedEncoder, Failure> {
        let try_out = async || {
            // A part done again must be the same bytes where it is encrypted with the same key and vector: hardware promises no such thing.
            if self.config.encoder == Encoder::Software || self.config.encryption != Encryption::Off {
                return Ok(TriedEncoder::Software);
            }
            let folder = self.work_dir(&format!("encoder-{}", self.inputs.id::<i64>()))?;
            hardware::try_out(&self.sandbox, self.config.encoder, folder.path()).await
        };
        self.tried_encoder.get_or_try_init(try_out).await
    }
}

/// What an operator would like to know of an encoder: that it works, or why not. Writes into `folder`, which is empty.
pub async fn try_encoder(encoder: Encoder, folder: &Path) -> Result<String, String> {
    match hardware::try_out(&Sandbox::default(), encoder, folder).await {
        Ok(TriedEncoder::Software) if encoder == Encoder::Auto => Ok("no hardware here encodes; software does".into()),
        Ok(TriedEncoder::Software) => Ok("software".into()),
        Ok(TriedEncoder::Works(hardware)) => Ok(format!("{} works", hardware.name())),
        Ok(TriedEncoder::Fails(hardware, words)) => Err(format!(
            "{} does not work here, so films are encoded by software: {words}",
            hardware.name()
        )),
        Err(failure) => Err(failure.text),
    }
}
