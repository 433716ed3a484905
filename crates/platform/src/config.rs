//! Configuration in layers: defaults, then a TOML file, then `KINORA_*` from the environment, then flags; the later wins.
//! What is wrong is named: the key, the value, and where it came from.

use std::{collections::HashMap, path::Path};

use anyhow::Context as _;
use config::{Config, Environment, File, FileFormat};
use serde::{Serialize, de::DeserializeOwned};

/// Where the layers come from.
#[derive(Debug, Default)]
pub struct Layers<'a> {
    /// A TOML file. Given means that it must exist.
    pub file: Option<&'a Path>,
    /// The environment: `KINORA_STREAMING__WORKERS=2` sets `streaming.workers`. Names without the prefix are ignored.
    pub environment: HashMap<String, String>,
    /// Flags: key, value.
    pub overrides: Vec<(String, String)>,
}

impl<'a> Layers<'a> {
    /// The process's own environment, and a file if there is one.
    pub fn from_process(file: Option<&'a Path>) -> Self {
        Self {
            file,
            environment: std::env::vars().collect(),
            overrides: Vec::new(),
        }
    }
}

/// Loads a `T`, whose `Default` is the lowest layer. Give `T` `#[serde(deny_unknown_fields)]`, so that a misspelt key is an error.
pub fn load<T: Default + Serialize + DeserializeOwned>(layers: Layers<'_>) -> anyhow::Result<T> {
    let defaults = toml::to_string(&T::default()).context("writing out the default configuration")?;
    let mut builder = Config::builder().add_source(File::from_str(&defaults, FileFormat::Toml));
    if let Some(path) = layers.file {
        builder = builder.add_source(File::from(path).format(FileFormat::Toml).required(true));
    }
    // Values stay text until a field asks for a number: a password such as 1e5 must not become 100000.
    let environment = Environment::with_prefix("KINORA").prefix_separator("_").separator("__");
    builder = builder.add_source(environment.source(Some(layers.environment)));
    for (key, value) in layers.overrides {
        builder = builder
            .set_override(&key, value)
            .with_context(|| format!("setting {key}"))?;
    }
    let merged = builder.build().context("reading the configuration")?;
    merged.try_deserialize().context("the configuration is not valid")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        listen: String,
        streaming: Streaming,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Streaming {
        workers: u32,
        ladder: Vec<u32>,
    }

    impl Default for Sample {
        fn default() -> Self {
            Self {
                listen: "127.0.0.1:8080".into(),
                streaming: Streaming::default(),
            }
        }
    }

    impl Default for Streaming {
        fn default() -> Self {
            Self {
                workers: 1,
                ladder: vec![1080, 720],
            }
        }
    }

    fn layers<'a>(file: Option<&'a Path>, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Layers<'a> {
        let owned = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect::<Vec<_>>()
        };
        Layers {
            file,
            environment: owned(environment).into_iter().collect(),
            overrides: owned(flags),
        }
    }

    fn failure(layers: Layers<'_>) -> String {
        load::<Sample>(layers).map_or_else(|error| format!("{error:#}"), |sample| panic!("accepted: {sample:?}"))
    }

    #[test]
    fn the_later_layer_wins() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kinora.toml");
        std::fs::write(&file, "listen = \"a\"\n[streaming]\nworkers = 2\n").unwrap();

        assert_eq!(load::<Sample>(layers(None, &[], &[])).unwrap(), Sample::default());
        let sample: Sample = load(layers(Some(&file), &[], &[])).unwrap();
        assert_eq!((sample.listen.as_str(), sample.streaming.workers), ("a", 2));
        let environment = [
            ("KINORA_STREAMING__WORKERS", "3"),
            ("KINORA_LISTEN", "b"),
            ("PATH", "/bin"),
        ];
        let sample: Sample = load(layers(Some(&file), &environment, &[("listen", "c")])).unwrap();
        assert_eq!((sample.listen.as_str(), sample.streaming.workers), ("c", 3));
        assert_eq!(sample.streaming.ladder, [1080, 720]);
    }

    #[test]
    fn text_that_looks_like_a_number_stays_as_it_is() {
        let sample: Sample = load(layers(None, &[("KINORA_LISTEN", "1e5")], &[])).unwrap();
        assert_eq!(sample.listen, "1e5");
    }

    #[test]
    fn the_wrong_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kinora.toml");
        std::fs::write(&file, "[streaming]\nworkers = \"many\"\n").unwrap();
        let text = failure(layers(Some(&file), &[], &[]));
        assert!(
            text.contains("streaming.workers") && text.contains("many") && text.contains("kinora.toml"),
            "{text}"
        );

        let text = failure(layers(None, &[("KINORA_STREAMING__WROKERS", "3")], &[]));
        assert!(text.contains("wrokers"), "{text}");

        std::fs::write(&file, "listen = \n").unwrap();
        let text = failure(layers(Some(&file), &[], &[]));
        assert!(text.contains("kinora.toml"), "{text}");

        let text = failure(layers(Some(Path::new("/nowhere/kinora.toml")), &[], &[]));
        assert!(text.contains("/nowhere/kinora.toml"), "{text}");
    }
}
