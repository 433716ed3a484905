/** The files of subtitles beside a title's video: sent, named and taken away, at once and without the rest of the form. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ChangeEvent, type ReactNode, useRef, useState } from "react";
import {
  nameSubtitles,
  removeSubtitles,
  type SubtitleNames,
  sendSubtitles,
  subtitleFiles,
} from "@/api/admin-endpoints";
import { Problem } from "@/api/http";
import type { Id, SubtitleFile, SubtitleKind } from "@/api/types";
import { FormError, Select } from "@/components/field";
import { Icon } from "@/components/icons";
import { languageOptions } from "@/lib/subtitle-languages";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";

const words = adminEn.titles.subtitles;
const ACCEPT = ".srt,.ass,.ssa,.vtt";
const FILE_BYTES_MAX = 4 << 20;
const NO_LANGUAGE = { value: "", label: words.noLanguage };
const NAMED = ["subtitles_invalid", "too_large"];
const KINDS: SubtitleKind[] = ["subtitles", "captions", "forced"];

export function TitleSubtitles({ title }: { title: Id }) {
  const whole = useRef<HTMLFieldSetElement>(null);
  const [told, setTold] = useState("");
  const files = useQuery({ queryKey: keyOf(title), queryFn: ({ signal }) => subtitleFiles(title, signal) });
  const onRemoved = (name: string) => {
    setTold(words.removed(name));
    // The button goes with its file: the keyboard goes on at the one that sends.
    whole.current?.querySelector<HTMLElement>("input[type=file]")?.focus();
  };
  return (
    <fieldset className="field" ref={whole}>
      <legend className="field__label">{words.title}</legend>
      <p className="field__hint">{words.hint}</p>
      {files.data?.items.map((file) => (
        <OneFile key={file.id} title={title} file={file} onRemoved={onRemoved} />
      ))}
      {files.isError && (
        <div className="chips">
          <FormError>{words.unread(said(files.error))}</FormError>
          <button type="button" className="button button--small" onClick={() => files.refetch()}>
            {strings.states.retry}
          </button>
        </div>
      )}
      <SendFiles title={title} onTold={setTold}>
        <p role="status" className="muted small">
          {told}
        </p>
      </SendFiles>
    </fieldset>
  );
}

const keyOf = (title: Id) => ["admin-subtitles", title];
const said = (error: Error) => error.message || strings.states.errorLead;

/** Reads the list again; what asked for it is not over before that is here. */
function useReread(title: Id) {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: keyOf(title) });
}

interface FileProps {
  title: Id;
  file: SubtitleFile;
  onRemoved: (name: string) => void;
}

function OneFile({ title, file, onRemoved }: FileProps) {
  const { id, filename } = file;
  const reread = useReread(title);
  const name = useMutation({
    mutationFn: (names: SubtitleNames) => nameSubtitles(title, id, names),
    // One after the other: what was chosen last is what stays.
    scope: { id: `subtitles-${id}` },
    onSettled: reread,
  });
  const remove = useMutation({
    mutationFn: () => removeSubtitles(title, id),
    onSuccess: () => onRemoved(filename),
    onSettled: reread,
  });
  const { language, kind } = name.isPending ? name.variables : file;
  const error = remove.error ?? name.error;
  return (
    <div className="subtitle-file">
      <span className="subtitle-file__name">{filename}</span>
      <Select
        label={words.language(filename)}
        hideLabel
        value={language ?? NO_LANGUAGE.value}
        onChange={(value) => name.mutate({ language: value || null, kind })}
        options={[NO_LANGUAGE, ...languageOptions(file.language)]}
      />
      <Select
        label={words.kind(filename)}
        hideLabel
        value={kind}
        onChange={(value) => name.mutate({ language, kind: value })}
        options={KINDS.map((value) => ({ value, label: words.kinds[value] }))}
      />
      <button
        type="button"
        className="icon-button"
        aria-label={words.remove(filename)}
        disabled={remove.isPending}
        onClick={() => remove.mutate()}
      >
        <Icon name="bin" />
      </button>
      {error && <FormError>{said(error)}</FormError>}
    </div>
  );
}

interface SendProps {
  title: Id;
  onTold: (text: string) => void;
  /** What was told last. */
  children: ReactNode;
}

function SendFiles({ title, onTold, children }: SendProps) {
  const send = useMutation({
    mutationFn: (files: File[]) => sendAll(title, files, onTold),
    onSettled: useReread(title),
  });
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const files = [...(event.target.files ?? [])];
    event.target.value = "";
    if (files.length > 0) send.mutate(files);
  };
  return (
    <>
      <div>
        <label className="button button--small picture__choose">
          {words.choose}
          <input type="file" multiple accept={ACCEPT} onChange={choose} disabled={send.isPending} />
        </label>
      </div>
      {children}
      <FormError>{send.data?.join(" ")}</FormError>
    </>
  );
}

/** One after the other; answers what is wrong with those that were refused, which hold up no other. */
async function sendAll(title: Id, files: File[], tell: (text: string) => void): Promise<string[]> {
  const [sent, refused]: [string[], string[]] = [[], []];
  for (const [at, file] of files.entries()) {
    tell(words.sending(at + 1, files.length));
    try {
      if (file.size > FILE_BYTES_MAX) throw new Problem(413, "too_large", words.tooLarge(file.name));
      sent.push((await sendSubtitles(title, file)).filename);
    } catch (error) {
      refused.push(whyNot(file, error));
    }
  }
  tell(sent.length > 0 ? words.sent(sent) : "");
  return refused;
}

function whyNot(file: File, error: unknown): string {
  const why = error instanceof Error ? said(error) : strings.states.errorLead;
  // What is wrong with the file itself is said with its name.
  const isNamed = error instanceof Problem && NAMED.includes(error.code);
  return isNamed ? why : words.refused(file.name, why);
}
