/** The form of a title's facts, for a new one and for changes. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { createTitle, updateTitle } from "@/api/admin-endpoints";
import { Problem } from "@/api/http";
import type { AdminTitle, TitleDraft, TitleKind } from "@/api/types";
import { Dialog } from "@/components/dialog";
import { Field, FormError } from "@/components/field";
import { showToast } from "@/components/toast";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";

const words = adminEn.titles;
const KINDS: TitleKind[] = ["movie", "series"];

export function TitleDialog({ title, onClose }: { title?: AdminTitle; onClose: () => void }) {
  const client = useQueryClient();
  const textId = useId();
  const kindId = useId();
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
        <Field label={words.fields.name} name="name" defaultValue={title?.name} required maxLength={300} error={fields.name} />
        <Field label={words.fields.year} name="year" type="number" min={1870} max={2100} defaultValue={title?.year ?? undefined} error={fields.year} />
        {!title && (
          <div className="field">
            <label htmlFor={kindId}>{words.fields.kind}</label>
            <select id={kindId} name="kind" className="input" defaultValue="movie">
              {KINDS.map((kind) => (
                <option key={kind} value={kind}>
                  {strings.title.kinds[kind]}
                </option>
              ))}
            </select>
          </div>
        )}
        <Field label={words.fields.genres} name="genres" hint={words.fields.genresHint} defaultValue={title?.genres.join(", ")} error={fields.genres} />
        <Field label={words.fields.maturity} name="maturity" type="number" min={0} max={21} defaultValue={title?.maturity ?? undefined} error={fields.maturity} />
        <div className="field">
          <label htmlFor={textId}>{words.fields.description}</label>
          <textarea id={textId} name="description" className="input" defaultValue={title?.description ?? ""} maxLength={4000} />
        </div>
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

/** What was typed, without the fields that were left empty. */
export function draftOf(form: FormData): TitleDraft {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const whole = (name: string) => (text(name) === "" ? undefined : Number(text(name)));
  return {
    name: text("name"),
    kind: text("kind") === "series" ? "series" : "movie",
    year: whole("year"),
    maturity: whole("maturity"),
    genres: text("genres").split(",").map((genre) => genre.trim()).filter(Boolean),
    description: text("description") || undefined,
  };
}

/** A title keeps its kind: it is not among the changes. */
function changesOf({ kind: _kind, ...changes }: TitleDraft): Partial<TitleDraft> {
  return changes;
}
