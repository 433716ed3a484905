/** Videos dropped anywhere on the page: on a title's row they are for that title, elsewhere it is asked which each is. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useState } from "react";
import { adminTitles, createTitle } from "@/api/admin-endpoints";
import { sendVideo } from "@/api/transfers";
import type { AdminTitle } from "@/api/types";
import { Dialog } from "@/components/dialog";
import { FormError, Select } from "@/components/field";
import { bytes } from "@/lib/format";
import { nameOf, VIDEO_ACCEPT } from "@/lib/video-names";
import { adminEn } from "@/strings/admin-en";
import { FilePicker } from "./imports";
import { useLimits } from "./upload-dialog";

const words = adminEn.upload;
/** More are for the command line. */
export const FILES_MAX = 20;
const NEW = "";

/** Whether files hover over the page; `onDrop` gets them with the title on whose row they were let go. */
export function useDrop(onDrop: (files: File[], titleId?: string) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const hover = (event: DragEvent) => {
      if (!hasFiles(event) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      setOver(false);
      if (!hasFiles(event) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-title-id]") : null;
      onDrop([...(event.dataTransfer?.files ?? [])], row?.dataset.titleId);
    };
    const listening: [string, (event: DragEvent) => void][] = [
      ["dragenter", hover],
      ["dragover", hover],
      ["dragleave", leave],
      ["drop", drop],
    ];
    for (const [name, listener] of listening) window.addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of listening) window.removeEventListener(name, listener as EventListener);
    };
  }, [onDrop]);
  return over;
}

/** A file by its place in the choice: two folders may have one of the same name. */
type Chosen = { at: number; file: File };
const asChosen = (files: File[]): Chosen[] => files.map((file, at) => ({ at, file }));

export function DropDialog({ files, onClose }: { files: File[]; onClose: () => void }) {
  const client = useQueryClient();
  const limits = useLimits();
  const [chosen, setChosen] = useState(() => asChosen(files));
  const [titles, setTitles] = useState<Record<number, AdminTitle | null>>({});
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<string>();
  const shown = chosen.slice(0, FILES_MAX);
  const good = shown.filter(({ file }) => !limits.refuse(file));
  const isKnown = good.every(({ at }) => titles[at] !== undefined);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (pending) return;
    setPending(true);
    setError(undefined);
    try {
      for (const { at, file } of good) {
        sendVideo(file, titles[at] ?? (await newTitle(file)));
        // On its way, with a title that is there: after a failure only the others are tried again.
        setChosen((before) => before.filter((one) => one.at !== at));
      }
      onClose();
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : words.failed);
    } finally {
      setPending(false);
      void client.invalidateQueries({ queryKey: ["admin-titles"] });
    }
  };
  return (
    <Dialog title={words.whichTitles} onClose={onClose}>
      {chosen.length === 0 ? (
        <FilePicker
          label={words.chooseMany}
          hint={words.hint}
          accept={VIDEO_ACCEPT}
          multiple
          files={[]}
          onFiles={(picked) => setChosen(asChosen(picked))}
        />
      ) : (
        <form className="form" onSubmit={submit}>
          {shown.map(({ at, file }) => (
            <Assigned
              key={at}
              file={file}
              refused={limits.refuse(file)}
              onTitle={(title) => setTitles((before) => ({ ...before, [at]: title }))}
            />
          ))}
          {chosen.length > FILES_MAX && <p className="muted small">{words.tooMany(FILES_MAX)}</p>}
          <FormError>{error}</FormError>
          <div className="dialog__actions">
            <button
              type="submit"
              className="button button--primary"
              disabled={good.length === 0 || !isKnown}
              aria-disabled={pending}
            >
              {words.send(good.length)}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

async function newTitle(file: File) {
  const { name, year } = nameOf(file.name);
  return createTitle({ kind: "film", name, year });
}

interface AssignedProps {
  file: File;
  refused?: string;
  /** `null`: a new one. Not called before it is known which titles there are. */
  onTitle: (title: AdminTitle | null) => void;
}

/** The title of that name and year where there is one, else a new film. */
function Assigned({ file, refused, onTitle }: AssignedProps) {
  const id = useId();
  const { name, year } = nameOf(file.name);
  const { data, isFetched } = useQuery({
    queryKey: ["admin-titles", "named", name],
    queryFn: ({ signal }) => adminTitles({ q: name }, signal),
    enabled: !refused,
  });
  const found = (data?.items ?? []).filter((title) => title.kind !== "series").slice(0, 5);
  const [picked, setPicked] = useState<string>();
  const same = found.find((one) => one.name.toLowerCase() === name.toLowerCase() && (!year || one.year === year));
  const value = picked ?? same?.id ?? NEW;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the callback and the list are new each time; what is picked says it all.
  useEffect(() => {
    if (isFetched) onTitle(found.find((one) => one.id === value) ?? null);
    // What was offered stays: a title that is made meanwhile for another file of that name is not this one's.
    if (data) setPicked(value);
  }, [value, isFetched]);
  const label = (title: { name: string; year?: number | null }) =>
    title.year ? `${title.name} (${title.year})` : title.name;
  return (
    <div role="group" aria-labelledby={id} className="sending">
      <p id={id}>
        <strong>{file.name}</strong> <span className="muted small">{bytes(file.size)}</span>
      </p>
      {refused ? (
        <FormError>{refused}</FormError>
      ) : (
        <Select
          label={words.titleOf(file.name)}
          value={value}
          onChange={setPicked}
          options={[
            { value: NEW, label: words.newFilm(label({ name, year })) },
            ...found.map((title) => ({ value: title.id, label: label(title) })),
          ]}
        />
      )}
    </div>
  );
}
