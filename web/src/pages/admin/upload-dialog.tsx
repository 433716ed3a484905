/** Chooses a video for a title; it is sent in pieces that survive a broken line, and shown among those on their way. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { sendVideo, unfinishedQuery } from "@/api/transfers";
import type { Card } from "@/api/types";
import { Dialog } from "@/components/dialog";
import { FormError } from "@/components/field";
import { bytes } from "@/lib/format";
import { isVideoFile, VIDEO_ACCEPT } from "@/lib/video-names";
import { adminEn } from "@/strings/admin-en";
import { FilePicker } from "./imports";

const words = adminEn.upload;

export function UploadDialog({ title, onClose }: { title: Pick<Card, "id" | "name">; onClose: () => void }) {
  const [refused, setRefused] = useState<string>();
  const limits = useLimits();
  const choose = ([file]: File[]) => {
    if (!file) return;
    const why = limits.refuse(file);
    setRefused(why);
    if (why) return;
    sendVideo(file, title);
    onClose();
  };
  return (
    <Dialog title={words.title(title.name)} onClose={onClose}>
      <FilePicker label={words.choose} hint={words.hint} accept={VIDEO_ACCEPT} files={[]} onFiles={choose} />
      <FormError>{refused}</FormError>
    </Dialog>
  );
}

/** What may still be sent, as far as it is known: the server has the last word. */
export function useLimits() {
  const { data } = useQuery(unfinishedQuery);
  const refuse = (file: File): string | undefined => {
    if (!isVideoFile(file)) return words.notVideo;
    if (file.size === 0) return words.empty;
    if (!data) return undefined;
    if (file.size > data.bytes_max) return words.tooLarge(bytes(data.bytes_max));
    const begun = data.items.filter((one) => one.filename === file.name && one.bytes === file.size);
    if (begun.length === 0 && file.size > data.bytes_left) return words.quota(bytes(data.bytes_left));
    return undefined;
  };
  return { refuse };
}
