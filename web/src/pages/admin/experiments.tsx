/** Experiments: two models on real viewers, what each says so far, and whether it may be believed. */
import "@/styles/experiments.css";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { experiment as oneExperiment, experiments, stopExperiment } from "@/api/admin-endpoints";
import { modelsQuery } from "@/api/models";
import type { Experiment, ExperimentWithResults } from "@/api/types";
import { Confirm } from "@/components/dialog";
import { ListSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { dateTime } from "@/lib/format";
import { flatPages } from "@/lib/paging";
import { strings } from "@/strings";
import { experimentsEn as words } from "@/strings/experiments-en";
import { ExperimentDialog } from "./experiment-dialog";
import { ExperimentFigures } from "./experiment-figures";

/** Between two looks at what still changes. */
const REFRESH_MS = 15_000;

const isRunning = ({ state }: Experiment) => state === "running";

export function Section() {
  const [creating, setCreating] = useState(false);
  const list = useQuery({
    queryKey: ["experiments"],
    queryFn: ({ signal }) => experiments(signal),
    refetchInterval: ({ state }) => (state.data?.items.some(isRunning) ? REFRESH_MS : false),
  });
  const known = useInfiniteQuery(modelsQuery);
  const all = list.data?.items ?? [];
  const running = all.some(isRunning);
  return (
    <section aria-labelledby="experiments">
      <div className="toolbar">
        <div style={{ flex: "1 1 20rem" }}>
          <h2 id="experiments">{words.title}</h2>
          <p className="muted">{words.lead}</p>
        </div>
        <div className="toolbar__action">
          <button
            type="button"
            className="button button--primary"
            disabled={!list.data || !known.data}
            aria-disabled={running}
            aria-describedby={running ? "one-at-a-time" : undefined}
            onClick={() => !running && setCreating(true)}
          >
            {words.create}
          </button>
          {running && (
            <p id="one-at-a-time" className="muted small">
              {words.oneAtATime}
            </p>
          )}
        </div>
      </div>
      {list.isPending && <ListSkeleton />}
      {list.isError && <ErrorState error={list.error} retry={() => list.refetch()} />}
      {known.isError && <ErrorState error={known.error} retry={() => known.refetch()} />}
      {list.data && all.length === 0 && <EmptyState title={words.empty} lead={words.emptyLead} />}
      <ul className="models">
        {all.map((experiment, at) => (
          <li key={experiment.id}>
            <Card experiment={experiment} open={at === 0 || isRunning(experiment)} />
          </li>
        ))}
      </ul>
      {creating && known.data && <ExperimentDialog models={flatPages(known.data, (model) => model.id)} onClose={() => setCreating(false)} />}
    </section>
  );
}

function Card({ experiment, open }: { experiment: Experiment; open: boolean }) {
  const [shown, setShown] = useState(open);
  const [sure, setSure] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const client = useQueryClient();
  const stop = useMutation({
    mutationFn: () => stopExperiment(experiment.id),
    onSuccess: () => {
      showToast(words.stopped(experiment.name));
      // The button goes: the keyboard goes on at what it stopped.
      heading.current?.focus();
    },
    onError: () => showToast(strings.card.failed),
    onSettled: () => client.invalidateQueries({ queryKey: ["experiments"] }),
  });
  return (
    <article className="model">
      <div className="model__head">
        <h2 ref={heading} tabIndex={-1}>
          {experiment.name}
        </h2>
        <span className={`pill pill--${experiment.state}`}>{words.states[experiment.state]}</span>
        {isRunning(experiment) && (
          <button
            type="button"
            className="button button--small"
            aria-label={words.stopOf(experiment.name)}
            aria-disabled={stop.isPending}
            onClick={() => !stop.isPending && setSure(true)}
          >
            {words.stop}
          </button>
        )}
      </div>
      <About experiment={experiment} />
      <button
        type="button"
        className="button button--small"
        style={{ justifySelf: "start" }}
        aria-expanded={shown}
        aria-label={shown ? words.hideResultsOf(experiment.name) : words.resultsOf(experiment.name)}
        onClick={() => setShown(!shown)}
      >
        {shown ? words.hideResults : words.results}
      </button>
      {shown && <Results experiment={experiment} />}
      {sure && (
        <Confirm
          question={words.stopSure(experiment.name)}
          confirm={words.stop}
          onConfirm={() => stop.mutate()}
          onClose={() => setSure(false)}
        />
      )}
    </article>
  );
}

/** What it compares on whom, since when; and why it does not, where it cannot. */
function About({ experiment }: { experiment: Experiment }) {
  const { method, metric, guards, share_percent, window_hours, started_at, stopped_at, problem } = experiment;
  return (
    <>
      <p className="muted small">
        {words.about(words.methods[method], share_percent, window_hours)}{" "}
        {words.goal(
          words.metrics[metric],
          guards.map((guard) => words.metrics[guard]),
        )}{" "}
        {words.since(dateTime(started_at), stopped_at ? dateTime(stopped_at) : undefined)}
      </p>
      {problem && (
        <p className="warning" role="alert">
          <strong>{words.notServed}</strong> {problem}
        </p>
      )}
    </>
  );
}

function Results({ experiment }: { experiment: Experiment }) {
  const found = useQuery({
    queryKey: ["experiments", experiment.id],
    queryFn: ({ signal }) => oneExperiment(experiment.id, signal),
    refetchInterval: ({ state }) => (isRunning(experiment) || state.data?.waiting ? REFRESH_MS : false),
  });
  return (
    <div className="finding">
      <p className="finding__verdict">
        <span role="status">{found.data && <Verdict found={found.data} />}</span> {found.data?.decision}
      </p>
      {found.isPending && <ListSkeleton count={1} />}
      {found.isError && <ErrorState error={found.error} retry={() => found.refetch()} />}
      {found.data && <ExperimentFigures found={found.data} />}
    </div>
  );
}

/** Said aloud when it comes and when it changes, hence with the experiment's name. */
function Verdict({ found }: { found: ExperimentWithResults }) {
  return (
    <>
      <span className="visually-hidden">{found.name}: </span>
      <span className={`pill pill--${found.verdict}`}>{words.verdicts[found.verdict]}</span>
    </>
  );
}
