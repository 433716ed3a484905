/** Why something is suggested: the server's sentence, with the viewer's own titles in it as links. */
import { Link } from "@tanstack/react-router";
import { Fragment } from "react";
import type { NamedTitle, Reason } from "@/api/types";

/** Cuts the sentence around the titles that it names, so that each can be a link. */
export function linkParts(reason: Reason): (string | NamedTitle)[] {
  let parts: (string | NamedTitle)[] = [reason.text];
  for (const source of reason.because_titles) {
    parts = parts.flatMap((part) => {
      if (typeof part !== "string") return [part];
      const at = part.indexOf(source.name);
      return at < 0 ? [part] : [part.slice(0, at), source, part.slice(at + source.name.length)];
    });
  }
  return parts.filter((part) => part !== "");
}

export function ReasonText({ reason, tabIndex }: { reason: Reason; tabIndex?: number }) {
  return (
    <>
      {linkParts(reason).map((part) =>
        typeof part === "string" ? (
          <Fragment key={part}>{part}</Fragment>
        ) : (
          <Link key={part.id} to="/title/$id" params={{ id: part.id }} className="reason-link" tabIndex={tabIndex}>
            {part.name}
          </Link>
        ),
      )}
    </>
  );
}
