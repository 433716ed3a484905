/** The form that starts an experiment. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { createExperiment, type ExperimentDraft } from "@/api/admin-endpoints";
import { Problem } from "@/api/http";
import type { ExperimentMethod, ExperimentMetric, Model } from "@/api/types";
import { Dialog } from "@/components/dialog";
import { Field, FormError, Select, Switch } from "@/components/field";
import { showToast } from "@/components/toast";
import { dateTime } from "@/lib/format";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";
import { experimentsEn as words } from "@/strings/experiments-en";

const METRICS: ExperimentMetric[] = ["plays", "finishes", "good_ratings", "dislikes"];
const METHODS: ExperimentMethod[] = ["ab", "interleaving"];

interface Chosen {
  method: ExperimentMethod;
  metric: ExperimentMetric;
  guards: ExperimentMetric[];
  first: string;
  second: string;
}

/** What the form says, as the interface wants it. */
export function draftOf(form: FormData, chosen: Chosen): ExperimentDraft {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const guards = chosen.method === "ab" ? chosen.guards.filter((guard) => guard !== chosen.metric) : [];
  return {
    name: text("name"),
    method: chosen.method,
    metric: chosen.metric,
    guards,
    arms: [
      { name: text("first_name"), model_id: chosen.first },
      { name: text("second_name"), model_id: chosen.second },
    ],
    share_percent: Number(text("share")),
    window_hours: Number(text("days")) * 24,
  };
}

export function ExperimentDialog({ models: all, onClose }: { models: Model[]; onClose: () => void }) {
  // One that was refused serves nobody, and one without files cannot.
  const models = all.filter((model) => model.stored && model.state !== "refused");
  const enough = models.length >= 2;
  return (
    <Dialog title={words.create} onClose={onClose}>
      {enough ? <ExperimentForm models={models} onClose={onClose} /> : <p>{words.needTwo}</p>}
    </Dialog>
  );
}

function ExperimentForm({ models, onClose }: { models: Model[]; onClose: () => void }) {
  const client = useQueryClient();
  const [chosen, setChosen] = useState(() => chosenAtFirst(models));
  const change = (changes: Partial<Chosen>) => setChosen({ ...chosen, ...changes });
  const create = useMutation({
    mutationFn: createExperiment,
    onSuccess: (made) => {
      showToast(words.started(made.name));
      void client.invalidateQueries({ queryKey: ["experiments"] });
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(draftOf(new FormData(event.currentTarget), chosen));
  };
  const errors = create.error instanceof Problem ? create.error.fields : {};
  const options = models.map((model) => ({
    value: model.id,
    label: `${dateTime(model.created_at)} (${adminEn.models.states[model.state] ?? model.state})`,
  }));
  return (
    <form className="form form--wide" onSubmit={submit}>
      <Field name="name" label={words.fields.name} error={errors.name} required maxLength={80} />
      <Select
        label={words.fields.method}
        value={chosen.method}
        onChange={(method) => change({ method })}
        options={METHODS.map((method) => ({ value: method, label: words.methods[method] }))}
        hint={words.methodHints[chosen.method]}
      />
      <Select
        label={words.fields.metric}
        value={chosen.metric}
        onChange={(metric) => change({ metric })}
        options={METRICS.map((metric) => ({ value: metric, label: words.metricNames[metric] }))}
        hint={words.fields.metricHint}
      />
      {chosen.method === "ab" && <Guards chosen={chosen} change={change} />}
      <div className="arms">
        <Arm number="first" model={chosen.first} onModel={(first) => change({ first })} options={options} />
        <Arm number="second" model={chosen.second} onModel={(second) => change({ second })} options={options} />
      </div>
      <Size />
      <FormError>{create.error?.message}</FormError>
      <div className="dialog__actions">
        <button type="button" className="button" onClick={onClose}>
          {strings.dialog.cancel}
        </button>
        <button type="submit" className="button button--primary" disabled={create.isPending}>
          {words.start}
        </button>
      </div>
    </form>
  );
}

/** The model in service against the newest other one. */
function chosenAtFirst(models: Model[]): Chosen {
  const serving = models.find((model) => model.state === "active") ?? models[0];
  const other = models.find((model) => model.id !== serving?.id);
  return { method: "ab", metric: "plays", guards: ["dislikes"], first: serving?.id ?? "", second: other?.id ?? "" };
}

function Size() {
  const { share, shareHint, days, daysHint } = words.fields;
  return (
    <div className="choices">
      <Field name="share" label={share} hint={shareHint} type="number" min={1} max={100} defaultValue={100} required />
      <Field name="days" label={days} hint={daysHint} type="number" min={1} max={30} defaultValue={7} required />
    </div>
  );
}

function Guards({ chosen, change }: { chosen: Chosen; change: (changes: Partial<Chosen>) => void }) {
  return (
    <fieldset className="guards">
      <legend>{words.fields.guards}</legend>
      {METRICS.filter((metric) => metric !== chosen.metric).map((metric) => (
        <Switch
          key={metric}
          label={words.metricNames[metric]}
          checked={chosen.guards.includes(metric)}
          onChange={(on) =>
            change({ guards: on ? [...chosen.guards, metric] : chosen.guards.filter((guard) => guard !== metric) })
          }
        />
      ))}
    </fieldset>
  );
}

interface ArmProps {
  number: "first" | "second";
  model: string;
  onModel: (model: string) => void;
  options: { value: string; label: string }[];
}

function Arm({ number, model, onModel, options }: ArmProps) {
  const { model: label, name, nameDefault } = words.fields.arms[number];
  return (
    <div className="arm">
      <Select label={label} value={model} onChange={onModel} options={options} />
      <Field name={`${number}_name`} label={name} defaultValue={nameDefault} required maxLength={80} />
    </div>
  );
}
