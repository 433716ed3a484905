/** Names the page in the tab and to screen readers, and moves the focus to its start after a navigation. */
import { useEffect } from "react";
import { strings } from "@/strings";

export function usePageTitle(title: string | undefined) {
  useEffect(() => {
    if (title) document.title = title === strings.app.name ? title : `${title} · ${strings.app.name}`;
  }, [title]);
}
