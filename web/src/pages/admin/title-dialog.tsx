/** The form of a title's facts, for a new one and for changes. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { adminTitle, createTitle, type TitleChanges, type TitleDraft, updateTitle } from "@/api/admin-endpoints";
import { Problem } from "@/api/http";
import type { AdminTitle, AdminTitleWhole, Id, TitleKind } from "@/api/types";
import { Dialog } from "@/components/dialog";
import { Field, FormError } from "@/components/field";
import { ListSkeleton } from "@/components/skeletons";
import { ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";

const words = adminEn.titles;
const KINDS: TitleKind[] = ["film", "series"];

interface DialogProps {
  title?: AdminTitle;
  onClose: () => void;
}

/** What is not in the table is fetched before the form opens: a form that lacks it would erase it. */
export function TitleDialog({ title, onClose }: DialogProps) {
  return title ? <EditDialog id={title.id} onClose={onClose} /> : <TitleForm onClose={onClose} />;
}

function EditDialog({ id, onClose }: { id: Id; onClose: () => void }) {
  const whole = useQuery({
    queryKey: ["admin-title", id],
    queryFn: ({ signal }) => adminTitle(id, signal),
    // As it is now, and then still under the curator's hands.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (whole.data) return <TitleForm before={whole.data} onClose={onClose} />;
  return (
    <Dialog title={words.editTitle} onClose={onClose}>
      {whole.isError ? <ErrorState error={whole.error} retry={() => whole.refetch()} /> : <ListSkeleton count={2} />}
    </Dialog>
  );
}

interface FormProps {
  /** Absent for a new title. */
  before?: AdminTitleWhole;
  onClose: () => void;
}

function TitleForm({ before, onClose }: FormProps) {
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: async (draft: TitleDraft) => {
      if (!before) return createTitle(draft);
      const changes = changesOf(before, draft);
      return Object.keys(changes).length > 0 ? updateTitle(before.id, changes) : before;
    },
    onSuccess: (_saved, draft) => {
      showToast(before ? words.saved(draft.name) : words.created(draft.name));
      void client.invalidateQueries({ queryKey: ["admin-titles"] });
      if (before) void client.invalidateQueries({ queryKey: ["title", before.id] });
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(draftOf(new FormData(event.currentTarget)));
  };
  const fields = save.error instanceof Problem ? save.error.fields : {};
  return (
    <Dialog title={before ? words.editTitle : words.createTitle} onClose={onClose}>
      <form className="form form--wide" onSubmit={submit}>
        <TitleFields before={before} errors={fields} />
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
  before?: AdminTitleWhole;
  errors: Record<string, string>;
}

function TitleFields({ before, errors }: FieldsProps) {
  const textId = useId();
  const kindId = useId();
  return (
    <>
      <Field
        label={words.fields.name}
        name="name"
        defaultValue={before?.name}
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
        defaultValue={before?.year ?? undefined}
        error={errors.year}
      />
      {!before && (
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
        defaultValue={before?.genres.join(", ")}
        error={errors.genres}
      />
      <Field
        label={words.fields.maturity}
        name="maturity"
        type="number"
        min={0}
        max={18}
        defaultValue={before?.maturity ?? undefined}
        error={errors.maturity}
      />
      <div className="field">
        <label htmlFor={textId}>{words.fields.description}</label>
        <textarea id={textId} name="description" className="input" defaultValue={before?.description} maxLength={10_000} />
      </div>
    </>
  );
}

/** A text as a field gives it back. */
const plain = (text: string) => text.replace(/\r\n?/g, "\n").trim();

/** What was typed, without the fields that were left empty. */
export function draftOf(form: FormData): TitleDraft {
  const text = (name: string) => plain(String(form.get(name) ?? ""));
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

/** Only what is not as it was; a title keeps its kind. */
export function changesOf(before: AdminTitleWhole, draft: TitleDraft): TitleChanges {
  const changes: TitleChanges = {};
  if (draft.name !== before.name) changes.name = draft.name;
  if (draft.year !== undefined && draft.year !== before.year) changes.year = draft.year;
  if (draft.maturity !== undefined && draft.maturity !== before.maturity) changes.maturity = draft.maturity;
  if (draft.genres?.join() !== before.genres.join()) changes.genres = draft.genres;
  if (draft.description !== plain(before.description)) changes.description = draft.description;
  return changes;
}
