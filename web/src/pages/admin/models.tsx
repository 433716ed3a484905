/** The recommender's models: how good each was on held-out ratings, which one serves, and a plot over time. */
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { activateModel, trainModel } from "@/api/admin-endpoints";
import { modelsQuery } from "@/api/models";
import type { Model } from "@/api/types";
import { More } from "@/components/card-grid";
import { Select } from "@/components/field";
import { ListSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { dateTime, duration, number } from "@/lib/format";
import { flatPages } from "@/lib/paging";
import { locale, strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";
import { ComparePages } from "./compare-pages";
import { Estimate } from "./estimate";
import { changedSettings, figureOf, isLessBetter, MetricPlot } from "./metric-plot";

const words = adminEn.models;
const figure = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 4 });
const change = new Intl.NumberFormat(locale, { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 1 });
const setting = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4, useGrouping: false });
const MEASURES_SHOWN_MAX = 8;

export function Section() {
  const client = useQueryClient();
  const list = useInfiniteQuery(modelsQuery);
  const train = useMutation({
    mutationFn: trainModel,
    onSuccess: () => {
      showToast(words.training);
      void client.invalidateQueries({ queryKey: ["jobs"] });
    },
    onError: () => showToast(strings.card.failed),
  });
  const all = flatPages(list.data, (model) => model.id);
  const stored = all.filter((model) => model.stored);
  return (
    <section aria-labelledby="models">
      <div className="toolbar">
        <div style={{ flex: "1 1 20rem" }}>
          <h2 id="models">{words.title}</h2>
          <p className="muted">{words.lead}</p>
        </div>
        <button
          type="button"
          className="button button--primary"
          disabled={train.isPending}
          onClick={() => train.mutate()}
        >
          {words.train}
        </button>
      </div>
      {list.isPending && <ListSkeleton />}
      {list.isError && !list.data && <ErrorState error={list.error} retry={() => list.refetch()} />}
      {list.data && all.length === 0 && <EmptyState title={words.empty} lead={words.emptyLead} />}
      {all.length > 1 && <Plot models={all} />}
      {stored.length > 1 && <ComparePages models={stored} />}
      <ul className="models">
        {all.map((model, at) => (
          <li key={model.id}>
            <ModelCard model={model} before={all[at + 1]} />
          </li>
        ))}
      </ul>
      <More hasMore={list.hasNextPage} loading={list.isFetchingNextPage} onMore={list.fetchNextPage}>
        {words.more}
      </More>
    </section>
  );
}

function Plot({ models: all }: { models: Model[] }) {
  // In the service's order: what models are judged by stands first.
  const names = [...new Set(all.flatMap((model) => model.metrics.map(({ name }) => name)))];
  const [chosen, setChosen] = useState<string>();
  const metric = chosen ?? names[0];
  if (!metric) return null;
  return (
    <div className="plot">
      <div className="plot__head">
        <h3>{words.plot(metric)}</h3>
        <Select
          label={words.chooseMetric}
          value={metric}
          onChange={setChosen}
          options={names.map((name) => ({ value: name, label: name }))}
        />
      </div>
      <MetricPlot metric={metric} models={all} />
    </div>
  );
}

function ModelCard({ model, before }: { model: Model; before: Model | undefined }) {
  const client = useQueryClient();
  const activate = useMutation({
    mutationFn: () => activateModel(model.id),
    onSuccess: () => showToast(words.activated),
    onError: () => showToast(strings.card.failed),
    onSettled: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  const made = dateTime(model.created_at);
  return (
    <article className="model">
      <div className="model__head">
        <h2>{made}</h2>
        <span className={`pill pill--${model.state}`}>{stateOf(model)}</span>
        <span className="muted small">
          {words.trained(
            number(model.interactions),
            number(model.viewers),
            number(model.titles),
            duration(model.train_s),
          )}
        </span>
        {model.stored && model.state === "ready" && (
          <button
            type="button"
            className="button button--small"
            aria-label={words.activateOf(made)}
            disabled={activate.isPending}
            onClick={() => activate.mutate()}
          >
            {words.activate}
          </button>
        )}
      </div>
      <dl className="measures">
        {model.metrics.slice(0, MEASURES_SHOWN_MAX).map(({ name, value }) => (
          <Measure key={name} name={name} value={value} before={figureOf(model.baseline, name)} />
        ))}
      </dl>
      {model.decision && <p className="muted">{model.decision}</p>}
      <Settings model={model} before={before} />
      {model.stored ? <Estimate model={model} /> : <p className="muted small">{words.notStored}</p>}
    </article>
  );
}

/** In a word; without its files what could serve cannot. */
function stateOf({ state, stored }: Model): string {
  return !stored && state === "ready" ? words.retired : (words.states[state] ?? state);
}

/** What it was trained with, and what of it the model before was not. */
function Settings({ model, before }: { model: Model; before: Model | undefined }) {
  if (model.settings.length === 0) return null;
  const changed = changedSettings(model.settings, before?.settings ?? []);
  return (
    <details className="muted">
      <summary>{words.settings(changed.length)}</summary>
      <dl className="measures">
        {model.settings.map(({ name, value }) => {
          const other = changed.find((one) => one.name === name);
          return (
            <div key={name} className="measure">
              <dt>{name}</dt>
              <dd>
                <strong>{setting.format(value)}</strong>
                {other && <span className="small">{words.settingBefore(setting.format(other.value))}</span>}
              </dd>
            </div>
          );
        })}
      </dl>
    </details>
  );
}

function Measure({ name, value, before }: { name: string; value: number; before: number | undefined }) {
  const step = before ? (value - before) / before : undefined;
  const isWorse = step !== undefined && (isLessBetter(name) ? step > 0 : step < 0);
  return (
    <div className="measure">
      <dt>{name}</dt>
      <dd>
        <strong>{figure.format(value)}</strong>
        {step !== undefined && (
          <span className={isWorse ? "down small" : "up small"} title={words.against}>
            {change.format(step)}
          </span>
        )}
      </dd>
    </div>
  );
}
