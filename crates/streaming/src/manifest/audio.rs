//! Sound tracks as manifests group them. A player chooses a track (what is said) and gets an encoding of it (how many channels): the
//! first are members of a group, the second are groups.

use crate::{
    asset::{AssetIndex, AudioKind, AudioTrack},
    encode::language,
};

/// One thing to listen to, in every encoding that there is.
pub(super) struct Member<'a> {
    /// No two members have the same.
    pub name: String,
    pub is_default: bool,
    /// Fewest channels first.
    pub encodings: Vec<&'a AudioTrack>,
}

impl<'a> Member<'a> {
    /// The encoding that stands in the group of so many channels: the best that has no more, else the smallest.
    pub fn in_group(&self, channels: u16) -> &'a AudioTrack {
        let fitting = self.encodings.iter().rev().find(|track| track.channels <= channels);
        fitting.unwrap_or(&self.encodings[0])
    }
}

/// The default first, then as the index has them.
pub(super) fn members(index: &AssetIndex) -> Vec<Member<'_>> {
    let mut members: Vec<Member<'_>> = Vec::new();
    for track in &index.audio {
        let is_same = |member: &&mut Member<'_>| {
            let other = member.encodings[0];
            (&other.language, &other.label, other.kind) == (&track.language, &track.label, track.kind)
                && member.encodings.iter().all(|other| other.channels != track.channels)
        };
        match members.iter_mut().find(is_same) {
            Some(member) => {
                member.encodings.push(track);
                member.encodings.sort_by_key(|track| track.channels);
                member.is_default |= track.is_default;
            }
            None => members.push(Member {
                name: String::new(),
                is_default: track.is_default,
                encodings: vec![track],
            }),
        }
    }
    let default = members.iter().position(|member| member.is_default).unwrap_or(0);
    for (position, member) in members.iter_mut().enumerate() {
        member.is_default = position == default;
    }
    members.sort_by_key(|member| !member.is_default);
    for position in 0..members.len() {
        let name = unique(words(members[position].encodings[0]), |name| {
            members[..position].iter().any(|other| other.name == name)
        });
        members[position].name = name;
    }
    members
}

/// The numbers of channels, fewest first: one group each.
pub(super) fn groups(index: &AssetIndex) -> Vec<u16> {
    let mut channels: Vec<u16> = index.audio.iter().map(|track| track.channels).collect();
    channels.sort_unstable();
    channels.dedup();
    channels
}

fn words(track: &AudioTrack) -> String {
    if let Some(label) = &track.label {
        return label.clone();
    }
    let language = track.language.as_deref().map(language::name);
    match (language, track.kind) {
        (Some(language), AudioKind::Main) => language,
        (None, AudioKind::Main) => "Main".into(),
        (language, AudioKind::Commentary) => with("Commentary", language),
        (language, AudioKind::Description) => with("Audio description", language),
    }
}

fn with(what: &str, language: Option<String>) -> String {
    language.map_or_else(|| what.to_owned(), |language| format!("{language} ({what})"))
}

/// The name, or with the first number that makes it another than those taken.
pub(crate) fn unique(name: String, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(&name) {
        return name;
    }
    let mut numbered = (2..=u32::MAX).map(|number| format!("{name} {number}"));
    numbered.find(|name| !is_taken(name)).unwrap_or(name)
}
