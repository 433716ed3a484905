/** The form of a title's facts, for a new one and for changes. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import {
  adminTitle,
  createTitle,
  type TitleChanges,
  type TitleDraft,
  updateTitle,
  updateVideo,
  type VideoChanges,
} from "@/api/admin-endpoints";
import { Problem } from "@/api/http";
import type { AdminTitleWhole, Id } from "@/api/types";
import { Dialog } from "@/components/dialog";
import { FormError } from "@/components/field";
import { ListSkeleton } from "@/components/skeletons";
import { ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";
import { TitleArtwork } from "./title-artwork";
import { TitleFields } from "./title-fields";
import { changesOf, chapterDrafts, draftOf, videoChangesOf, windowChangesOf } from "./title-form";
import { TitleMarkers } from "./title-markers";
import { keyed, TitlePeople } from "./title-people";
import { TitleSubtitles } from "./title-subtitles";
import "@/styles/title-form.css";

const words = adminEn.titles;

interface DialogProps {
  /** Absent for a new one. */
  title?: { id: Id };
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

/** All that the form says. */
interface Typed {
  draft: TitleDraft;
  window: TitleChanges;
  video: VideoChanges;
}

const isSome = (changes: object) => Object.keys(changes).length > 0;

function TitleForm({ before, onClose }: FormProps) {
  const client = useQueryClient();
  const [people, setPeople] = useState(() => keyed(before?.people ?? []));
  const [chapters, setChapters] = useState(() => before?.video && chapterDrafts(before.video));
  const save = useMutation({
    mutationFn: async ({ draft, window, video }: Typed) => {
      if (!before) return createTitle(draft);
      // First what may be refused for the film that is there.
      if (isSome(video)) await updateVideo(before.id, video);
      const changes = { ...changesOf(before, draft), ...window };
      return isSome(changes) ? updateTitle(before.id, changes) : before;
    },
    onSuccess: (_saved, { draft }) => {
      showToast(before ? words.saved(draft.name) : words.created(draft.name));
      void client.invalidateQueries({ queryKey: ["admin-titles"] });
      if (before) void client.invalidateQueries({ queryKey: ["title", before.id] });
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    save.mutate({
      draft: draftOf(form, people),
      window: before ? windowChangesOf(before, form) : {},
      video: videoChangesOf(before?.video, form, chapters ?? undefined),
    });
  };
  const fields = save.error instanceof Problem ? save.error.fields : {};
  return (
    <Dialog title={before ? words.editTitle : words.createTitle} onClose={onClose}>
      <form className="form form--wide" onSubmit={submit}>
        <TitleFields before={before} errors={fields} />
        {before?.video && chapters && (
          <TitleMarkers video={before.video} errors={fields} chapters={chapters} onChapters={setChapters} />
        )}
        <TitlePeople people={people} onChange={setPeople} />
        {before && <TitleArtwork title={before} />}
        {before && before.kind !== "series" && <TitleSubtitles title={before.id} />}
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
