//! The word index (tantivy): which title has which words. It carries the catalogue's version it was made from, so that a
//! start only reads it and a stale one is rebuilt behind the scenes.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use contract::TitleId;
use tantivy::{
    DocId, IndexReader, ReloadPolicy, Score, SegmentOrdinal, SegmentReader, TantivyDocument, Term,
    collector::{Collector, SegmentCollector},
    columnar::Column,
    directory::MmapDirectory,
    schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
};

use super::query::{self, Fields};

/// Where the index is kept.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a folder: opens in milliseconds.
    Folder(PathBuf),
    /// In memory: made anew at every start.
    Memory,
}

/// What is indexed of a title.
#[derive(Debug, Clone, Default)]
pub struct Document {
    pub title: i64,
    pub name: String,
    pub original: String,
    pub people: String,
    pub genres: String,
}

/// A title that matches, and how well: the sum of what its words are worth.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub title: TitleId,
    pub score: f32,
}

/// Grows when the schema or the way words are made changes.
const FORMAT: u32 = 1;
const WRITER_BYTES: usize = 24 << 20;

pub struct Index {
    index: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
    id: Field,
    /// One writer at a time; it exists only while it writes, so that an idle server does not hold its memory.
    writing: Mutex<()>,
}

impl Index {
    /// Opens what is there; what cannot be opened is thrown away and begun anew.
    pub fn open(place: &Place) -> anyhow::Result<Self> {
        let (schema, fields, id) = schema();
        let index = match place {
            Place::Memory => tantivy::Index::create_in_ram(schema),
            Place::Folder(folder) => {
                std::fs::create_dir_all(folder)?;
                let opened = tantivy::Index::open_or_create(MmapDirectory::open(folder)?, schema.clone());
                match opened.and_then(|index| index.reader().map(|_| index)) {
                    Ok(index) => index,
                    Err(error) => {
                        tracing::warn!(%error, folder = %folder.display(), "the search index cannot be read and is made anew");
                        std::fs::remove_dir_all(folder)?;
                        std::fs::create_dir_all(folder)?;
                        tantivy::Index::open_or_create(MmapDirectory::open(folder)?, schema)?
                    }
                }
            }
        };
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self {
            index,
            reader,
            fields,
            id,
            writing: Mutex::new(()),
        })
    }

    /// The catalogue's version this was made from; `None` when it was never made, or by another program version.
    pub fn version(&self) -> Option<i64> {
        let payload = self.index.load_metas().ok()?.payload?;
        let (format, version) = payload.split_once(':')?;
        if format.parse() == Ok(FORMAT) {
            version.parse().ok()
        } else {
            None
        }
    }

    /// Replaces everything.
    pub fn rebuild(&self, documents: &[Document], version: i64) -> anyhow::Result<()> {
        self.write(version, |writer| {
            writer.delete_all_documents()?;
            documents.iter().try_for_each(|document| self.add(writer, document))
        })
    }

    /// Replaces some and removes some.
    pub fn update(&self, documents: &[Document], removed: &[TitleId], version: i64) -> anyhow::Result<()> {
        self.write(version, |writer| {
            let replaced = documents.iter().map(|document| document.title);
            for id in removed.iter().map(|id| id.0).chain(replaced) {
                writer.delete_term(Term::from_field_i64(self.id, id));
            }
            documents.iter().try_for_each(|document| self.add(writer, document))
        })
    }

    fn write(
        &self,
        version: i64,
        change: impl FnOnce(&tantivy::IndexWriter) -> tantivy::Result<()>,
    ) -> anyhow::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = self.index.writer_with_num_threads(1, WRITER_BYTES)?;
        change(&writer)?;
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&format!("{FORMAT}:{version}"));
        commit.commit()?;
        writer.wait_merging_threads()?;
        Ok(self.reader.reload()?)
    }

    fn add(&self, writer: &tantivy::IndexWriter, document: &Document) -> tantivy::Result<()> {
        let mut fields = TantivyDocument::new();
        fields.add_i64(self.id, document.title);
        fields.add_text(self.fields.name, &document.name);
        fields.add_text(self.fields.original, &document.original);
        fields.add_text(self.fields.person, &document.people);
        fields.add_text(self.fields.genre, &document.genres);
        writer.add_document(fields).map(drop)
    }

    /// Every title that has all of `words`. `open`: the last may be the beginning of one.
    pub fn find(&self, words: &[String], open: bool) -> tantivy::Result<Vec<Found>> {
        self.reader
            .searcher()
            .search(&query::build(&self.fields, words, open), &All)
    }
}

fn schema() -> (Schema, Fields, Field) {
    let mut schema = Schema::builder();
    let id = schema.add_i64_field("id", INDEXED | FAST);
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("whitespace")
        .set_fieldnorms(false);
    let text = TextOptions::default().set_indexing_options(indexing.set_index_option(IndexRecordOption::Basic));
    let fields = Fields {
        name: schema.add_text_field("name", text.clone()),
        original: schema.add_text_field("original", text.clone()),
        person: schema.add_text_field("person", text.clone()),
        genre: schema.add_text_field("genre", text),
    };
    (schema.build(), fields, id)
}

/// Collects every match with its score.
struct All;

struct AllOfSegment {
    ids: Column<i64>,
    found: Vec<Found>,
}

impl Collector for All {
    type Fruit = Vec<Found>;
    type Child = AllOfSegment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<AllOfSegment> {
        Ok(AllOfSegment {
            ids: segment.fast_fields().i64("id")?,
            found: Vec::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, fruits: Vec<Vec<Found>>) -> tantivy::Result<Vec<Found>> {
        Ok(fruits.concat())
    }
}

impl SegmentCollector for AllOfSegment {
    type Fruit = Vec<Found>;

    fn collect(&mut self, doc: DocId, score: Score) {
        if let Some(id) = self.ids.first(doc) {
            self.found.push(Found {
                title: TitleId(id),
                score,
            });
        }
    }

    fn harvest(self) -> Vec<Found> {
        self.found
    }
}
