/** How the viewer came to this page: by going back, or by a link. */
import { useState } from "react";

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
