//! Which sound tracks a source has, and which of them are kept.

use super::{AUDIO_DECODERS, Answer, Audio, Disposition, Stream, is_known};
use crate::{
    asset::{AudioKind, label},
    encode::language,
};

/// Of more sound tracks than these the rest is left out.
const SOUNDS_MAX: usize = 16;

impl Answer {
    /// The sound tracks, what the maker marked as the default first, and what is left out.
    pub(super) fn sound(&self) -> (Vec<Audio>, Vec<String>) {
        let all = || self.streams.iter().filter(|stream| stream.codec_type == "audio");
        let mut known: Vec<&Stream> = all()
            .filter(|stream| is_known(&stream.codec_name, AUDIO_DECODERS))
            .collect();
        known.sort_by_key(|stream| 1 - stream.disposition.default.min(1));
        let mut notes = Vec::new();
        let unknown = all().count() - known.len();
        if unknown > 0 {
            notes.push(format!(
                "{unknown} of {} sound tracks are coded in a way that Kinora does not decode.",
                all().count()
            ));
        }
        if known.len() > SOUNDS_MAX {
            notes.push(format!(
                "{} of {} sound tracks were left out; {SOUNDS_MAX} are kept.",
                known.len() - SOUNDS_MAX,
                all().count()
            ));
            known.truncate(SOUNDS_MAX);
        }
        let audio = |(index, stream): (usize, &&Stream)| Audio {
            stream: stream.index,
            language: stream.tags.language.as_deref().and_then(language::tag),
            label: stream.tags.title.as_deref().and_then(label),
            kind: match stream.disposition {
                Disposition { comment: 1.., .. } => AudioKind::Commentary,
                Disposition {
                    visual_impaired: 1.., ..
                }
                | Disposition { descriptions: 1.., .. } => AudioKind::Description,
                _ => AudioKind::Main,
            },
            is_default: index == 0,
            channels: stream.channels,
        };
        (known.iter().enumerate().map(audio).collect(), notes)
    }
}
