/** How the viewer came to this page, by going back or by a link; and which addresses lead on within it. */
import { useState } from "react";

/** An address of this page as it was asked for, or nothing: a link may bring any text, and must not lead to another house. */
export function ownAddress(text: unknown): string | undefined {
  if (typeof text !== "string" || !text.startsWith("/")) return undefined;
  // As the browser reads it: two slashes, a backslash or a tab between them name another host.
  const here = window.location.origin;
  return URL.canParse(text, here) && new URL(text, here).origin === here ? text : undefined;
}

let cameBack = false;

/** Called by the router for every change of address. */
export function noteNavigation(action: string) {
  cameBack = action === "BACK" || action === "GO";
}

export const wentBack = () => cameBack;

/** Whether this page was reached by going back, as of when it appeared. */
export function useReturned(): boolean {
  const [returned] = useState(wentBack);
  return returned;
}
