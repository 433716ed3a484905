//! What the process says about itself: structured logs with a correlation id, and metrics in Prometheus' text format.

use std::{future::Future, io::IsTerminal as _, time::Duration};

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Instrument as _;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Readable,
    /// One JSON object a line.
    Json,
}

/// What is logged when nobody says otherwise.
pub const DEFAULT_FILTER: &str = "info,sqlx=warn,tantivy=warn,hyper=warn";

/// Starts logging to standard error. `filter` is in `RUST_LOG`'s language; an error names the directive that is wrong.
pub fn init_logs(format: LogFormat, filter: Option<&str>) -> anyhow::Result<()> {
    let colours = std::io::stderr().is_terminal();
    tracing::subscriber::set_global_default(logs(format, filter, std::io::stderr, colours)?)
        .context("logging was started before")
}

/// What writes log lines to `writer`. Every line ends in what it belongs to, such as the request with its correlation id.
pub fn logs<W>(
    format: LogFormat,
    filter: Option<&str>,
    writer: W,
    colours: bool,
) -> anyhow::Result<impl tracing::Subscriber + Send + Sync>
where
    W: for<'writer> fmt::MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter.unwrap_or(DEFAULT_FILTER)).context("the log filter is not valid")?;
    let lines = fmt::layer().with_writer(writer);
    let lines = match format {
        LogFormat::Readable => lines.with_ansi(colours).compact().boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    Ok(tracing_subscriber::registry().with(filter).with(lines))
}

/// Where `metrics::counter!` and its kin end up.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

/// Bounds of every histogram whose name ends in `_seconds`.
const SECONDS: [f64; 14] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0,
];

/// Until it is folded, every measured value is kept by itself, whether or not anybody ever asks.
const FOLD_EVERY: Duration = Duration::from_secs(5);

impl Metrics {
    /// Becomes the process's recorder. Once per process and within a runtime, where what is measured is folded into its histograms.
    pub fn install() -> anyhow::Result<Self> {
        Self::folding_every(FOLD_EVERY)
    }

    fn folding_every(period: Duration) -> anyhow::Result<Self> {
        let metrics = Self::builder()?
            .install_recorder()
            .context("a metrics recorder was installed before")?;
        let measured = metrics.clone();
        tokio::spawn(async move {
            let mut every = tokio::time::interval(period);
            loop {
                every.tick().await;
                measured.run_upkeep();
            }
        });
        Ok(Self(metrics))
    }

    /// What is counted so far, in Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }

    fn builder() -> anyhow::Result<PrometheusBuilder> {
        let seconds = Matcher::Suffix("_seconds".into());
        PrometheusBuilder::new()
            .set_buckets_for_metric(seconds, &SECONDS)
            .context("setting histogram bounds")
    }
}

tokio::task_local! {
    static CORRELATION: String;
}

/// Runs `work` under a correlation id: every line that it logs carries it, and [`correlation`] gives it back anywhere inside
/// the same task.
pub async fn with_correlation<F: Future>(id: String, work: F) -> F::Output {
    // Of the highest level, so that no filter that lets a warning through drops what it belongs to.
    let span = tracing::error_span!("request", correlation_id = id);
    CORRELATION.scope(id, work.instrument(span)).await
}

/// The same work for a task of its own, under the correlation id of this one.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let id = correlation();
    async move {
        match id {
            Some(id) => with_correlation(id, work).await,
            None => work.await,
        }
    }
}

/// The id that ties together everything done for one request, where there is one.
pub fn correlation() -> Option<String> {
    CORRELATION.try_with(Clone::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_correlation_id_holds_inside_and_not_outside() {
        assert_eq!(correlation(), None);
        let seen = with_correlation("r1".into(), async {
            tokio::task::yield_now().await;
            correlation()
        });
        assert_eq!(seen.await.as_deref(), Some("r1"));
        assert_eq!(correlation(), None);
    }

    #[tokio::test]
    async fn every_line_inside_carries_the_correlation_id() {
        use std::sync::{Arc, Mutex};
        #[derive(Clone, Default)]
        struct Lines(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        for format in [LogFormat::Readable, LogFormat::Json] {
            let lines = Lines::default();
            let writer = lines.clone();
            let logs = logs(format, None, move || writer.clone(), false).unwrap();
            let logging = tracing::subscriber::set_default(logs);
            let work = async {
                tracing::warn!("something is odd");
                tokio::spawn(carried(async { tracing::warn!("and goes on") }))
                    .await
                    .unwrap();
            };
            with_correlation("r-7f3a".into(), work).await;
            tracing::warn!("outside");
            drop(logging);
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            let carries: Vec<bool> = text.lines().map(|line| line.contains("r-7f3a")).collect();
            assert_eq!(carries, [true, true, false], "{text}");
        }
    }

    #[test]
    fn durations_are_histograms_with_bounds() {
        let recorder = Metrics::builder().unwrap().build_recorder();
        let metrics = Metrics(recorder.handle());
        ::metrics::with_local_recorder(&recorder, || {
            ::metrics::histogram!("http_request_seconds", "route" => "/home").record(0.03);
            ::metrics::counter!("things_total").increment(2);
        });
        let text = metrics.render();
        assert!(
            text.contains("http_request_seconds_bucket{route=\"/home\",le=\"0.05\"} 1"),
            "{text}"
        );
        assert!(text.contains("things_total 2"), "{text}");
    }

    /// Bytes of this process in memory.
    fn resident() -> usize {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    #[tokio::test]
    async fn what_is_measured_is_not_kept_though_nobody_asks() {
        let period = Duration::from_millis(1);
        Metrics::folding_every(period).unwrap();
        let measure = async || {
            for _ in 0..200_000 {
                ::metrics::histogram!("long_evening_seconds").record(0.01);
            }
            tokio::time::sleep(2 * period).await;
        };
        measure().await;
        measure().await;
        let before = resident();
        // 32 MB of values.
        for _ in 0..20 {
            measure().await;
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 8 << 20, "{grown} bytes");
    }

    #[test]
    fn a_wrong_filter_is_refused() {
        assert!(init_logs(LogFormat::Json, Some("platform=loud")).is_err());
    }
}
