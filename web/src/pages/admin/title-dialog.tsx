/** The form of a title's facts, for a new one and for changes. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { createTitle, type TitleChanges, type TitleDraft, updateTitle } from "@/api/admin-endpoints";
import { Problem } from "@/api/http";
import { titleQuery } from "@/api/queries";
import type { AdminTitle, TitleKind } from "@/api/types";
import { Dialog } from "@/components/dialog";
import { Field, FormError } from "@/components/field";
import { showToast } from "@/components/toast";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";

const words = adminEn.titles;
const KINDS: TitleKind[] = ["film", "series"];

interface DialogProps {
  title?: AdminTitle;
  onClose: () => void;
}

/** A title's description is not in the table: it is fetched before the form opens. */
export function TitleDialog({ title, onClose }: DialogProps) {
  const whole = useQuery({ ...titleQuery(title?.id ?? ""), enabled: title !== undefined });
  if (title && whole.isPending) return null;
  return <TitleForm title={title} description={whole.data?.description ?? ""} onClose={onClose} />;
}

function TitleForm({ title, description, onClose }: DialogProps & { description: string }) {
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: (draft: TitleDraft) => (title ? updateTitle(title.id, changesOf(draft)) : createTitle(draft)),
    onSuccess: (_saved, draft) => {
      showToast(title ? words.saved(draft.name) : words.created(draft.name));
      void client.invalidateQueries({ queryKey: ["admin-titles"] });
      if (title) void client.invalidateQueries({ queryKey: ["title", title.id] });
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(draftOf(new FormData(event.currentTarget)));
  };
  const fields = save.error instanceof Problem ? save.error.fields : {};
  return (
    <Dialog title={title ? words.editTitle : words.createTitle} onClose={onClose}>
      <form className="form form--wide" onSubmit={submit}>
        <TitleFields title={title} description={description} errors={fields} />
        <FormError>{save.error?.message}</FormError>
        <div className="dialog__actions">
          <button type="button" className="button" onClick={onClose}>
            {strings.dialog.cancel}
          </button>
          <button type="submit" className="button button--primary" disabled={save.isPending}>
            {words.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface FieldsProps {
  title?: AdminTitle;
  description: string;
  errors: Record<string, string>;
}

function TitleFields({ title, description, errors }: FieldsProps) {
  const textId = useId();
  const kindId = useId();
  return (
    <>
      <Field
        label={words.fields.name}
        name="name"
        defaultValue={title?.name}
        required
        maxLength={300}
        error={errors.name}
      />
      <Field
        label={words.fields.year}
        name="year"
        type="number"
        min={1870}
        max={2200}
        defaultValue={title?.year ?? undefined}
        error={errors.year}
      />
      {!title && (
        <div className="field">
          <label htmlFor={kindId}>{words.fields.kind}</label>
          <select id={kindId} name="kind" className="input" defaultValue="film">
            {KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {strings.title.kinds[kind]}
              </option>
            ))}
          </select>
        </div>
      )}
      <Field
        label={words.fields.genres}
        name="genres"
        hint={words.fields.genresHint}
        defaultValue={title?.genres.join(", ")}
        error={errors.genres}
      />
      <Field
        label={words.fields.maturity}
        name="maturity"
        type="number"
        min={0}
        max={18}
        defaultValue={title?.maturity ?? undefined}
        error={errors.maturity}
      />
      <div className="field">
        <label htmlFor={textId}>{words.fields.description}</label>
        <textarea id={textId} name="description" className="input" defaultValue={description} maxLength={10_000} />
      </div>
    </>
  );
}

/** What was typed, without the fields that were left empty. */
export function draftOf(form: FormData): TitleDraft {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const whole = (name: string) => (text(name) === "" ? undefined : Number(text(name)));
  return {
    name: text("name"),
    kind: text("kind") === "series" ? "series" : "film",
    year: whole("year"),
    maturity: whole("maturity"),
    genres: text("genres")
      .split(",")
      .map((genre) => genre.trim())
      .filter(Boolean),
    description: text("description"),
  };
}

/** A title keeps its kind: it is not among the changes. */
function changesOf({ kind: _kind, ...changes }: TitleDraft): TitleChanges {
  return changes;
}
