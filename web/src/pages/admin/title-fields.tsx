/** The fields of a title's form; of a new one also its kind, and of an episode where it stands. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { adminTitles } from "@/api/admin-endpoints";
import type { AdminTitleWhole, TitleKind } from "@/api/types";
import { Field, FormError, Switch } from "@/components/field";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";
import { KINDS, localTime } from "./title-form";

const words = adminEn.titles;

interface FieldsProps {
  /** Absent for a new title. */
  before?: AdminTitleWhole;
  errors: Record<string, string>;
}

export function TitleFields({ before, errors }: FieldsProps) {
  const textId = useId();
  return (
    <>
      {!before && <Kind />}
      {facts(before).map(({ name, ...field }) => (
        <Field key={name} name={name} error={errors[name]} {...field} />
      ))}
      <div className="field">
        <label htmlFor={textId}>{words.fields.description}</label>
        <textarea
          id={textId}
          name="description"
          className="input"
          defaultValue={before?.description}
          maxLength={10_000}
        />
      </div>
      <Published before={before?.published ?? true} />
      {before && <Window before={before} errors={errors} />}
    </>
  );
}

/** The fields of one line, as they are. */
function facts(before: AdminTitleWhole | undefined) {
  const { name, year, genres, genresHint, maturity, maturityHint } = words.fields;
  return [
    { name: "name", label: name, defaultValue: before?.name, required: true, maxLength: 300 },
    { name: "year", label: year, type: "number", min: 1870, max: 2100, defaultValue: before?.year ?? undefined },
    { name: "genres", label: genres, hint: genresHint, defaultValue: before?.genres.join(", ") },
    {
      name: "maturity",
      label: maturity,
      hint: maturityHint,
      type: "number",
      min: 0,
      max: 18,
      defaultValue: before?.maturity ?? undefined,
    },
  ];
}

function Published({ before }: { before: boolean }) {
  const [published, setPublished] = useState(before);
  return (
    <Switch
      name="published"
      label={words.fields.published}
      hint={words.fields.publishedHint}
      checked={published}
      onChange={setPublished}
    />
  );
}

/** When it appears and goes by itself. */
function Window({ before, errors }: { before: AdminTitleWhole; errors: Record<string, string> }) {
  const { appears, appearsHint, goes, goesHint } = words.fields;
  const moments = [
    { name: "publish_at", label: appears, hint: appearsHint, defaultValue: localTime(before.publish_at) },
    { name: "unpublish_at", label: goes, hint: goesHint, defaultValue: localTime(before.unpublish_at) },
  ];
  return moments.map(({ name, ...field }) => (
    <Field key={name} name={name} type="datetime-local" error={errors[name]} {...field} />
  ));
}

function Kind() {
  const id = useId();
  const [kind, setKind] = useState<TitleKind>("film");
  return (
    <>
      <div className="field">
        <label htmlFor={id}>{words.fields.kind}</label>
        <select
          id={id}
          name="kind"
          className="input"
          value={kind}
          onChange={(event) => setKind(event.target.value as TitleKind)}
        >
          {KINDS.map((one) => (
            <option key={one} value={one}>
              {strings.title.kinds[one]}
            </option>
          ))}
        </select>
      </div>
      {kind === "episode" && <Place />}
    </>
  );
}

/** Of which series an episode is: found by a part of its name where there are many. */
function Place() {
  const id = useId();
  const [part, setPart] = useState("");
  const series = useQuery({
    queryKey: ["admin-titles", "series", part],
    queryFn: ({ signal }) => adminTitles({ kind: "series", sort: "name", q: part || undefined }, signal),
    placeholderData: keepPreviousData,
  });
  const found = series.data?.items ?? [];
  return (
    <>
      <Field
        label={words.fields.findSeries}
        type="search"
        value={part}
        onChange={(event) => setPart(event.target.value)}
        autoComplete="off"
      />
      <div className="field">
        <label htmlFor={id}>{words.fields.series}</label>
        <select id={id} name="series" className="input" required>
          {found.map((one) => (
            <option key={one.id} value={one.id}>
              {one.year == null ? one.name : `${one.name} (${one.year})`}
            </option>
          ))}
        </select>
        {series.data && found.length === 0 && <p className="field__hint">{words.fields.noSeries}</p>}
      </div>
      <FormError>{series.isError ? strings.states.errorLead : null}</FormError>
      <Field label={words.fields.season} name="season" type="number" min={0} max={10_000} defaultValue={1} required />
      <Field label={words.fields.episode} name="episode" type="number" min={0} max={10_000} defaultValue={1} required />
    </>
  );
}
